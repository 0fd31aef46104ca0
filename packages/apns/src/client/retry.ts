import type { Answer } from "../response/index.ts";
import type { RetryOptions } from "./options.ts";

/** Reasons for which the same request may succeed later. Source: Apple, "Handling notification responses from APNs". */
const passing: ReadonlySet<string> = new Set([
  "TooManyRequests",
  "TooManyProviderTokenUpdates",
  "InternalServerError",
  "ServiceUnavailable",
  "Shutdown",
  "IdleTimeout",
]);

/** Whether an answer asks for another try; of a reason that nobody knows the status decides. */
export function isPassing(answer: Answer): boolean {
  if (answer.kind === "rejected") return passing.has(answer.reason);
  return answer.kind === "unrecognized" && (answer.status === 429 || answer.status >= 500);
}

/** Whether an answer is about the connection that it came over: 500, seen to go on until a new one is made, and Shutdown. */
export function retiresConnection(answer: Answer): boolean {
  if (answer.kind === "accepted") return false;
  return answer.status === 500 || answer.reason === "Shutdown";
}

/** Exponential, with jitter between half and the whole; `tries` counts from 1. */
export function backoffMs(
  tries: number,
  retry: Required<Omit<RetryOptions, "attempts">>,
  random: () => number,
): number {
  const whole = Math.min(retry.maxDelayMs, retry.baseDelayMs * 2 ** Math.min(tries - 1, 30));
  return whole / 2 + (random() * whole) / 2;
}
