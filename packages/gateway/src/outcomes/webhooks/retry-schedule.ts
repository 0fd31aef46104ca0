import type { Random } from "@carillon/apns";
import type { CallResult } from "./receiver.ts";

/** How an endpoint stands. */
export type Standing =
  | { readonly kind: "well" }
  | {
      readonly kind: "failing";
      /** Since the first failure in a row, epoch milliseconds. */
      readonly sinceMs: number;
      /** Failures in a row. */
      readonly tries: number;
      readonly nextTryAtMs: number;
    }
  | { readonly kind: "disabled"; readonly cause: DisabledCause; readonly atMs: number };

/**
 * `gone`: it answered 410. `failing`: for days. `asked`: by the operator. `sealed`: the key that sealed its secret is not here;
 * shown, never stored.
 */
export type DisabledCause = "gone" | "failing" | "asked" | "sealed";

export interface RetrySchedule {
  /** Pauses after the first failures; the last one stands for all that follow. */
  readonly pausesMs: readonly number[];
  /** After so long the long pause stands for all that follow. */
  readonly patientAfterMs: number;
  readonly longPauseMs: number;
  /** Failing for so long disables, unless it was tried less than `leastTries` times. */
  readonly disableAfterMs: number;
  readonly leastTries: number;
  /** Retry-After is obeyed up to this. */
  readonly mostRetryAfterMs: number;
}

const minute = 60_000;
const hour = 60 * minute;

/**
 * Schedules for messages that are tried each on its own wait for hours after some failures. Here one page waits for all that is
 * behind it, so that trying often costs little, and a receiver that is back must be noticed soon: after an hour it has to have caught
 * up within five minutes.
 */
export const defaultSchedule: RetrySchedule = {
  pausesMs: [5_000, 15_000, 30_000],
  patientAfterMs: 12 * hour,
  longPauseMs: 10 * minute,
  disableAfterMs: 72 * hour,
  leastTries: 20,
  mostRetryAfterMs: hour,
};

export type Judgement =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly standing: Extract<Standing, { kind: "failing" }> }
  | { readonly kind: "disable"; readonly cause: "gone" | "failing" };

/** What follows from one call. Only 2xx is a delivery. */
export function judgeCall(
  standing: Standing,
  result: CallResult,
  at: { readonly schedule: RetrySchedule; readonly nowMs: number; readonly random: Random },
): Judgement {
  if (isDelivered(result)) return { kind: "delivered" };
  if (result.kind === "answered" && result.status === 410) return { kind: "disable", cause: "gone" };
  const { schedule, nowMs, random } = at;
  const sinceMs = standing.kind === "failing" ? standing.sinceMs : nowMs;
  const tries = (standing.kind === "failing" ? standing.tries : 0) + 1;
  const failingForMs = nowMs - sinceMs;
  if (failingForMs >= schedule.disableAfterMs && tries >= schedule.leastTries)
    return { kind: "disable", cause: "failing" };
  const asked = result.kind === "answered" ? result.retryAfterMs : undefined;
  const pauseMs =
    asked === undefined
      ? pauseAfter(tries, failingForMs, schedule) * (0.8 + 0.4 * random())
      : Math.min(Math.max(asked, 1_000), schedule.mostRetryAfterMs) * (1 + 0.1 * random());
  return {
    kind: "retry",
    standing: { kind: "failing", sinceMs, tries, nextTryAtMs: nowMs + Math.ceil(pauseMs) },
  };
}

export function isDelivered(result: CallResult): boolean {
  return result.kind === "answered" && result.status >= 200 && result.status < 300;
}

function pauseAfter(tries: number, failingForMs: number, schedule: RetrySchedule): number {
  if (failingForMs >= schedule.patientAfterMs) return schedule.longPauseMs;
  const { pausesMs } = schedule;
  return pausesMs[Math.min(tries, pausesMs.length) - 1] ?? schedule.longPauseMs;
}
