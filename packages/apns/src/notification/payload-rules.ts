import { interruptionLevels, liveActivityEvents } from "./apns-payload.ts";
import { explainEpochSeconds } from "./epoch-seconds.ts";

/** Told of each contradiction: the key by its path (`aps.badge`), and what is wrong with what to do. */
export type ReportPayload = (path: string, detail: string) => void;

/** What is wrong with one value, or undefined. */
type ValueRule = (value: unknown, pushType: string) => string | undefined;

const text: ValueRule = (value) => (typeof value === "string" ? undefined : "must be a string");
const dictionary: ValueRule = (value) => (isDictionary(value) ? undefined : "must be an object");
const flag: ValueRule = (value) => (value === 1 || value === 0 ? undefined : "must be the number 1");
const seconds: ValueRule = (value) => explainEpochSeconds(value);
const strings: ValueRule = (value) => (isAbsentOrStrings(value) ? undefined : "must be an array of strings");

/** Apple's keys inside `aps`, each with what its value must be. Only keys that are there are looked at. */
const apsRules: ReadonlyMap<string, ValueRule> = new Map<string, ValueRule>([
  ["alert", checkAlert],
  [
    "badge",
    (value) => (isCount(value) ? undefined : "must be a whole number, 0 or more; 0 takes the badge away"),
  ],
  ["sound", checkSound],
  ["thread-id", text],
  ["category", text],
  ["content-available", flag],
  ["mutable-content", flag],
  ["target-content-id", text],
  ["interruption-level", oneOf(interruptionLevels)],
  ["relevance-score", checkRelevance],
  ["filter-criteria", text],
  ["stale-date", seconds],
  ["content-state", dictionary],
  ["timestamp", seconds],
  ["event", checkEvent],
  ["dismissal-date", seconds],
  ["attributes-type", text],
  ["attributes", dictionary],
  ["input-push-channel", text],
  ["input-push-token", (value) => (value === 1 ? undefined : "must be the number 1")],
  ["content-changed", checkContentChanged],
  ["url-args", strings],
]);

const visibleKeys = ["alert", "badge", "sound"] as const;

type Aps = Readonly<Record<string, unknown>>;

/**
 * Holds a payload in Apple's form against Apple's rules for its push type. Keys that Apple does not know are left alone.
 *
 * Source: Apple, "Generating a remote notification" and "Starting and updating Live Activities with ActivityKit push
 * notifications".
 */
export function checkPayload(payload: object, pushType: string, report: ReportPayload): void {
  const { aps } = payload as { readonly aps?: unknown };
  if (aps !== undefined && !isDictionary(aps)) {
    report("aps", "must be an object");
    return;
  }
  for (const key in aps) {
    const value = aps[key];
    const detail = value === undefined ? undefined : apsRules.get(key)?.(value, pushType);
    if (detail !== undefined) report(`aps.${key}`, detail);
  }
  switch (pushType) {
    case "background":
      checkBackground(aps ?? {}, report);
      break;
    case "liveactivity":
      checkLiveActivity(aps ?? {}, report);
      break;
    case "controls":
    case "widgets":
      checkReload(aps ?? {}, pushType, report);
      break;
    case "mdm":
      if (typeof (payload as { readonly mdm?: unknown }).mdm !== "string" || Object.keys(payload).length > 1)
        report(
          "mdm",
          "must be the PushMagic of the device's TokenUpdate, and nothing else may stand beside it",
        );
      break;
    case "fileprovider":
      if (typeof (payload as Aps)["container-identifier"] !== "string")
        report("container-identifier", "must be the string that names the container, beside aps");
      break;
  }
}

/**
 * Whether a payload is an alert push at first sight, to whose push type it contradicts in nothing. False says nothing. What is true
 * here, `checkPayload` finds nothing wrong with (bench/prepare-notification.bench.ts).
 */
export function isPlainAlert(payload: unknown): payload is object {
  if (!isDictionary(payload)) return false;
  const { aps, mdm } = payload;
  if (mdm !== undefined || !isDictionary(aps)) return false;
  for (const key in aps) {
    const value = aps[key];
    switch (key) {
      case "alert":
        if (typeof value !== "string" && checkAlert(value) !== undefined) return false;
        break;
      case "badge":
        if (!isCount(value)) return false;
        break;
      case "sound":
      case "thread-id":
      case "category":
        if (typeof value !== "string") return false;
        break;
      case "mutable-content":
        if (value !== 1) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}

function checkBackground(aps: Aps, report: ReportPayload): void {
  const visible = visibleKeys.filter((key) => aps[key] !== undefined);
  for (const key of visible)
    report(`aps.${key}`, "has no place in a background push: remove it, or send an alert push");
  if (visible.length === 0 && aps["content-available"] !== 1)
    report("aps.content-available", "must be 1 in a background push, or the app is not woken");
}

function checkReload(aps: Aps, pushType: string, report: ReportPayload): void {
  for (const key of visibleKeys)
    if (aps[key] !== undefined) report(`aps.${key}`, `has no place in a push for ${pushType}: remove it`);
  if (aps["content-changed"] === undefined)
    report("aps.content-changed", `must be true in a push for ${pushType}`);
}

function checkLiveActivity(aps: Aps, report: ReportPayload): void {
  const { event } = aps;
  const need = (key: string, detail: string): void => {
    if (aps[key] === undefined) report(`aps.${key}`, detail);
  };
  const only = (owner: string, keys: readonly string[]): void => {
    if (event === owner) return;
    for (const key of keys)
      if (aps[key] !== undefined) report(`aps.${key}`, `belongs to the event "${owner}": remove it here`);
  };
  need("event", 'must be "start", "update" or "end"');
  need("timestamp", "must be the time of this state in epoch seconds; older ones than the last are ignored");
  only("start", ["attributes-type", "attributes", "input-push-channel", "input-push-token"]);
  only("end", ["dismissal-date"]);
  if (event === "start") {
    need("attributes-type", "must name the Swift type of the attributes");
    need("attributes", "must be there to start a Live Activity; {} where the type has none");
    need("alert", "must be there to start a Live Activity: the system shows it");
    if (aps["input-push-channel"] !== undefined && aps["input-push-token"] !== undefined)
      report("aps.input-push-token", "contradicts input-push-channel: updates come by token or by channel");
  }
  if (event === "start" || event === "update") need("content-state", "must be the new state, as an object");
}

function checkAlert(alert: unknown): string | undefined {
  if (typeof alert === "string") return undefined;
  if (!isDictionary(alert)) return "must be a string or an object such as {title, body}";
  const detail = "has loc-args, title-loc-args or subtitle-loc-args that are no array of strings";
  const areRight =
    isAbsentOrStrings(alert["loc-args"]) &&
    isAbsentOrStrings(alert["title-loc-args"]) &&
    isAbsentOrStrings(alert["subtitle-loc-args"]);
  return areRight ? undefined : detail;
}

function checkSound(sound: unknown): string | undefined {
  if (typeof sound === "string") return undefined;
  if (!isDictionary(sound)) return 'must be "default", a file\'s name, or an object {critical, name, volume}';
  const { critical, name, volume } = sound;
  if (critical !== undefined && flag(critical, "") !== undefined)
    return "has critical other than the number 1";
  if (name !== undefined && typeof name !== "string") return "has a name that is no string";
  if (volume !== undefined && !isShare(volume))
    return `has volume ${String(volume)}; 0 (silent) to 1 (full) is meant`;
  return undefined;
}

function checkRelevance(score: unknown, pushType: string): string | undefined {
  if (pushType === "liveactivity")
    return Number.isFinite(score) ? undefined : "must be a number; the highest comes first";
  return isShare(score) ? undefined : `must be a number from 0 to 1, not ${String(score)}`;
}

function checkEvent(event: unknown, pushType: string): string | undefined {
  return pushType === "liveactivity" ? oneOf(liveActivityEvents)(event, pushType) : undefined;
}

function checkContentChanged(value: unknown, pushType: string): string | undefined {
  if (value !== true) return "must be true";
  if (pushType !== "alert") return undefined;
  return 'belongs to pushes for controls and widgets: set pushType to "controls" or "widgets"';
}

function oneOf(words: readonly string[]): ValueRule {
  const listed = words.map((word) => `"${word}"`).join(", ");
  return (value) => (words.includes(value as string) ? undefined : `must be one of ${listed}`);
}

function isDictionary(value: unknown): value is Aps {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAbsentOrStrings(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isShare(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 1;
}
