import type { AppPause } from "./app-gate.ts";
import type { Environment } from "./notification-draft.ts";

/** How one app is doing. */
export interface AppStatus {
  /** Since when and why nothing of it is sent; absent while it may send. */
  readonly pause?: AppPause;
  /** Notifications that are not final yet, those in flight among them. */
  readonly queued: number;
  /** Bytes of their batches. */
  readonly queuedBytes: number;
  /** Sent, and the outcome not on disk yet. */
  readonly inFlight: number;
  /** Its ways to Apple, as far as they were used since the start. */
  readonly routes: readonly RouteStatus[];
}

export interface RouteStatus {
  readonly environment: Environment;
  readonly inFlight: number;
  /** Of those in flight: not answered. */
  readonly unanswered: number;
  /** How many may be unanswered at the moment. */
  readonly maxUnanswered: number;
  /** `open`: well. `paused`: nothing leaves for a while. `probing`: one notification is out to see whether it is well again. */
  readonly breaker: "open" | "paused" | "probing";
  /** What it waits for, in a few words; absent while it is well. */
  readonly waitingFor?: string;
  /** Since when, epoch milliseconds. */
  readonly waitingSinceMs?: number;
  /** Nearly all device tokens are bad here: the environment or the topic is likely wrong. */
  readonly isEnvironmentSuspect: boolean;
}
