import type { PreparedNotification } from "./notification.ts";

/**
 * The header list of one request, [name, value, …] as the HTTP/2 engine takes it.
 * Source: Apple, "Sending notification requests to APNs", table of request headers.
 */
export function requestFields(
  notification: PreparedNotification,
  authority: string,
  authorization: string | undefined,
): string[] {
  const { topic, pushType, expirationSeconds, priority, collapseId } = notification;
  const path = `/3/device/${notification.deviceToken}`;
  const fields = [":method", "POST", ":scheme", "https", ":authority", authority, ":path", path];
  if (authorization !== undefined) fields.push("authorization", authorization);
  if (topic !== undefined) fields.push("apns-topic", topic);
  if (pushType !== undefined) fields.push("apns-push-type", pushType);
  fields.push("apns-id", notification.apnsId);
  if (expirationSeconds !== undefined) fields.push("apns-expiration", String(expirationSeconds));
  if (priority !== undefined) fields.push("apns-priority", String(priority));
  if (collapseId !== undefined) fields.push("apns-collapse-id", collapseId);
  return fields;
}
