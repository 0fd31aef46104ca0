import type { Notification } from "./notification.ts";
import { type PushType, pushTypeRule, pushTypes } from "./push-type.ts";

export interface Address {
  readonly topic: string | undefined;
  /** Undefined for Wallet passes: they have no push type. */
  readonly pushType: string | undefined;
}

const suffixes = (Object.keys(pushTypes) as PushType[])
  .map((pushType) => ({ pushType, suffix: pushTypes[pushType].topicSuffix }))
  .filter(({ suffix }) => suffix !== "");

/** Pass type identifiers begin so. Source: Apple, "Adding a Web Service to Update Passes". */
const passPrefix = "pass.";

/**
 * Topic and push type where the sender left them out. The push type is told by the topic's suffix, then by the payload's
 * content where it is known; the client's topic gets the push type's suffix, a notification's own topic is left as it is.
 */
export function deriveAddress(
  notification: Notification,
  content: object | undefined,
  defaultTopic: string | undefined,
): Address {
  const pushType = notification.pushType ?? tellPushType(notification, content, defaultTopic);
  if (notification.topic !== undefined || defaultTopic === undefined)
    return { topic: notification.topic, pushType };
  const suffix = pushType === undefined ? "" : (pushTypeRule(pushType)?.topicSuffix ?? "");
  const topic = defaultTopic.endsWith(suffix) ? defaultTopic : `${defaultTopic}${suffix}`;
  return { topic, pushType };
}

/** The bundle id in a topic: what is left without a push type's suffix. */
export function bundleIdOf(topic: string): string {
  const known = suffixes.find(({ suffix }) => topic.endsWith(suffix));
  return known === undefined ? topic : topic.slice(0, -known.suffix.length);
}

function tellPushType(
  { topic }: Notification,
  content: object | undefined,
  defaultTopic: string | undefined,
): string | undefined {
  const known = typeof topic === "string" ? suffixes.find(({ suffix }) => topic.endsWith(suffix)) : undefined;
  if (known !== undefined) return known.pushType;
  if (String(topic ?? defaultTopic).startsWith(passPrefix)) return undefined;
  if (content === undefined) return "alert";
  const { aps, mdm } = content as { readonly aps?: unknown; readonly mdm?: unknown };
  if (mdm !== undefined) return "mdm";
  if (typeof aps !== "object" || aps === null)
    return "container-identifier" in content ? "fileprovider" : "alert";
  const keys = aps as Readonly<Record<string, unknown>>;
  if (keys.event !== undefined && keys.timestamp !== undefined) return "liveactivity";
  if (keys["content-available"] !== 1) return "alert";
  return keys.alert === undefined && keys.badge === undefined && keys.sound === undefined
    ? "background"
    : "alert";
}
