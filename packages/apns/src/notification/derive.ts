import type { Notification } from "./notification.ts";
import { type PushType, pushTypeRule, pushTypes } from "./push-type.ts";

export interface Address {
  readonly topic: string | undefined;
  readonly pushType: string | undefined;
}

const suffixes = (Object.keys(pushTypes) as PushType[])
  .map((pushType) => ({ pushType, suffix: pushTypes[pushType].topicSuffix }))
  .filter(({ suffix }) => suffix !== "");

/**
 * Topic and push type where the sender left them out. The push type is told by the topic's suffix, then by the payload's
 * content; the client's topic gets the push type's suffix, a notification's own topic is left as it is.
 */
export function deriveAddress(notification: Notification, defaultTopic: string | undefined): Address {
  const pushType = notification.pushType ?? tellPushType(notification);
  if (notification.topic !== undefined || defaultTopic === undefined)
    return { topic: notification.topic, pushType };
  const suffix = pushTypeRule(pushType)?.topicSuffix ?? "";
  const topic = defaultTopic.endsWith(suffix) ? defaultTopic : `${defaultTopic}${suffix}`;
  return { topic, pushType };
}

function tellPushType(notification: Notification): string {
  const { topic, payload } = notification;
  const known = topic === undefined ? undefined : suffixes.find(({ suffix }) => topic.endsWith(suffix));
  if (known !== undefined) return known.pushType;
  if (typeof payload !== "object" || payload === null || payload instanceof Uint8Array) return "alert";
  if ("mdm" in payload) return "mdm";
  const { aps } = payload as { aps?: unknown };
  if (typeof aps !== "object" || aps === null || !("content-available" in aps)) return "alert";
  return "alert" in aps || "badge" in aps || "sound" in aps ? "alert" : "background";
}
