import type { EventType } from "../event.ts";
import { isLocked, type WebhookProgress, type WebhookSecret, type WebhookSettings } from "./webhook.ts";

export interface NewWebhook {
  readonly url: string;
  readonly app?: string;
  readonly types?: readonly EventType[];
  readonly description?: string;
  /** Begin behind this event. @default what happens from now on */
  readonly after?: string;
}

/** What is absent stays; null takes away. */
export interface WebhookUpdate {
  readonly url?: string;
  readonly app?: string | null;
  readonly types?: readonly EventType[] | null;
  readonly description?: string | null;
  /** False stops deliveries; true goes on where they stopped, also after a 410. */
  readonly enabled?: boolean;
}

/** What is stored about one endpoint. */
export interface WebhookState {
  readonly settings: WebhookSettings;
  readonly progress: WebhookProgress;
}

/** With what its operator changes. */
export function updated(
  { settings, progress }: WebhookState,
  { enabled, ...changes }: WebhookUpdate,
  nowMs: number,
): WebhookState {
  const changed = Object.fromEntries(
    Object.entries({ ...settings, ...changes }).filter(([, value]) => value !== null && value !== undefined),
  ) as unknown as WebhookSettings;
  const isSameFilter =
    changed.app === settings.app && JSON.stringify(changed.types) === JSON.stringify(settings.types);
  const kept = isSameFilter ? progress : withoutInHand(progress);
  return {
    settings: changed,
    progress: { ...kept, standing: standingAfter(progress.standing, enabled, nowMs) },
  };
}

/** With a new secret. The present one signs beside it for `overlapMs`; one before that ends at once. */
export function rotated(
  { settings, progress }: WebhookState,
  secret: string,
  overlapMs: number,
  nowMs: number,
): WebhookState {
  const present = isLocked(settings) ? [] : settings.secrets.filter(({ untilMs }) => untilMs === undefined);
  const former = overlapMs === 0 ? [] : present.map((each) => ({ ...each, untilMs: nowMs + overlapMs }));
  const secrets: WebhookSecret[] = [{ secret }, ...former];
  return { settings: { ...settings, secrets }, progress };
}

/** Begun anew behind this event. */
export function replayed({ settings, progress }: WebhookState, cursor: string, nowMs: number): WebhookState {
  return {
    settings,
    progress: {
      ...withoutInHand(progress),
      cursor,
      replays: progress.replays + 1,
      standing: standingAfter(progress.standing, undefined, nowMs),
    },
  };
}

function standingAfter(
  standing: WebhookProgress["standing"],
  enabled: boolean | undefined,
  nowMs: number,
): WebhookProgress["standing"] {
  if (enabled === false) return { kind: "disabled", cause: "asked", atMs: nowMs };
  // Whoever changes something wants to see whether it helped.
  return standing.kind === "disabled" && enabled === undefined ? standing : { kind: "well" };
}

function withoutInHand({ inHand: _, ...rest }: WebhookProgress): WebhookProgress {
  return rest;
}
