export type Environment = "production" | "sandbox";
export type Lane = "urgent" | "normal" | "bulk";

/**
 * What to do when a notification was written and no answer came: send it again with the same `apns-id`, or never
 * again (its status is then `unknown`).
 */
export type DeliveryPolicy = "at-least-once" | "at-most-once";

/**
 * Whether the environment may turn out to be another one. `fixed`: it may not. `open`: where it knows no such device token
 * the other one is tried, once. `second`: this is that other one.
 */
export type EnvironmentChoice = "fixed" | "open" | "second";

/** A validated wish: one payload for one or more recipients. Nothing below the API checks it again. */
export interface NotificationDraft {
  /** Lower-case hex, an even number of digits, 1 to 100 bytes each; at least one. */
  readonly deviceTokens: readonly string[];
  /** The exact bytes that go to Apple. */
  readonly payload: Uint8Array;
  readonly topic: string;
  /** Absent for Wallet passes: they have none. */
  readonly pushType?: string;
  readonly priority?: 10 | 5 | 1;
  /** Epoch seconds. 0 tells Apple not to store it; absent sends no header. */
  readonly expirationSeconds?: number;
  readonly collapseId?: string;
  /** The caller's own id, a canonical lower-case UUID; only with one recipient. It goes to Apple instead of ours. */
  readonly apnsId?: string;
  /** The caller's own name for it, given back as it came. */
  readonly reference?: string;
  /** When the app last registered its device token, by its own word: epoch milliseconds, 0 or more. */
  readonly registeredAtMs?: number;
  /** Not before this moment, epoch milliseconds. */
  readonly dueAtMs?: number;
  readonly lane: Lane;
  readonly delivery: DeliveryPolicy;
  readonly environment: Environment;
  /** Of an app that resolves environments, where the sender named none. @default "fixed" */
  readonly environmentChoice?: "open";
}

export function otherEnvironment(environment: Environment): Environment {
  return environment === "production" ? "sandbox" : "production";
}

/** Where a draft may go. A device token that is gone in one environment never belonged to the other. */
export function possibleEnvironments({
  environment,
  environmentChoice,
}: Pick<NotificationDraft, "environment" | "environmentChoice">): readonly Environment[] {
  return environmentChoice === "open" ? [environment, otherEnvironment(environment)] : [environment];
}
