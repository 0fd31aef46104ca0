import type { Clock, Timer } from "@carillon/apns";
import type { EventSlice, EventStore } from "../store/index.ts";
import { usualTypes } from "./event.ts";
import {
  CursorError,
  type EventPage,
  type EventQuery,
  type EventReader,
  type WrittenPage,
} from "./event-log.ts";
import { eventOf, writeEvents } from "./stored-event.ts";

/** How long events are kept: until either is reached. */
export interface EventRetention {
  /** @default 604,800,000: seven days */
  readonly keepMs: number;
  /** @default 8 GiB: an hour of refusals at 5,000 a second */
  readonly keepBytes: number;
}

const defaultRetention: EventRetention = { keepMs: 604_800_000, keepBytes: 8 * 1024 ** 3 };

export interface EventLogOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly retention?: Partial<EventRetention> | undefined;
  readonly logger: { warn(fields: object, message: string): void };
}

const purgeEveryMs = 60_000;
/** Between two steps, so that purging never fills the store's time. */
const purgePauseMs = 50;
/** A step forgets so many, and twice as many as the one before while there is more: faster than events can come. */
const [leastPurged, mostPurged] = [1_000, 16_000];

/** The store's log in the words of the API. Forgets what is old. */
export class EventLog implements EventReader {
  readonly #options: EventLogOptions;
  #purgeTimer: Timer | undefined;
  #isClosed = false;
  #purgeLimit = leastPurged;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#planPurge(purgePauseMs);
  }

  async read(query: EventQuery): Promise<EventPage> {
    const { events, cursor } = await this.#read(query, query.limit);
    return { items: events.map(eventOf), cursor: String(cursor) };
  }

  async readWritten(query: EventQuery): Promise<WrittenPage> {
    const { events, cursor } = await this.#read(query, query.limit);
    return { items: writeEvents(events), cursor: String(cursor) };
  }

  /**
   * Written, and in strides: a page ends where a multiple of `stride` is reached, so that all who read on from somewhere
   * near soon read the same pages.
   */
  async readStride(query: Omit<EventQuery, "limit">, stride: number): Promise<WrittenPage> {
    const { events, cursor } = await this.#read(query, stride, stride);
    return { items: writeEvents(events), cursor: String(cursor) };
  }

  /** Where all begins that is kept, and where begins what has not happened yet. */
  async ends(): Promise<{ readonly oldest: string; readonly latest: string }> {
    const { oldest, newest } = await this.#look();
    return { oldest: String(oldest - 1), latest: String(newest) };
  }

  onAppended(listener: () => void): () => void {
    return this.#options.store.onEvents(listener);
  }

  /** Forgets nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#purgeTimer?.cancel();
  }

  async #read(query: Omit<EventQuery, "limit">, limit: number, stride?: number): Promise<EventSlice> {
    const { after, app, types = usualTypes } = query;
    const start = await this.#positionOf(after);
    const slice = await this.#options.store.readEvents({
      after: start,
      types,
      limit,
      ...(stride === undefined ? {} : { upTo: (Math.floor(start / stride) + 1) * stride }),
      ...(app === undefined ? {} : { app }),
    });
    assertKept(start, slice);
    return slice;
  }

  async #positionOf(cursor: string | undefined): Promise<number> {
    if (cursor === undefined) return (await this.#look()).oldest - 1;
    if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
    throw new CursorError("unknown", (await this.ends()).oldest);
  }

  #look(): Promise<EventSlice> {
    return this.#options.store.readEvents({ after: 0, upTo: 0, types: [], limit: 1 });
  }

  #planPurge(delayMs: number): void {
    if (this.#isClosed) return;
    this.#purgeTimer = this.#options.clock.setTimer(() => void this.#purge(), delayMs);
  }

  async #purge(): Promise<void> {
    const { store, clock, logger } = this.#options;
    const { keepMs, keepBytes } = { ...defaultRetention, ...this.#options.retention };
    try {
      const beforeMs = clock.now() - keepMs;
      const limit = this.#purgeLimit;
      const isMore = (await store.purgeEvents({ beforeMs, keepBytes, limit })) === limit;
      this.#purgeLimit = isMore ? Math.min(limit * 2, mostPurged) : leastPurged;
      this.#planPurge(isMore ? purgePauseMs : purgeEveryMs);
    } catch (error) {
      if (!this.#isClosed) logger.warn({ detail: String(error) }, "old events could not be forgotten");
      this.#planPurge(purgeEveryMs);
    }
  }
}

function assertKept(start: number, { oldest, newest }: EventSlice): void {
  if (start < oldest - 1) throw new CursorError("too-old", String(oldest - 1));
  if (start > newest) throw new CursorError("unknown", String(oldest - 1));
}
