import type { ApnsPayload, LiveActivityEvent } from "../apns-payload.ts";
import { Draft, type PayloadData, withoutAbsent } from "./draft.ts";
import { liveActivityText, type PayloadText } from "./text.ts";

/** What every push to a Live Activity may have. */
interface Common {
  /** When this state was true; a Live Activity ignores what is older than what it has. Epoch seconds or a Date. @default now */
  readonly timestamp?: Date | number;
  /** From when on the state is out of date. Epoch seconds or a Date. */
  readonly staleDate?: Date | number;
  /** Which of the app's Live Activities comes first: the highest. Any number. */
  readonly relevanceScore?: number;
  /** The app's own values, which go beside `aps`. */
  readonly data?: PayloadData;
}

/** What lights up the screen with the push. The sound belongs to it. */
export interface LiveActivityAlert {
  readonly title: PayloadText;
  readonly body: PayloadText;
  /** `"default"`, or the name of a file in the app. */
  readonly sound?: string;
}

export interface LiveActivityStart extends Common {
  /** Name of the Swift type of the attributes. */
  readonly attributesType: string;
  /** The values of that type, as Swift's JSONDecoder reads them. */
  readonly attributes: object;
  /** The first state, as Swift's JSONDecoder reads it: dates are seconds since 2001 there unless the app says otherwise. */
  readonly contentState: object;
  readonly alert: LiveActivityAlert;
  /** The new Live Activity gets an update token of its own (iOS 18). Not together with `inputPushChannel`. */
  readonly inputPushToken?: true;
  /** Id of a broadcast channel that the new Live Activity listens to, base64 (iOS 18). */
  readonly inputPushChannel?: string;
}

export interface LiveActivityUpdate extends Common {
  /** The new state, as Swift's JSONDecoder reads it. */
  readonly contentState: object;
  readonly alert?: LiveActivityAlert;
}

export interface LiveActivityEnd extends Common {
  /** The last state, shown until it leaves the screen. */
  readonly contentState?: object;
  readonly alert?: LiveActivityAlert;
  /** When it leaves the screen: in the past at once, else within 4 hours. Epoch seconds or a Date. @default up to 4 hours */
  readonly dismissalDate?: Date | number;
}

type Options = Partial<LiveActivityStart & LiveActivityUpdate & LiveActivityEnd>;

/** Known for every event: Apple's rules say which of them belongs to which, and what to do. */
const names = [
  ...["timestamp", "staleDate", "relevanceScore", "alert", "contentState", "data", "dismissalDate"],
  ...["attributesType", "attributes", "inputPushToken", "inputPushChannel"],
];

/**
 * The payload of a push to a Live Activity, by its event: `start` goes to a push-to-start token (iOS 17.2), `update` and `end` to
 * the activity's own token or to a broadcast channel.
 *
 * Source: Apple, "Starting and updating Live Activities with ActivityKit push notifications".
 *
 * Each throws ApnsError `bad-notification`, whose `problems` name the options and say what to do.
 */
export const liveActivityPayload = {
  /** Starts a Live Activity. */
  start: (options: LiveActivityStart): ApnsPayload => build("start", options),
  /** Changes its state. */
  update: (options: LiveActivityUpdate): ApnsPayload => build("update", options),
  /** Ends it. */
  end: (options: LiveActivityEnd = {}): ApnsPayload => build("end", options),
} as const;

function build(event: LiveActivityEvent, options: Options): ApnsPayload {
  const draft = new Draft(`liveActivityPayload.${event}`);
  draft.checkNames(options, names);
  return draft.finish(
    "liveactivity",
    {
      timestamp: draft.seconds("timestamp", options.timestamp ?? new Date()),
      event,
      "content-state": options.contentState,
      "attributes-type": options.attributesType,
      attributes: options.attributes,
      "input-push-token": options.inputPushToken === true ? 1 : options.inputPushToken,
      "input-push-channel": options.inputPushChannel,
      "stale-date": draft.seconds("staleDate", options.staleDate),
      "dismissal-date": draft.seconds("dismissalDate", options.dismissalDate),
      "relevance-score": options.relevanceScore,
      alert: readAlert(draft, options.alert),
    },
    options.data,
  );
}

function readAlert(draft: Draft, alert: LiveActivityAlert | undefined): unknown {
  if (alert === undefined) return undefined;
  if (typeof alert !== "object" || alert === null || alert.title === undefined || alert.body === undefined) {
    draft.refuse("alert", "must be an object with title and body");
    return undefined;
  }
  if (alert.sound !== undefined && typeof alert.sound !== "string")
    draft.refuse("alert", 'has a sound that is neither "default" nor the name of a file in the app');
  return withoutAbsent({
    title: liveActivityText(draft, "title", alert.title),
    body: liveActivityText(draft, "body", alert.body),
    sound: alert.sound,
  });
}
