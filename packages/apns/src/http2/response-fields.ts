/** Fields that HTTP/2 forbids because they describe a connection (RFC 9113 §8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The status of a response's field section, 100 to 999; undefined where the section is malformed: no, several or
 * further pseudo-header fields, one behind a regular field, or a field that breaks RFC 9113 §8.2.
 */
export function readStatus(fields: readonly string[]): number | undefined {
  if (fields[0] !== ":status") return undefined;
  const status = parseStatus(fields[1]!);
  if (status === undefined || !areRegular(fields, 2)) return undefined;
  return status;
}

/** Whether a trailer section is well-formed: regular fields only (RFC 9113 §8.1). */
export function areTrailersValid(fields: readonly string[]): boolean {
  return areRegular(fields, 0);
}

/**
 * The value of `content-length`: a number, undefined where there is none, or "malformed" where it is not a decimal
 * number or comes twice with different values (RFC 9110 §8.6).
 */
export function readContentLength(fields: readonly string[]): number | "malformed" | undefined {
  let found: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== "content-length") continue;
    const value = fields[i + 1]!;
    if (!/^\d{1,15}$/.test(value) || (found !== undefined && found !== value)) return "malformed";
    found = value;
  }
  return found === undefined ? undefined : Number(found);
}

/**
 * Three digits, the first of which is 1 to 9 (RFC 9113 §8.3.2, RFC 9110 §15). 101 does not exist in HTTP/2 (RFC
 * 9113 §8.6).
 */
function parseStatus(text: string): number | undefined {
  if (text === "200") return 200;
  return /^[1-9]\d\d$/.test(text) && text !== "101" ? Number(text) : undefined;
}

/** Whether all fields from `first` on are regular and allowed (RFC 9113 §8.2). */
function areRegular(fields: readonly string[], first: number): boolean {
  for (let i = first; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (!isName(name) || !isValue(fields[i + 1]!) || connectionFields.has(name)) return false;
  }
  return true;
}

/**
 * A token in lower case (RFC 9113 §8.2.1, RFC 9110 §5.6.2). A colon makes a pseudo-header field, never a regular
 * one.
 */
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
