/** What a request's header list means for its stream (RFC 9113 §8.2, §8.3). */
export type RequestFields =
  | { readonly kind: "valid"; readonly contentLength: number | undefined }
  | { readonly kind: "malformed"; readonly detail: string };

/** Fields that HTTP/2 forbids because they describe a connection (RFC 9113 §8.2.2). `te` may say "trailers". */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Checks a request's field section: pseudo-header fields first, once each, the right ones for the method; then regular
 * fields with names in lower case and values without control characters. `fields` is [name, value, ...].
 *
 * @param passed a list that was found valid before, of the same sender best: the characters of what stands in the same place of it
 * are not looked at again
 */
export function checkRequestFields(
  fields: readonly string[],
  passed: readonly string[] = noFields,
): RequestFields {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let first = 0;
  for (; first < fields.length; first += 2) {
    const name = fields[first]!;
    if (name.charCodeAt(0) !== colon) break;
    const value = fields[first + 1]!;
    if (value !== passed[first + 1] && !isValue(value)) {
      return malformed(`the value of ${name} has forbidden characters`);
    }
    if (name === ":method" && method === undefined) method = value;
    else if (name === ":path" && path === undefined) path = value;
    else if (name === ":scheme" && scheme === undefined) scheme = value;
    else if (name === ":authority" && authority === undefined) authority = value;
    else return malformed(`pseudo-header field ${name} is repeated or does not belong into a request`);
  }
  const fault = findTargetFault(method, scheme, path, authority);
  return fault === undefined ? checkRegularFields(fields, first, authority, passed) : malformed(fault);
}

/** Checks a trailer section: regular fields only (RFC 9113 §8.1). */
export function checkTrailerFields(fields: readonly string[]): RequestFields {
  return checkRegularFields(fields, 0, undefined, noFields);
}

/** Which pseudo-header fields must be there, and how (RFC 9113 §8.3.1, §8.5). */
function findTargetFault(
  method: string | undefined,
  scheme: string | undefined,
  path: string | undefined,
  authority: string | undefined,
): string | undefined {
  if (method === undefined || method === "") return ":method is missing";
  if (method === "CONNECT") {
    if (scheme !== undefined || path !== undefined) return "CONNECT has :scheme or :path";
    return authority === undefined ? "CONNECT without :authority" : undefined;
  }
  if (scheme === undefined || scheme === "") return ":scheme is missing";
  if (path === undefined || path === "") return ":path is missing";
  if (path.charCodeAt(0) === slash || (path === "*" && method === "OPTIONS")) return undefined;
  return ":path does not begin with a slash";
}

function checkRegularFields(
  fields: readonly string[],
  first: number,
  authority: string | undefined,
  passed: readonly string[],
): RequestFields {
  let contentLength: string | undefined;
  for (let i = first; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    // What stood there may have been a pseudo-header field, which has no place here.
    const isKnown = name === passed[i] && name.charCodeAt(0) !== colon;
    if (!isKnown && !isName(name)) {
      return malformed(`field name ${JSON.stringify(name)} is not allowed here`);
    }
    if (value !== passed[i + 1] && !isValue(value)) {
      return malformed(`the value of ${name} has forbidden characters`);
    }
    switch (name) {
      case "content-length":
        if (!/^\d{1,15}$/.test(value) || (contentLength !== undefined && contentLength !== value)) {
          return malformed("content-length is not one number");
        }
        contentLength = value;
        break;
      case "te":
        if (value.toLowerCase() !== "trailers") return malformed("te says something else than trailers");
        break;
      case "host":
        if (authority !== undefined && value.toLowerCase() !== authority.toLowerCase()) {
          return malformed("host and :authority differ");
        }
        break;
      default:
        if (!isKnown && connectionFields.has(name)) return malformed(`${name} describes a connection`);
    }
  }
  return contentLength === undefined
    ? validWithoutLength
    : { kind: "valid", contentLength: Number(contentLength) };
}

const noFields: readonly string[] = [];

const colon = 0x3a;
const slash = 0x2f;

const validWithoutLength: RequestFields = { kind: "valid", contentLength: undefined };

function malformed(detail: string): RequestFields {
  return { kind: "malformed", detail };
}

/** A token in lower case (RFC 9113 §8.2.1, RFC 9110 §5.6.2). A colon makes a pseudo-header field, never a regular one. */
function isName(name: string): boolean {
  if (name.length === 0) return false;
  for (let i = 0; i < name.length; i++) if (nameCharacters[name.charCodeAt(i)] !== 1) return false;
  return true;
}

/** No NUL, CR or LF, and no space or tab at either end (RFC 9113 §8.2.1). */
function isValue(value: string): boolean {
  const length = value.length;
  if (length === 0) return true;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(length - 1))) return false;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code <= 13 && (code === 0 || code === 10 || code === 13)) return false;
  }
  return true;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** 1 for every character of a lower-case token. */
const nameCharacters = Uint8Array.from({ length: 256 }, (_, code) =>
  /[!#$%&'*+\-.^_`|~0-9a-z]/.test(String.fromCharCode(code)) ? 1 : 0,
);
