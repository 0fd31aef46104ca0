import type { RejectionReason } from "./rejection-reason.ts";

/** A connection, in the words of the client's events and snapshot. */
export interface ConnectionName {
  /** Counts the connections of one client, from 1. */
  readonly number: number;
  readonly remoteAddress?: string;
}

interface Attempted {
  /** The id under which it was sent, on every attempt. A UUID; compare without regard to case. */
  readonly apnsId: string;
  /** How often it was sent or its sending was begun; 0 when it never was. */
  readonly attempts: number;
  /** Which one the last try went over. Absent when there was none, and for everything that was accepted. */
  readonly connection?: ConnectionName;
}

/** What became of one notification. */
export type Outcome = Accepted | Rejected | Unrecognized | Unprocessed | Indeterminate;

/** APNs took it. Whether it rings is between Apple and the device. */
export interface Accepted extends Attempted {
  readonly kind: "accepted";
  /** In the sandbox: the key for the delivery log of Apple's Push Notifications Console. */
  readonly uniqueId?: string;
}

/** APNs refused it with a reason that it documents. */
export interface Rejected extends Attempted {
  readonly kind: "rejected";
  readonly status: number;
  readonly reason: RejectionReason;
  /** With 410: since when the device token is known to be dead, in epoch milliseconds. */
  readonly goneSinceMs?: number;
  /** How long APNs asked to wait, in milliseconds, at most 24 hours. */
  readonly retryAfterMs?: number;
  /** What else is known of the cause, for people: a clock that is off. */
  readonly detail?: string;
}

/** APNs refused it in words that are newer than this package's table; classify by the status. */
export interface Unrecognized extends Attempted {
  readonly kind: "unrecognized";
  readonly status: number;
  /** The reason, or the start of a body that is no APNs answer. At most 200 characters; empty when there was none. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Provably not acted upon (RFC 9113, section 8.7): sending it again cannot duplicate. */
export interface Unprocessed extends Attempted {
  readonly kind: "unprocessed";
  readonly cause: "goaway" | "refused-stream" | "not-written";
  /** What stood in the way, for people. */
  readonly detail?: string;
}

/** Written, then silence. Sending it again may duplicate. */
export interface Indeterminate extends Attempted {
  readonly kind: "indeterminate";
  readonly cause: "socket-closed" | "reset" | "timeout" | "protocol";
  readonly detail?: string;
}
