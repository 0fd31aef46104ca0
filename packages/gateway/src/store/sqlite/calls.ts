import type { Store } from "../store.ts";
import { RequestKeyTakenError, StoreFailedError, StoreFullError } from "../store-errors.ts";

/** The methods of the store that change something: they are committed and fsynced before they are answered. */
export const writing = [
  "add",
  "settle",
  "claim",
  "release",
  "heartbeat",
  "clockWentBack",
  "purge",
  "pauseApp",
  "resumeApp",
  "appendEvents",
  "purgeEvents",
  "restore",
  "purgeVerdicts",
  "purgeEnvironments",
  "passVerdicts",
  "markFeedbackRead",
  "addWebhook",
  "changeWebhook",
  "deleteWebhook",
  "purgeRequestKeys",
  "cancel",
] as const;

/** Those and the methods that only look. */
export type CallName =
  | (typeof writing)[number]
  | "summarize"
  | "find"
  | "findOwnId"
  | "findRequestKey"
  | "listBatches"
  | "pausedApps"
  | "readEvents"
  | "seekEvent"
  | "listVerdicts"
  | "verdictsOn"
  | "findGone"
  | "findEnvironments"
  | "feedbackReadUpTo"
  | "listWebhooks"
  | "listWebhookAttempts";

/** One call of a method of the store, as data. */
export type Call = {
  readonly [K in CallName]: { readonly name: K; readonly args: Parameters<Store[K]> };
}[CallName];

export type ResultOf<K extends CallName> = Awaited<ReturnType<Store[K]>>;

/** What became of one call. */
export type Answer =
  | { readonly kind: "done"; readonly result: unknown }
  /**
   * `full`: nothing was stored, later perhaps. `failed`: the store is at its end. `refused`: this call alone is at fault.
   * `key-taken`: a request key in it is not as it was thought to be.
   */
  | { readonly kind: "full" | "failed" | "refused" | "key-taken"; readonly detail: string };

/** The error that an answer other than `done` is, for whoever called. */
export function errorOf({ kind, detail }: Exclude<Answer, { kind: "done" }>): Error {
  switch (kind) {
    case "full":
      return new StoreFullError(`The disk is full (${detail}).`);
    case "failed":
      return new StoreFailedError(detail);
    case "key-taken":
      return new RequestKeyTakenError(detail);
    case "refused":
      return new Error(`The store refused this: ${detail}`);
  }
}
