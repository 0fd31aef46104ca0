import type { ConnectionName } from "@carillon/apns";
import type { Environment, Lane } from "./notification-draft.ts";

export type NotificationStatus =
  | "queued"
  | "scheduled"
  | "accepted"
  | "rejected"
  | "expired"
  | "unknown"
  | "cancelled";

/** One try to hand a notification to Apple. */
export interface Attempt {
  /** ISO 8601. */
  readonly at: string;
  /** The kind of the outcome: `accepted`, `rejected`, `unrecognized` or `indeterminate`. */
  readonly outcome: string;
  /** Where it went, if not to the environment of the notification. */
  readonly environment?: Environment;
  /** Apple's word, or what happened to the connection. */
  readonly reason?: string;
  readonly status?: number;
  /** ISO 8601: since when the device token is gone, as Apple says with 410. */
  readonly goneSince?: string;
  /** Which one it went over; absent where there was none, and for what was accepted. */
  readonly connection?: ConnectionName;
}

/** What is known of one notification. */
export interface NotificationRecord {
  readonly id: string;
  readonly app: string;
  readonly environment: Environment;
  readonly lane: Lane;
  readonly status: NotificationStatus;
  /** Why it is rejected, or what it waits for. */
  readonly reason?: string;
  readonly reference?: string;
  /** The caller's own id, when it brought one. */
  readonly apnsId?: string;
  /** ISO 8601: when it was stored. */
  readonly storedAt: string;
  /** ISO 8601: not before this moment; only while it is scheduled. */
  readonly sendAt?: string;
  readonly attempts: readonly Attempt[];
}

/** Whether nothing more will happen to a notification of this status. */
export function isFinal(status: NotificationStatus): boolean {
  return status !== "queued" && status !== "scheduled";
}
