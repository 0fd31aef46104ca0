import { type Outcome, rejectionReasons } from "@carillon/apns";
import type { DeliveryPolicy } from "./notification-draft.ts";

/** What is known of a notification when an outcome arrives. */
export interface Situation {
  /** Attempts so far, this one among them. */
  readonly attempts: number;
  /** Whether an earlier attempt may have been taken although no answer came, or none that is on disk. */
  readonly doubt: boolean;
  /** Since when it waits: when it was stored, or when it was due if that was later. Epoch milliseconds. */
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly delivery: DeliveryPolicy;
  /** As in the notification: epoch seconds, 0 or absent for none. */
  readonly expirationSeconds?: number;
  /**
   * `untried`: where this environment knows no such device token, the other one may. `refused`: that was asked before and
   * knows it not. Absent: this environment's word is final.
   */
  readonly otherEnvironment?: "untried" | "refused";
}

/** How long and how often a notification is tried again. */
export interface RetryBudget {
  /** The wait after the first attempt; it doubles with each. @default 2,000 */
  readonly firstDelayMs: number;
  /** The longest wait, except where Apple names a longer one. @default 900,000: Apple's 15 minutes */
  readonly longestDelayMs: number;
  /** The longest wait that Apple may name. @default 3,600,000 */
  readonly longestRetryAfterMs: number;
  /** Attempts in all. @default 100 */
  readonly maxAttempts: number;
  /** How long it is tried. @default 86,400,000: one day */
  readonly maxAgeMs: number;
}

export const defaultBudget: RetryBudget = {
  firstDelayMs: 2_000,
  longestDelayMs: 900_000,
  longestRetryAfterMs: 3_600_000,
  maxAttempts: 100,
  maxAgeMs: 86_400_000,
};

/** What an outcome means for the notification, or for the route it took. */
export type Verdict =
  | { readonly kind: "accepted" }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "expired" }
  /** It may have reached the device, or not, and nobody will find out. */
  | { readonly kind: "unknown"; readonly reason: string }
  | { readonly kind: "retry"; readonly atMs: number; readonly doubt: boolean }
  /** The same once more at once, in the other environment. */
  | { readonly kind: "elsewhere" }
  /** Not this notification's fault: it keeps its place and goes out when the route is well. */
  | { readonly kind: "hold"; readonly cause: HoldCause; readonly detail: string };

/** `refused`: the peer sends its work elsewhere, try at once. */
export type HoldCause = "refused" | "unreachable" | "credential";

/**
 * What becomes of a notification after an outcome. Pure.
 *
 * | outcome | verdict |
 * | --- | --- |
 * | accepted | accepted |
 * | unprocessed: provably not acted on | hold; costs nothing of the budget |
 * | 403 for the credential, or with an unknown word | hold: the queue is never burnt |
 * | rejected for pace or service, or 429 and 5xx with an unknown word | retry |
 * | BadDeviceToken, the other environment is untried | elsewhere |
 * | 403 since the key or certificate is not for this environment, the other one has refused | rejected: BadDeviceToken |
 * | rejected otherwise | rejected |
 * | indeterminate, at-least-once | retry, in doubt |
 * | indeterminate, at-most-once | unknown |
 *
 * A retry that would come after the expiration is `expired` now, and one beyond the budget ends with Apple's last word;
 * but where an attempt is in doubt both are `unknown`, for nothing is called failed that Apple may have taken.
 *
 * @param random from 0 to 1, exclusive; spreads the retries of many notifications.
 */
export function settle(outcome: Outcome, situation: Situation, budget: RetryBudget, random: number): Verdict {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "accepted" };
    case "unprocessed": {
      const cause = outcome.cause === "not-written" ? "unreachable" : "refused";
      return { kind: "hold", cause, detail: outcome.detail ?? outcome.cause };
    }
    case "rejected":
    case "unrecognized":
      return settleAnswer(outcome, situation, budget, random);
    case "indeterminate": {
      if (situation.delivery === "at-most-once") return { kind: "unknown", reason: outcome.cause };
      return tryAgain({ ...situation, doubt: true }, budget, random, outcome.cause, 0);
    }
  }
}

/** Whether Apple must not be given the notification any more. An expiration of 0 is an instruction to Apple, no time. */
export function isExpired(expirationSeconds: number | undefined, nowMs: number): boolean {
  return expirationSeconds !== undefined && expirationSeconds > 0 && nowMs >= expirationSeconds * 1_000;
}

/** The final word on a notification that must not be sent any more because its time is over. */
export function settleExpired(doubt: boolean): Verdict {
  return doubt
    ? { kind: "unknown", reason: "expired after an attempt without an answer" }
    : { kind: "expired" };
}

function settleAnswer(
  outcome: Extract<Outcome, { kind: "rejected" | "unrecognized" }>,
  situation: Situation,
  budget: RetryBudget,
  random: number,
): Verdict {
  const fault =
    outcome.kind === "rejected" ? rejectionReasons[outcome.reason].fault : faultOf(outcome.status);
  switch (fault) {
    case "credential":
      // With 400 it is about the topic this one names, and others may pass.
      if (outcome.status !== 403) return { kind: "rejected", reason: outcome.reason };
      // This one cannot be asked, so that the word of the first stands.
      if (situation.otherEnvironment === "refused" && isOnlyForOther(outcome))
        return { kind: "rejected", reason: badDeviceToken };
      return { kind: "hold", cause: holdCauseOf(outcome.reason), detail: outcome.reason };
    case "pace":
    case "service":
      return tryAgain(situation, budget, random, outcome.reason, outcome.retryAfterMs ?? 0);
    case "request":
    case "device-token":
      return mayTryElsewhere(outcome.reason, situation, budget)
        ? { kind: "elsewhere" }
        : { kind: "rejected", reason: outcome.reason };
  }
}

/** What an environment says of a device token that it does not know. */
export const badDeviceToken = "BadDeviceToken";

function mayTryElsewhere(
  reason: string,
  { otherEnvironment, attempts, expirationSeconds, nowMs }: Situation,
  { maxAttempts }: RetryBudget,
): boolean {
  const isAllowed = attempts < maxAttempts && !isExpired(expirationSeconds, nowMs);
  return reason === badDeviceToken && otherEnvironment === "untried" && isAllowed;
}

const ofOtherEnvironment: ReadonlySet<string> = new Set([
  "BadEnvironmentKeyIdInToken",
  "BadEnvironmentKeyInToken",
  "BadCertificateEnvironment",
]);

/** Whether the key or the certificate is good in the other environment alone. */
export function isOnlyForOther(outcome: Outcome): boolean {
  return "reason" in outcome && ofOtherEnvironment.has(outcome.reason);
}

/** An old provider token cures itself: the client signs a new one. */
function holdCauseOf(reason: string): HoldCause {
  return reason === "ExpiredProviderToken" ? "unreachable" : "credential";
}

function faultOf(status: number): "credential" | "service" | "request" {
  if (status === 403) return "credential";
  return status === 429 || status >= 500 ? "service" : "request";
}

function tryAgain(
  situation: Situation,
  budget: RetryBudget,
  random: number,
  reason: string,
  retryAfterMs: number,
): Verdict {
  const { attempts, doubt, sinceMs, nowMs } = situation;
  const doubled = budget.firstDelayMs * 2 ** Math.min(attempts - 1, 30);
  const delayMs = Math.min(doubled, budget.longestDelayMs) * (0.5 + random / 2);
  const askedMs = Math.min(Math.max(retryAfterMs, 0), budget.longestRetryAfterMs);
  const atMs = Math.ceil(nowMs + Math.max(delayMs, askedMs));
  if (isExpired(situation.expirationSeconds, atMs)) return settleExpired(doubt);
  if (attempts >= budget.maxAttempts || atMs - sinceMs > budget.maxAgeMs)
    return { kind: doubt ? "unknown" : "rejected", reason };
  return { kind: "retry", atMs, doubt };
}
