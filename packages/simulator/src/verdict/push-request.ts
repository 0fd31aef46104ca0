import type { ServerRequest } from "../http2/index.ts";

/** A request's header fields, sorted out and not judged. */
export interface PushRequest {
  readonly method: string;
  readonly path: string;
  /** What stands for the device token in the path, as sent: "" where it is missing. Undefined for any other path. */
  readonly deviceToken: string | undefined;
  readonly authorization: string | undefined;
  readonly apnsId: string | undefined;
  readonly expiration: string | undefined;
  readonly priority: string | undefined;
  readonly collapseId: string | undefined;
  readonly pushType: string | undefined;
  readonly topic: string | undefined;
  /** A field of these that came more than once. */
  readonly duplicate: string | undefined;
  /** Bytes of the payload that came, kept or not. */
  readonly payloadBytes: number;
  /** The same, cut where it was far too long. */
  readonly payload: Buffer;
}

/** Sorts the fields of a well-formed request. Of a field that came twice the first value counts. */
export function readPushRequest({ fields, body, bodyBytes }: ServerRequest): PushRequest {
  let method = "";
  let path = "";
  let authorization: string | undefined;
  let apnsId: string | undefined;
  let expiration: string | undefined;
  let priority: string | undefined;
  let collapseId: string | undefined;
  let pushType: string | undefined;
  let topic: string | undefined;
  let duplicate: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1]!;
    let known: string | undefined;
    switch (fields[i]) {
      case ":method":
        method = value;
        break;
      case ":path":
        path = value;
        break;
      case "authorization":
        known = authorization;
        authorization ??= value;
        break;
      case "apns-id":
        known = apnsId;
        apnsId ??= value;
        break;
      case "apns-expiration":
        known = expiration;
        expiration ??= value;
        break;
      case "apns-priority":
        known = priority;
        priority ??= value;
        break;
      case "apns-collapse-id":
        known = collapseId;
        collapseId ??= value;
        break;
      case "apns-push-type":
        known = pushType;
        pushType ??= value;
        break;
      case "apns-topic":
        known = topic;
        topic ??= value;
        break;
      default:
    }
    if (known !== undefined) duplicate = fields[i];
  }
  return {
    method,
    path,
    deviceToken: deviceTokenText(path),
    authorization,
    apnsId,
    expiration,
    priority,
    collapseId,
    pushType,
    topic,
    duplicate,
    payloadBytes: bodyBytes,
    payload: body,
  };
}

const devicePath = "/3/device/";

function deviceTokenText(path: string): string | undefined {
  if (path === "/3/device") return "";
  if (!path.startsWith(devicePath) || path.includes("/", devicePath.length)) return undefined;
  return path.slice(devicePath.length);
}
