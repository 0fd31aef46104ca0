import type { Attempt, NotificationRecord } from "../delivery/index.ts";
import type { EventType, Explanation } from "../outcomes/index.ts";

/** The way of one notification, as far as it is known, in the order of time. */
export interface Trace
  extends Pick<NotificationRecord, "id" | "app" | "environment" | "lane" | "status" | "reference"> {
  /** What Apple gets: the caller's own, or `id`. */
  readonly apnsId: string;
  /** Lower-case hex. Absent once it was dropped. No text of a trace names it. */
  readonly deviceToken?: string;
  /** How it stands and what follows from that, in a few sentences. */
  readonly summary: string;
  readonly steps: readonly TraceStep[];
  /** What Carillon cannot see and somebody may look at; only of what Apple has, or may have. */
  readonly checks: readonly TraceCheck[];
  /** What is missing here, and why. */
  readonly notes: readonly string[];
}

interface Step {
  /** ISO 8601; absent where it is not known. A step stands where it belongs all the same. */
  readonly at?: string;
  /** In plain words, without the time. */
  readonly text: string;
}

/** A reason in words. */
export interface ExplainedStep extends Step {
  readonly reason?: string;
  readonly explanation?: Explanation;
}

/** What a notification waits for, or waited for. `connection`: the way to Apple is not well. */
export type WaitCause = "pause" | "connection" | "rate" | "turn";

export type TraceStep =
  | (Step & { readonly kind: "stored" })
  | (Step & { readonly kind: "scheduled"; readonly until: string })
  | (ExplainedStep & { readonly kind: "waiting"; readonly waitsFor: WaitCause })
  /** It waited, and does no longer. */
  | (Step & { readonly kind: "waited"; readonly until: string })
  /** What the log says of its way to Apple while it waited. */
  | (ExplainedStep & { readonly kind: "route"; readonly cursor: string; readonly type: EventType })
  | (ExplainedStep & Omit<Attempt, "at" | "reason"> & { readonly kind: "attempt" })
  | (Step & { readonly kind: "retry" })
  | (ExplainedStep & { readonly kind: "ended"; readonly status: NotificationRecord["status"] })
  | (Step & { readonly kind: "event"; readonly cursor: string; readonly type: EventType })
  | (Step & {
      readonly kind: "verdict";
      readonly verdict: "gone" | "suspect" | "restored";
      readonly environment: string;
      readonly reason?: string;
      readonly since?: string;
      readonly cause?: string;
    })
  | (Step & {
      readonly kind: "webhook";
      readonly webhook: string;
      /** The event that it is about. */
      readonly cursor: string;
      readonly type: EventType;
      readonly delivery: "taken" | "made-later" | "due" | "failing" | "disabled";
      readonly nextTryAt?: string;
      readonly error?: string;
    });

/** Something to look at where Carillon cannot see. */
export interface TraceCheck {
  readonly about:
    | "device"
    | "settings"
    | "app"
    | "expiration"
    | "priority"
    | "collapse-id"
    | "push-type"
    | "payload";
  readonly text: string;
}
