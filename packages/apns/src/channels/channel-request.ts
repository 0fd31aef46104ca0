import type { Delivery, Priority } from "../notification/index.ts";
import type { Outcome } from "../response/index.ts";

/** One request about channels, checked, on its way to APNs. */
export interface ChannelRequest {
  readonly method: "POST" | "GET" | "DELETE";
  readonly path: string;
  readonly channelId: string | undefined;
  readonly requestId: string;
  readonly priority: Priority | undefined;
  readonly expirationSeconds: number | undefined;
  readonly pushType: string | undefined;
  /** Empty for requests without a body. */
  readonly payload: string | Uint8Array;
  readonly payloadBytes: number;
  readonly delivery: Delivery;
}

/** An answer as it came, and what it means for the request. */
export interface Carried {
  readonly outcome: Outcome;
  /** The last answer; undefined where none came. */
  readonly answer: { readonly fields: readonly string[]; readonly body: Uint8Array } | undefined;
}

/** The way to APNs, with its tries again. Never rejects for answers or for the network. */
export type Carry = (request: ChannelRequest, signal: AbortSignal | undefined) => Promise<Carried>;

/**
 * The header list of a request about channels, [name, value, …] as the HTTP/2 engine takes it.
 * Source: Apple, "Sending channel management requests to APNs" and "Sending broadcast push notification requests to APNs".
 */
export function channelFields(
  request: ChannelRequest,
  authority: string,
  authorization: string | undefined,
): string[] {
  const { method, path, channelId, requestId, priority, expirationSeconds, pushType } = request;
  const fields = [":method", method, ":scheme", "https", ":authority", authority, ":path", path];
  if (authorization !== undefined) fields.push("authorization", authorization);
  if (channelId !== undefined) fields.push("apns-channel-id", channelId);
  fields.push("apns-request-id", requestId);
  if (pushType !== undefined) fields.push("apns-push-type", pushType);
  if (expirationSeconds !== undefined) fields.push("apns-expiration", String(expirationSeconds));
  if (priority !== undefined) fields.push("apns-priority", String(priority));
  return fields;
}
