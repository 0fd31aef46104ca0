import type { BinaryNotification } from "@carillon/apns/binary";
import type { PushRequest } from "../verdict/index.ts";

/** A frame as the HTTP/2 request that means the same, so that both are judged by the same rules (`apns-protocol` §7.9). */
export function asPushRequest(
  { deviceToken, payload, expirationSeconds, priority }: BinaryNotification & { readonly payload: Buffer },
  topic: string | undefined,
): PushRequest {
  const text = Buffer.from(deviceToken).toString("hex");
  return {
    method: "POST",
    path: `/3/device/${text}`,
    deviceToken: text,
    authorization: undefined,
    apnsId: undefined,
    expiration: expirationSeconds === undefined ? undefined : String(expirationSeconds),
    priority: priority === undefined ? undefined : String(priority),
    collapseId: undefined,
    pushType: tellPushType(payload, topic),
    topic,
    duplicate: undefined,
    payloadBytes: payload.length,
    payload,
  };
}

/** What stands in a frame, by the names of today's header fields where there are any. */
export function frameFields(
  command: number,
  { identifier, expirationSeconds, priority }: BinaryNotification,
): readonly string[] {
  const fields = ["binary-command", String(command)];
  if (identifier !== undefined) fields.push("binary-identifier", String(identifier));
  if (expirationSeconds !== undefined) fields.push("apns-expiration", String(expirationSeconds));
  if (priority !== undefined) fields.push("apns-priority", String(priority));
  return fields;
}

/** There was no push type: certificate and payload tell it. */
function tellPushType(payload: Buffer, topic: string | undefined): string {
  if (topic?.endsWith(".voip") === true) return "voip";
  const content = parse(payload);
  if (!isObject(content)) return "alert";
  if (content.mdm !== undefined) return "mdm";
  const aps = isObject(content.aps) ? content.aps : {};
  const isVisible = ["alert", "badge", "sound"].some((key) => aps[key] !== undefined);
  return aps["content-available"] === 1 && !isVisible ? "background" : "alert";
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined; // no JSON: the rules say what that means
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
