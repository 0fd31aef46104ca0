import type { Inspection } from "../delivery/index.ts";
import type { FeedbackItem, OutcomeEvent, Receipt } from "../outcomes/index.ts";

/** How its app and its way to Apple are doing now. Times are epoch milliseconds. */
export interface WayFacts {
  readonly pause?: { readonly sinceMs: number; readonly reason?: string };
  /** What the way to Apple waits for, in a few words. */
  readonly waitingFor?: string;
  readonly waitingSinceMs?: number;
  /** Notifications a second. */
  readonly rateLimit?: number;
  /** Of the whole app. */
  readonly queued: number;
  readonly inFlight: number;
}

/** An event with what became of it at the webhooks that hear of it. */
export interface ToldEvent {
  readonly event: OutcomeEvent;
  readonly receipts: readonly Receipt[];
}

/** All that is known of one notification, before it is put into words. */
export interface TraceFacts {
  readonly nowMs: number;
  readonly inspection: Inspection;
  readonly way: WayFacts;
  /** What happened to its way to Apple while it waited. */
  readonly wayEvents: readonly OutcomeEvent[];
  /** How it ended. Undefined while it has not, and where the log has no such event. */
  readonly ending: ToldEvent | undefined;
  /** False: the log holds too much of that time to look through it all. */
  readonly isLogWhole: boolean;
  /** What was said of its device token since it ended, and by whom it was heard. */
  readonly tokenEvents: readonly ToldEvent[];
  /** What is held against its device token now. */
  readonly verdicts: readonly FeedbackItem[];
  readonly webhooks: number;
}
