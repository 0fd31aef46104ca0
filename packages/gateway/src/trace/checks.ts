import type { NotificationContent } from "../delivery/index.ts";
import type { TraceCheck } from "./trace.ts";
import type { TraceFacts } from "./trace-facts.ts";
import { isoOf } from "./words.ts";

/** What is looked at in a payload. */
interface Aps {
  readonly alert?: unknown;
  readonly badge?: unknown;
  readonly sound?: unknown;
  readonly event?: unknown;
  readonly "interruption-level"?: unknown;
  readonly "filter-criteria"?: unknown;
  readonly "mutable-content"?: unknown;
}

/**
 * What may keep a notification from ringing although Apple has it, as far as this one's own headers and payload make it possible.
 * Source: Apple, "Sending notification requests to APNs", "Pushing background updates to your App", "Viewing the status of push
 * notifications using Metrics and APNs", and those of the push types.
 */
export function checksOf({ inspection, nowMs }: TraceFacts): readonly TraceCheck[] {
  const { record, content } = inspection;
  if (record.status !== "accepted" && record.status !== "unknown") return [];
  const environment = record.attempts.at(-1)?.environment ?? record.environment;
  const general = [environmentCheck(environment), removedCheck];
  if (content === undefined) return [deviceCheck, ...settingsChecks({}), ...general];
  const pushType = content.settings.pushType ?? "alert";
  return [
    ...expirationChecks(content, nowMs),
    ...pushTypeChecks(pushType, content),
    ...priorityChecks(content, pushType),
    ...collapseChecks(content),
    ...general,
  ];
}

const deviceCheck: TraceCheck = {
  about: "device",
  text: "Was the device on and connected? Apple keeps at most one notification for each app and device that it cannot reach, as a rule the newest: a later one may have taken its place.",
};

const removedCheck: TraceCheck = {
  about: "app",
  text: "Is the app still on the device, and is this the device token that it got last? Apple goes on accepting pushes for a while after an app was removed, on purpose; a new installation or a restored device has another token.",
};

function environmentCheck(environment: string): TraceCheck {
  const [here, there] =
    environment === "sandbox"
      ? ["an Xcode development build", "TestFlight or the App Store"]
      : ["TestFlight or the App Store", "Xcode"];
  return {
    about: "app",
    text: `It went to ${environment}, where ${here} gets its device token. A build from ${there} on the same device has another one.`,
  };
}

function expirationChecks({ settings }: NotificationContent, nowMs: number): TraceCheck[] {
  const seconds = settings.expirationSeconds;
  const about = "expiration";
  if (seconds === 0) {
    const text =
      "Its expiration is 0: Apple tried once. A device that it could not reach at that moment never gets it.";
    return [{ about, text }];
  }
  if (seconds === undefined) {
    const text =
      "It has no expiration: Apple keeps it by a rule of its own, up to 30 days, for a device that it cannot reach.";
    return [{ about, text }, deviceCheck];
  }
  const until = isoOf(seconds * 1_000);
  const text =
    seconds * 1_000 <= nowMs
      ? `Its time was over at ${until}: a device that Apple could not reach until then never gets it.`
      : `Apple tries until ${until}; it may still come.`;
  return [{ about, text }, deviceCheck];
}

function priorityChecks({ settings }: NotificationContent, pushType: string): TraceCheck[] {
  const about = "priority";
  // Background pushes may have no other.
  if (settings.priority === 5 && pushType !== "background")
    return [
      {
        about,
        text: "Its priority is 5: the device may group it with others, delay it or drop it to save power. 10 is for what must ring at once.",
      },
    ];
  if (settings.priority === 1)
    return [
      { about, text: "Its priority is 1: it never wakes the device. 10 is for what must ring at once." },
    ];
  return [];
}

function collapseChecks({ settings }: NotificationContent): TraceCheck[] {
  if (settings.collapseId === undefined) return [];
  const text = "It has a collapse id: a newer notification with the same one takes its place on the device.";
  return [{ about: "collapse-id", text }];
}

function pushTypeChecks(pushType: string, content: NotificationContent): TraceCheck[] {
  const aps = apsOf(content.payload);
  if (pushType === "alert" && content.settings.pushType === undefined && aps.alert === undefined)
    return [{ about: "push-type", text: otherTypes.wallet }];
  if (pushType === "alert") return [...contentChecks(aps), ...settingsChecks(aps)];
  if (pushType === "liveactivity") {
    const text = aps.event === "start" ? otherTypes.liveactivityStart : otherTypes.liveactivity;
    return [{ about: "push-type", text }];
  }
  const text = Object.hasOwn(otherTypes, pushType) ? otherTypes[pushType as OtherType] : undefined;
  return text === undefined ? [] : [{ about: "push-type", text }];
}

function contentChecks(aps: Aps): TraceCheck[] {
  const about = "payload";
  const shows = aps.alert !== undefined || aps.badge !== undefined;
  if (!shows && aps.sound === undefined)
    return [
      { about, text: "Its aps has no alert, no badge and no sound: there is nothing to show or to hear." },
    ];
  return aps.sound === undefined ? [{ about, text: "Its aps has no sound: there is nothing to hear." }] : [];
}

function settingsChecks(aps: Aps): TraceCheck[] {
  const about = "settings";
  const level = aps["interruption-level"];
  const checks: TraceCheck[] = [
    {
      about,
      text: "Are notifications of the app allowed in the device's settings, with sound? Was a Focus on that keeps them silent? Apple does not tell either.",
    },
  ];
  if (typeof level === "string" && level !== "active")
    checks.push({
      about: "payload",
      text: `Its interruption-level is ${level.slice(0, 20)}; without one it would be active.`,
    });
  if (aps["filter-criteria"] !== undefined)
    checks.push({
      about: "payload",
      text: "It has filter-criteria: a Focus filter of the app may hold it back.",
    });
  if (aps["mutable-content"] === 1)
    checks.push({
      about: "payload",
      text: "It has mutable-content: the app's service extension runs first and may change it. Does it work?",
    });
  return checks;
}

const otherTypes = {
  background:
    "A background push shows nothing and does not ring. The device lets two or three an hour through, keeps only the newest, and gives the app about 30 s; after the user has force-quit the app it gets none.",
  voip: "Each VoIP push must become a reported call; if the app reports none the system ends it, and later pushes do not come.",
  liveactivity:
    "The device ignores pushes to an activity that has ended, and those whose timestamp is older than that of the last. Priority 10 draws on an hourly budget; beyond it pushes are throttled.",
  liveactivityStart:
    "It starts a Live Activity with a push-to-start token: after the user has force-quit the app Apple accepts it, and nothing starts. Priority 10 draws on an hourly budget; beyond it pushes are throttled.",
  widgets: "How often widgets are updated is budgeted by the system; there is nothing to show or to hear.",
  controls: "Each control has a device token of its own; there is nothing to show or to hear.",
  fileprovider:
    "When there are too many of these the device throttles them; there is nothing to show or to hear.",
  pushtotalk: "Its device token lives only while the user is in a channel.",
  location: "It wakes the app's Location Push Service extension; there is nothing to show or to hear.",
  wallet:
    "It asks Wallet to fetch the pass anew; the text comes from the changed field's changeMessage in the pass.",
} as const;

type OtherType = keyof typeof otherTypes;

function apsOf(payload: Uint8Array): Aps {
  try {
    const { aps } = JSON.parse(Buffer.from(payload).toString()) as { aps?: unknown };
    return typeof aps === "object" && aps !== null ? aps : {};
  } catch {
    return {};
  }
}
