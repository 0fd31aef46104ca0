/**
 * A payload in Apple's own form: `aps` for the system, everything beside it for the app. Write one by hand, or let one of the
 * builders (`alertPayload`, `liveActivityPayload`, …) make it.
 *
 * Source: Apple, "Generating a remote notification", tables of payload keys.
 */
export interface ApnsPayload {
  readonly aps?: Aps;
  readonly [key: string]: unknown;
}

/** The keys that the system reads. Others may stand here and are ignored: an app's own data goes beside `aps`. */
export interface Aps {
  /** A string is the body. */
  readonly alert?: string | ApsAlert;
  /** The number on the app's icon, 0 or more; 0 takes it away. */
  readonly badge?: number;
  /** `"default"`, or a file in the app; a dictionary is a critical alert. */
  readonly sound?: string | ApsSound;
  /** Groups notifications. */
  readonly "thread-id"?: string;
  /** The identifier of a set of actions. */
  readonly category?: string;
  /** Wakes the app in the background. */
  readonly "content-available"?: 0 | 1;
  /** Runs the notification service extension first. */
  readonly "mutable-content"?: 0 | 1;
  /** Which window comes forward. */
  readonly "target-content-id"?: string;
  /** @default "active" */
  readonly "interruption-level"?: InterruptionLevel;
  /** 0 to 1, order in the summary; any number for a Live Activity. */
  readonly "relevance-score"?: number;
  /** For Focus filters. */
  readonly "filter-criteria"?: string;
  /** When a Live Activity is out of date, epoch seconds. */
  readonly "stale-date"?: number;
  /** A Live Activity's new state. */
  readonly "content-state"?: object;
  /** Epoch seconds; a Live Activity ignores what is older than what it has. */
  readonly timestamp?: number;
  readonly event?: LiveActivityEvent;
  /** When an ended Live Activity leaves the screen, epoch seconds. */
  readonly "dismissal-date"?: number;
  /** Name of the Swift type. */
  readonly "attributes-type"?: string;
  readonly attributes?: object;
  /** A channel's id, base64: the new Live Activity listens to it. */
  readonly "input-push-channel"?: string;
  /** The new Live Activity asks for an update token of its own. */
  readonly "input-push-token"?: 1;
  /** Reloads widgets and controls. */
  readonly "content-changed"?: true;
  /** Safari's websites: what is put into the URL's placeholders. */
  readonly "url-args"?: readonly string[];
  readonly [key: string]: unknown;
}

export interface ApsAlert {
  /** In a Live Activity's alert also a dictionary of `loc-key` and `loc-args`. */
  readonly title?: string | ApsLocalized;
  readonly subtitle?: string;
  readonly body?: string | ApsLocalized;
  readonly "title-loc-key"?: string;
  readonly "title-loc-args"?: readonly string[];
  readonly "subtitle-loc-key"?: string;
  readonly "subtitle-loc-args"?: readonly string[];
  readonly "loc-key"?: string;
  readonly "loc-args"?: readonly string[];
  /** A file in the app's bundle. */
  readonly "launch-image"?: string;
  readonly [key: string]: unknown;
}

export interface ApsLocalized {
  readonly "loc-key": string;
  readonly "loc-args"?: readonly string[];
}

export interface ApsSound {
  /** 1 sounds through Focus and the mute switch; the app needs Apple's entitlement. */
  readonly critical?: 0 | 1;
  readonly name?: string;
  /** 0 (silent) to 1 (full). */
  readonly volume?: number;
}

export const interruptionLevels = ["passive", "active", "time-sensitive", "critical"] as const;

/** How much a notification may interrupt, since iOS 15. */
export type InterruptionLevel = (typeof interruptionLevels)[number];

export const liveActivityEvents = ["start", "update", "end"] as const;

export type LiveActivityEvent = (typeof liveActivityEvents)[number];
