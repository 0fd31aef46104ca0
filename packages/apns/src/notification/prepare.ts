import { makeApnsId } from "./apns-id.ts";
import { deriveAddress } from "./derive.ts";
import { parseDeviceToken } from "./device-token.ts";
import type { Notification, NotificationProblem, PreparedNotification } from "./notification.ts";
import { type Priority, payloadLimitBytes, priorities, pushTypeRule } from "./push-type.ts";

export interface PrepareOptions {
  /** Topic for notifications that name none: the bundle id, without suffix. */
  readonly topic?: string | undefined;
  /** "strict" refuses what contradicts Apple's rules; "lenient" refuses only what cannot be sent at all. @default "strict" */
  readonly mode?: "strict" | "lenient" | undefined;
}

export type Prepared =
  | { readonly kind: "prepared"; readonly notification: PreparedNotification }
  | { readonly kind: "refused"; readonly problems: readonly NotificationProblem[] };

const mostCollapseIdBytes = 64;
const mostHeaderBytes = 1024;
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const printable = /^[\x21-\x7e]+$/;
/** Seconds beyond this are milliseconds by mistake: the year 5138. */
const latestSeconds = 100_000_000_000;

/**
 * Checks a notification and fills in what APNs needs. All problems are told, not the first one.
 *
 * Source: Apple, "Sending notification requests to APNs" and "Generating a remote notification".
 */
export function prepareNotification(notification: Notification, options: PrepareOptions = {}): Prepared {
  const problems: NotificationProblem[] = [];
  const refuse = (field: keyof Notification, detail: string): void => void problems.push({ field, detail });
  const strict = options.mode !== "lenient";

  const deviceToken =
    typeof notification.deviceToken === "string" ? parseDeviceToken(notification.deviceToken) : undefined;
  if (deviceToken === undefined) {
    refuse(
      "deviceToken",
      "must be 8 to 200 hexadecimal digits, an even number; send the token's bytes as hex",
    );
  }
  const payload = readPayload(notification.payload, refuse);
  const address = deriveAddress(notification, options.topic);
  const { topic, pushType } = address;
  if (topic !== undefined && !isHeaderValue(topic)) {
    refuse(
      "topic",
      `must be 1 to ${mostHeaderBytes} printable ASCII characters without spaces, such as com.example.app`,
    );
  }
  if (pushType !== undefined && !isHeaderValue(pushType)) {
    refuse("pushType", "must be one word of printable ASCII characters, such as alert or background");
  }
  const limit = payloadLimitBytes(pushType ?? "");
  if (payload !== undefined && payload.bytes > limit) {
    refuse(
      "payload",
      `is ${payload.bytes} bytes; APNs takes ${limit}: shorten it, or let the app fetch the rest`,
    );
  }
  if (payload?.bytes === 0) refuse("payload", "is empty; the smallest payload is {}");
  const priority = readPriority(notification.priority, pushType, strict, refuse);
  if (strict && pushType !== undefined) checkAgainstPushType(notification, topic, pushType, refuse);
  const expirationSeconds = readExpiration(notification.expiration, refuse);
  checkCollapseId(notification.collapseId, refuse);
  if (notification.apnsId !== undefined && !isUuid(notification.apnsId)) {
    refuse(
      "apnsId",
      "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000; leave it out to get a new one",
    );
  }
  const { delivery } = notification;
  if (delivery !== undefined && delivery !== "at-least-once" && delivery !== "at-most-once") {
    refuse("delivery", 'must be "at-least-once" or "at-most-once"');
  }
  if (problems.length > 0 || deviceToken === undefined || payload === undefined)
    return { kind: "refused", problems };
  return {
    kind: "prepared",
    notification: {
      deviceToken,
      payload: payload.content,
      payloadBytes: payload.bytes,
      topic,
      pushType,
      priority,
      expirationSeconds,
      collapseId: notification.collapseId,
      apnsId: notification.apnsId ?? makeApnsId(),
      delivery: delivery ?? "at-least-once",
    },
  };
}

type Refuse = (field: keyof Notification, detail: string) => void;

/** Whether the text is a UUID in 8-4-4-4-12 form, either case, whatever its version bits. */
export function isUuid(text: unknown): text is string {
  return typeof text === "string" && uuid.test(text);
}

function isHeaderValue(text: unknown): boolean {
  return typeof text === "string" && text.length <= mostHeaderBytes && printable.test(text);
}

function readPayload(
  payload: Notification["payload"],
  refuse: Refuse,
): { content: string | Uint8Array; bytes: number } | undefined {
  if (payload instanceof Uint8Array) return { content: payload, bytes: payload.length };
  if (typeof payload === "string") return { content: payload, bytes: Buffer.byteLength(payload) };
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    refuse("payload", 'must be an object such as {"aps": {"alert": "Hello"}}, a string of JSON, or bytes');
    return undefined;
  }
  try {
    const content = JSON.stringify(payload);
    if (typeof content === "string") return { content, bytes: Buffer.byteLength(content) };
    refuse("payload", "has a toJSON that gives nothing; hand over an object that can be written as JSON");
  } catch (error) {
    refuse("payload", `cannot be written as JSON (${(error as Error).message}); hand over plain data`);
  }
  return undefined;
}

function readPriority(
  priority: Priority | undefined,
  pushType: string | undefined,
  strict: boolean,
  refuse: Refuse,
): Priority | undefined {
  const rule = pushType === undefined ? undefined : pushTypeRule(pushType);
  if (priority === undefined) return rule?.defaultPriority;
  if (!priorities.includes(priority)) {
    refuse("priority", "must be 10 (now), 5 (as power allows) or 1 (never wakes the device)");
  } else if (strict && rule !== undefined && !rule.priorities.includes(priority)) {
    refuse(
      "priority",
      `must be ${rule.priorities.join(" or ")} for ${pushType} pushes; APNs refuses ${priority}`,
    );
  }
  return priority;
}

function readExpiration(expiration: Date | number | undefined, refuse: Refuse): number | undefined {
  if (expiration === undefined) return undefined;
  const seconds = expiration instanceof Date ? Math.floor(expiration.getTime() / 1000) : expiration;
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    refuse("expiration", "must be a valid Date or whole seconds since 1970; 0 means that APNs tries once");
  } else if (seconds > latestSeconds) {
    refuse(
      "expiration",
      `is ${seconds} seconds, thousands of years ahead: APNs counts seconds, not milliseconds`,
    );
  }
  return seconds;
}

function checkCollapseId(collapseId: string | undefined, refuse: Refuse): void {
  if (collapseId === undefined) return;
  if (
    typeof collapseId !== "string" ||
    !/^[\x20-\x7e]+$/.test(collapseId) ||
    collapseId.trim() !== collapseId
  ) {
    refuse("collapseId", `must be 1 to ${mostCollapseIdBytes} printable ASCII characters`);
  } else if (collapseId.length > mostCollapseIdBytes) {
    refuse(
      "collapseId",
      `is ${collapseId.length} bytes; APNs takes ${mostCollapseIdBytes}: send a hash of it`,
    );
  }
}

function checkAgainstPushType(
  notification: Notification,
  topic: string | undefined,
  pushType: string,
  refuse: Refuse,
): void {
  const suffix = pushTypeRule(pushType)?.topicSuffix ?? "";
  if (topic !== undefined && !topic.endsWith(suffix)) {
    refuse("topic", `must end in ${suffix} for ${pushType} pushes: ${topic}${suffix}`);
  }
  if (pushType !== "background") return;
  const { payload } = notification;
  const aps =
    typeof payload === "object" && !(payload instanceof Uint8Array)
      ? (payload as { aps?: unknown }).aps
      : undefined;
  if (typeof aps !== "object" || aps === null) return;
  for (const key of ["alert", "badge", "sound"]) {
    if (key in aps)
      refuse("payload", `has aps.${key}, which a background push may not: remove it, or send an alert push`);
  }
}
