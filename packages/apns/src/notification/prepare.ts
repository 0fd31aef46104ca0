import { makeApnsId } from "./apns-id.ts";
import { type Address, bundleIdOf, deriveAddress } from "./derive.ts";
import { parseDeviceToken } from "./device-token.ts";
import { explainEpochSeconds, toEpochSeconds } from "./epoch-seconds.ts";
import type { Notification, NotificationProblem, PreparedNotification } from "./notification.ts";
import { checkSize, isWritable, writePayload } from "./payload-content.ts";
import { checkPayload } from "./payload-rules.ts";
import { type PushTypeRule, payloadLimitBytes, priorities, pushTypeRule } from "./push-type.ts";

export interface PrepareOptions {
  /** Topic for notifications that name none: the bundle id, without suffix. */
  readonly topic?: string | undefined;
  /** "strict" refuses what contradicts Apple's rules; "lenient" refuses only what cannot be sent at all. @default "strict" */
  readonly mode?: "strict" | "lenient" | undefined;
  /** What it will be sent with. Absent where nobody knows yet: then nothing is refused for its authentication. */
  readonly sender?: Sender | undefined;
  /**
   * What a payload in text or bytes says. With it the payload is held against Apple's rules as an object would be, and
   * tells the push type; the caller vouches that both are the same.
   */
  readonly content?: object | undefined;
}

/** How a notification will prove who sends it. */
export type Sender =
  | { readonly kind: "token" }
  /** The certificate's topics; none where it does not list them. */
  | { readonly kind: "certificate"; readonly topics: readonly string[] };

export type Prepared =
  | {
      readonly kind: "prepared";
      readonly notification: PreparedNotification;
      /** Something that is sent all the same and deserves a look, for the log. Few distinct texts. */
      readonly warning?: string;
    }
  | { readonly kind: "refused"; readonly problems: readonly NotificationProblem[] };

const mostCollapseIdBytes = 64;
const mostHeaderBytes = 1024;
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const printable = /^[\x21-\x7e]+$/;
/** Printable ASCII without a space at either end. */
const line = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Checks a notification and fills in what APNs needs. All problems are told, not the first one.
 *
 * Source: Apple, "Sending notification requests to APNs" and "Generating a remote notification".
 */
export function prepareNotification(notification: Notification, options: PrepareOptions = {}): Prepared {
  const problems: NotificationProblem[] = [];
  const refuse = (field: keyof Notification, detail: string, path?: string): void =>
    void problems.push(path === undefined ? { field, detail } : { field, detail, path });

  const deviceToken =
    typeof notification.deviceToken === "string" ? parseDeviceToken(notification.deviceToken) : undefined;
  if (deviceToken === undefined) {
    refuse(
      "deviceToken",
      "must be 8 to 200 hexadecimal digits, an even number; send the token's bytes as hex",
    );
  }
  const payload = writePayload(notification.payload, refuse);
  const content = isWritable(notification.payload) ? notification.payload : options.content;
  const { topic, pushType } = deriveAddress(notification, content, options.topic);
  const rule = pushType === undefined ? undefined : pushTypeRule(pushType);
  if (topic !== undefined && !isHeaderValue(topic)) {
    refuse(
      "topic",
      `must be 1 to ${mostHeaderBytes} printable ASCII characters without spaces, such as com.example.app`,
    );
  }
  if (pushType !== undefined && rule === undefined && !isHeaderValue(pushType)) {
    refuse("pushType", "must be one word of printable ASCII characters, such as alert or background");
  }
  if (payload !== undefined) checkSize(payload.bytes, payloadLimitBytes(pushType ?? ""), refuse);
  const priority = notification.priority ?? rule?.defaultPriority;
  if (priority !== undefined && !priorities.includes(priority))
    refuse("priority", "must be 10 (now), 5 (as power allows) or 1 (never wakes the device)");
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
  if (options.mode !== "lenient")
    checkAgainstApple(notification, content, { topic, pushType }, rule, options.sender, refuse);
  if (problems.length > 0 || deviceToken === undefined || payload === undefined)
    return { kind: "refused", problems };
  const prepared: PreparedNotification = {
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
  };
  if (rule !== undefined || pushType === undefined) return { kind: "prepared", notification: prepared };
  const warning = `push type ${pushType} is not one that Apple documents; it is sent as it is`;
  return { kind: "prepared", notification: prepared, warning };
}

type Refuse = (field: keyof Notification, detail: string, path?: string) => void;

/** Whether the text is a UUID in 8-4-4-4-12 form, either case, whatever its version bits. */
export function isUuid(text: unknown): text is string {
  return typeof text === "string" && uuid.test(text);
}

function isHeaderValue(text: unknown): boolean {
  return typeof text === "string" && text.length <= mostHeaderBytes && printable.test(text);
}

function readExpiration(expiration: Date | number | undefined, refuse: Refuse): number | undefined {
  if (expiration === undefined) return undefined;
  const seconds = toEpochSeconds(expiration);
  const detail = explainEpochSeconds(seconds);
  if (detail !== undefined) refuse("expiration", `${detail}; 0 means that APNs tries once`);
  return seconds;
}

function checkCollapseId(collapseId: string | undefined, refuse: Refuse): void {
  const detail = collapseId === undefined ? undefined : explainCollapseId(collapseId);
  if (detail !== undefined) refuse("collapseId", detail);
}

/** What is wrong with a value as a collapse id, or undefined. */
export function explainCollapseId(value: unknown): string | undefined {
  if (typeof value !== "string" || !line.test(value))
    return `must be 1 to ${mostCollapseIdBytes} printable ASCII characters`;
  if (value.length <= mostCollapseIdBytes) return undefined;
  return `is ${value.length} bytes; APNs takes ${mostCollapseIdBytes}: send a hash of it`;
}

/** What APNs would refuse, or a device would drop in silence. */
function checkAgainstApple(
  { priority }: Notification,
  content: object | undefined,
  address: Address,
  rule: PushTypeRule | undefined,
  sender: Sender | undefined,
  refuse: Refuse,
): void {
  const { topic, pushType } = address;
  if (rule !== undefined) {
    if (priority !== undefined && priorities.includes(priority) && !rule.priorities.includes(priority)) {
      const allowed = rule.priorities.join(" or ");
      refuse("priority", `must be ${allowed} for ${pushType} pushes; APNs refuses ${priority}`);
    }
    if (typeof topic === "string" && !topic.endsWith(rule.topicSuffix))
      refuse("topic", `must end in ${rule.topicSuffix} for ${pushType} pushes: ${topic}${rule.topicSuffix}`);
  }
  if (sender !== undefined) checkSender(sender, address, rule, refuse);
  if (pushType !== undefined && content !== undefined)
    checkPayload(content, pushType, (path, detail) => refuse("payload", `at ${path}: ${detail}`, path));
}

function checkSender(
  sender: Sender,
  { topic, pushType }: Address,
  rule: PushTypeRule | undefined,
  refuse: Refuse,
): void {
  if (rule !== undefined && rule.authentication !== "any" && rule.authentication !== sender.kind) {
    const needed =
      rule.authentication === "token" ? "a provider token (.p8 key)" : "the MDM push certificate";
    refuse(
      "pushType",
      `is ${pushType}, which APNs takes with ${needed} only: send it through a client that has one`,
    );
  }
  if (topic === undefined) {
    const isTold = sender.kind === "certificate" && sender.topics.length <= 1;
    if (!isTold) refuse("topic", "is missing: name the app's bundle id here or as the client's topic");
  } else if (sender.kind === "certificate" && typeof topic === "string" && !reaches(sender.topics, topic)) {
    const listed = sender.topics.join(", ");
    refuse("topic", `is ${topic}, which the certificate is not for; it lists ${listed}`);
  }
}

/** A certificate is for its app and for that app's topics with a suffix, whether it lists them or not. */
function reaches(topics: readonly string[], topic: string): boolean {
  return topics.length === 0 || topics.includes(topic) || topics.includes(bundleIdOf(topic));
}
