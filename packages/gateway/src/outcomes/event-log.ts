import type { EventType, OutcomeEvent } from "./event.ts";

export interface EventQuery {
  /** Go on behind this cursor. Absent: from the oldest that is kept. */
  readonly after?: string;
  readonly app?: string;
  /** Absent: all but `notification.retrying`. */
  readonly types?: readonly EventType[];
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface EventPage {
  readonly items: readonly OutcomeEvent[];
  /** Where to go on, also when `items` is empty: what was passed over is not looked at again. */
  readonly cursor: string;
}

/** An event as it goes out. */
export interface WrittenEvent {
  readonly cursor: string;
  readonly type: EventType;
  /** The JSON text of an `OutcomeEvent`, on one line. */
  readonly text: string;
}

export interface WrittenPage extends Omit<EventPage, "items"> {
  readonly items: readonly WrittenEvent[];
}

/** The log as its readers see it: everything in it is on disk. */
export interface EventReader {
  /** @throws {CursorError} the cursor is older than what is kept, or is none of this log. */
  read(query: EventQuery): Promise<EventPage>;
  /** The same, for those who hand it on. @throws {CursorError} */
  readWritten(query: EventQuery): Promise<WrittenPage>;
  /** Called (coalesced) after something new is on disk; returns the way to stop. */
  onAppended(listener: () => void): () => void;
}

/** There is no going on from this cursor. */
export class CursorError extends Error {
  override readonly name = "CursorError";
  /** `too-old`: what comes next was forgotten. `unknown`: this log never gave it. */
  readonly kind: "too-old" | "unknown";
  /** Where to go on from, at the price of what was forgotten. */
  readonly oldest: string;

  constructor(kind: CursorError["kind"], oldest: string) {
    super(kind === "too-old" ? "The cursor is older than what is kept." : "The cursor is none of this log.");
    this.kind = kind;
    this.oldest = oldest;
  }
}
