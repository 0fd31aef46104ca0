import type { PreparedNotification } from "./notification.ts";

/** What the paths of all pushes begin with; the device token follows. */
export const devicePath = "/3/device/";

/**
 * The header list of one request, [name, value, …] as the HTTP/2 engine takes it.
 * Source: Apple, "Sending notification requests to APNs", table of request headers.
 */
export function requestFields(
  notification: PreparedNotification,
  authority: string,
  authorization: string | undefined,
): string[] {
  const { topic, pushType, apnsId, expirationSeconds, priority, collapseId } = notification;
  const path = devicePath + notification.deviceToken;
  const fields =
    authorization === undefined || topic === undefined || pushType === undefined
      ? shortList(authority, path, authorization, topic, pushType, apnsId)
      : fullList(authority, path, authorization, topic, pushType, apnsId);
  if (expirationSeconds !== undefined) fields.push("apns-expiration", String(expirationSeconds));
  if (priority !== undefined) fields.push("apns-priority", String(priority));
  if (collapseId !== undefined) fields.push("apns-collapse-id", collapseId);
  return fields;
}

/** What nearly every request has, in one literal: a list that grows costs three times the memory (bench/client.ts). */
// biome-ignore format: name and value side by side
function fullList(
  authority: string, path: string, authorization: string, topic: string, pushType: string, apnsId: string,
): string[] {
  return [
    ":method", "POST", ":scheme", "https", ":authority", authority, ":path", path, "authorization", authorization,
    "apns-topic", topic, "apns-push-type", pushType, "apns-id", apnsId,
  ];
}

function shortList(
  authority: string,
  path: string,
  authorization: string | undefined,
  topic: string | undefined,
  pushType: string | undefined,
  apnsId: string,
): string[] {
  const fields = [":method", "POST", ":scheme", "https", ":authority", authority, ":path", path];
  if (authorization !== undefined) fields.push("authorization", authorization);
  if (topic !== undefined) fields.push("apns-topic", topic);
  if (pushType !== undefined) fields.push("apns-push-type", pushType);
  fields.push("apns-id", apnsId);
  return fields;
}
