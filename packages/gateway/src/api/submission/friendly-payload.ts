import type { WrittenFriendly } from "../contract/notification.ts";

type WrittenAlert = Exclude<WrittenFriendly["alert"], string | undefined>;

/** Apple's names for the parts of an alert. Source: Apple, "Generating a remote notification", keys of the alert. */
const alertKeys = {
  title: "title",
  subtitle: "subtitle",
  body: "body",
  launchImage: "launch-image",
  titleLocKey: "title-loc-key",
  titleLocArgs: "title-loc-args",
  subtitleLocKey: "subtitle-loc-key",
  subtitleLocArgs: "subtitle-loc-args",
  locKey: "loc-key",
  locArgs: "loc-args",
} as const satisfies Record<keyof WrittenAlert, string>;

/** The payload that the friendly form means. The keys of `data` stand beside `aps`; one of that name is the caller's mistake. */
export function writePayload(friendly: WrittenFriendly): Record<string, unknown> {
  const { alert, badge, sound, category, threadId, interruptionLevel, relevanceScore } = friendly;
  const aps: Record<string, unknown> = {};
  if (alert !== undefined) aps.alert = typeof alert === "string" ? alert : writeAlert(alert);
  if (badge !== undefined) aps.badge = badge;
  if (sound !== undefined) aps.sound = typeof sound === "string" ? sound : writeSound(sound);
  if (category !== undefined) aps.category = category;
  if (threadId !== undefined) aps["thread-id"] = threadId;
  if (friendly.contentAvailable) aps["content-available"] = 1;
  if (friendly.mutableContent) aps["mutable-content"] = 1;
  if (interruptionLevel !== undefined) aps["interruption-level"] = interruptionLevel;
  if (relevanceScore !== undefined) aps["relevance-score"] = relevanceScore;
  return { aps, ...friendly.data };
}

function writeAlert(alert: WrittenAlert): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(alert).map(([key, value]) => [alertKeys[key as keyof WrittenAlert], value]),
  );
}

/** A sound that is nothing but its name is written as Apple writes it, as a string. */
function writeSound({
  name,
  critical,
  volume,
}: Exclude<WrittenFriendly["sound"], string | undefined>): string | Record<string, unknown> {
  if (!critical && volume === undefined) return name;
  return { name, critical: critical ? 1 : 0, ...(volume === undefined ? {} : { volume }) };
}
