import type { ApnsPayload, InterruptionLevel } from "../apns-payload.ts";
import { Draft, type PayloadData, withoutAbsent } from "./draft.ts";
import { alertKeys, type PayloadText } from "./text.ts";

/** What a person sees or hears. At least one of the texts, `badge` or `sound`. */
export interface AlertPayloadOptions {
  readonly title?: PayloadText;
  readonly subtitle?: PayloadText;
  readonly body?: PayloadText;
  /** The number on the app's icon, 0 or more; 0 takes it away. */
  readonly badge?: number;
  /** `"default"`, or the name of a file in the app. An object is a critical alert. */
  readonly sound?: string | CriticalSound;
  /** Notifications of one thread are grouped. */
  readonly threadId?: string;
  /** The identifier of a set of actions that the app registered. */
  readonly category?: string;
  /** Image or storyboard in the app's bundle, shown while it starts. */
  readonly launchImage?: string;
  /** Wakes the app in the background as well. */
  readonly contentAvailable?: boolean;
  /** Lets the app's notification service extension change it first. */
  readonly mutableContent?: boolean;
  /** Which window comes forward. */
  readonly targetContentId?: string;
  /** `"time-sensitive"` and `"critical"` need Apple's entitlements. @default "active" (iOS 15) */
  readonly interruptionLevel?: InterruptionLevel;
  /** 0 to 1: the place in the notification summary; the highest is featured. */
  readonly relevanceScore?: number;
  /** What Focus filters compare (iOS 16). */
  readonly filterCriteria?: string;
  /** The app's own values, which go beside `aps`. */
  readonly data?: PayloadData;
}

/** A sound that is heard through Focus and the mute switch. The app needs Apple's entitlement for critical alerts. */
export interface CriticalSound {
  readonly critical: true;
  /** @default "default" */
  readonly name?: string;
  /** 0 (silent) to 1 (full). @default the device's own */
  readonly volume?: number;
}

const names = [
  ...["title", "subtitle", "body", "badge", "sound", "threadId", "category", "launchImage"],
  ...["contentAvailable", "mutableContent", "targetContentId", "interruptionLevel", "relevanceScore"],
  ...["filterCriteria", "data"],
];

/**
 * The payload of an alert: `{"aps": {"alert": …, "badge": …, "sound": …}, …data}`. A body alone is written as a string.
 *
 * Source: Apple, "Generating a remote notification", tables of keys for `aps`, `alert` and `sound`.
 *
 * @throws ApnsError `bad-notification`, whose `problems` name the options and say what to do
 */
export function alertPayload(options: AlertPayloadOptions): ApnsPayload {
  const draft = new Draft("alertPayload");
  draft.checkNames(options, names);
  const alert = withoutAbsent({
    ...alertKeys(draft, "title", options.title),
    ...alertKeys(draft, "subtitle", options.subtitle),
    ...alertKeys(draft, "body", options.body),
    "launch-image": options.launchImage,
  });
  const alertNames = Object.keys(alert);
  const isBodyAlone = alertNames.length === 1 && typeof alert.body === "string";
  if (alertNames.length === 0 && options.badge === undefined && options.sound === undefined)
    draft.refuse(
      "body",
      "is missing, and so are title, badge and sound: a push to wake the app is backgroundPayload",
    );
  return draft.finish(
    "alert",
    {
      alert: isBodyAlone ? alert.body : alertNames.length === 0 ? undefined : alert,
      badge: options.badge,
      sound: readSound(draft, options.sound),
      "thread-id": options.threadId,
      category: options.category,
      "content-available": readSwitch(draft, "contentAvailable", options.contentAvailable),
      "mutable-content": readSwitch(draft, "mutableContent", options.mutableContent),
      "target-content-id": options.targetContentId,
      "interruption-level": options.interruptionLevel,
      "relevance-score": options.relevanceScore,
      "filter-criteria": options.filterCriteria,
    },
    options.data,
  );
}

function readSound(draft: Draft, sound: string | CriticalSound | undefined): unknown {
  if (typeof sound !== "object" || sound === null) return sound;
  const { critical, name = "default", volume } = sound;
  if (critical !== true)
    draft.refuse("sound", "must be a file's name, or {critical: true, name, volume} to sound always");
  return withoutAbsent({ critical: 1, name, volume });
}

function readSwitch(draft: Draft, name: string, value: boolean | undefined): 1 | undefined {
  if (value !== undefined && typeof value !== "boolean") draft.refuse(name, "must be true or false");
  return value ? 1 : undefined;
}
