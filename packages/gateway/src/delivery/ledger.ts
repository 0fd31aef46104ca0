import type { Clock } from "@carillon/apns";
import {
  type NewBatch,
  type Note,
  outcomeCode,
  type Settlement,
  type Store,
  StoreFullError,
} from "../store/index.ts";
import { BatchEncoder } from "./batch/encoder.ts";
import type { BatchEntry } from "./batch/format.ts";
import type { LaneQueue, Turn } from "./lane-queue.ts";
import type { DeliveryPolicy } from "./notification-draft.ts";
import type { BatchIds } from "./notification-id.ts";
import type { Route } from "./route.ts";

/** How long a full disk is given before the same settlement is tried again. */
const fullDiskPauseMs = 1_000;

/** A notification that left, from its departure until its outcome is on disk. */
export interface Flight extends Turn {
  readonly route: Route;
  readonly lane: LaneQueue;
  /** Its id for life, whatever Apple was told. */
  readonly id: string;
  readonly payloadBytes: number;
}

/** A notification that is to be sent again later. */
export interface Retry {
  readonly entry: BatchEntry;
  readonly delivery: DeliveryPolicy;
  readonly atMs: number;
}

/** What is on disk now. */
export interface Written {
  readonly finals: readonly Flight[];
  /** Those that go on in `retries`. */
  readonly retried: readonly Flight[];
  readonly retries: readonly NewBatch[];
}

/**
 * Brings outcomes to disk: whatever arrives while one settlement is being written goes into the next. Only then does a
 * notification stop being in flight, so that what a crash can repeat is bounded by what may be in flight.
 */
export class Ledger {
  readonly #store: Store;
  readonly #ids: BatchIds;
  readonly #clock: Clock;
  readonly #written: (written: Written) => void;
  #page = new Page();
  #isWriting = false;
  #whenIdle: (() => void)[] = [];

  constructor(store: Store, ids: BatchIds, clock: Clock, written: (written: Written) => void) {
    this.#store = store;
    this.#ids = ids;
    this.#clock = clock;
    this.#written = written;
  }

  /** Plainly accepted at the first attempt. */
  accepted(flight: Flight): void {
    this.#page.mark(flight, outcomeCode.accepted);
    this.#page.finals.push(flight);
    this.#write();
  }

  /** Final otherwise. */
  ended(flight: Flight, note: Note): void {
    this.#page.notes.push(note);
    this.#page.mark(flight, outcomeCode.noted);
    this.#page.finals.push(flight);
    this.#write();
  }

  /** It goes on in a later batch. */
  retried(flight: Flight, note: Note, retry: Retry): void {
    this.#page.notes.push(note);
    this.#page.mark(flight, outcomeCode.noted);
    this.#page.retried.push(flight);
    this.#page.retries.push({ lane: flight.lane, retry });
    this.#write();
  }

  /** At-most-once: these are about to leave. Resolves when that is on disk; until then they must not. */
  begin(flights: readonly Flight[]): Promise<void> {
    return new Promise((resolve) => {
      for (const flight of flights) this.#page.mark(flight, outcomeCode.started);
      this.#page.whenWritten.push(resolve);
      this.#write();
    });
  }

  /** At-most-once: it came back and provably did nothing. It may leave again, after another `begin`. */
  returned(flight: Flight): void {
    this.#page.mark(flight, outcomeCode.open);
    this.#write();
  }

  /** Resolves when everything so far is on disk. */
  idle(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    setImmediate(() => void this.#writePages());
  }

  /** Ends early, for good, when the store has failed: what is in flight then stays in flight. */
  async #writePages(): Promise<void> {
    while (!this.#page.isEmpty) {
      const page = this.#page;
      this.#page = new Page();
      const settlement = page.settlement(this.#ids, this.#clock.now());
      if (!(await this.#toDisk(settlement))) return;
      for (const resolve of page.whenWritten) resolve();
      this.#written({ finals: page.finals, retried: page.retried, retries: settlement.retries });
    }
    this.#isWriting = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #toDisk(settlement: Settlement): Promise<boolean> {
    for (;;) {
      try {
        await this.#store.settle(settlement);
        return true;
      } catch (error) {
        if (!(error instanceof StoreFullError)) return false;
        await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, fullDiskPauseMs));
      }
    }
  }
}

/** What goes to disk in one step. */
class Page {
  readonly #marks = new Map<string, { places: number[]; codes: number[] }>();
  readonly notes: Note[] = [];
  readonly retries: { lane: LaneQueue; retry: Retry }[] = [];
  readonly finals: Flight[] = [];
  readonly retried: Flight[] = [];
  readonly whenWritten: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#marks.size === 0;
  }

  mark({ run, place }: Flight, code: number): void {
    let marks = this.#marks.get(run.id);
    if (marks === undefined) {
      marks = { places: [], codes: [] };
      this.#marks.set(run.id, marks);
    }
    marks.places.push(place);
    marks.codes.push(code);
  }

  settlement(ids: BatchIds, nowMs: number): Settlement {
    const batches = [...this.#marks].map(([batch, { places, codes }]) => ({
      batch,
      places: Uint16Array.from(places),
      codes: Uint8Array.from(codes),
    }));
    return { batches, notes: this.notes, retries: packRetries(this.retries, ids, nowMs) };
  }
}

/** Retries of one lane whose times lie close together share a batch; none of them comes earlier for it. */
function packRetries(
  retries: readonly { lane: LaneQueue; retry: Retry }[],
  ids: BatchIds,
  nowMs: number,
): readonly NewBatch[] {
  const open = new Map<string, BatchEncoder>();
  const batches: { encoder: BatchEncoder; lane: LaneQueue; dueAtMs: number }[] = [];
  for (const { lane, retry } of retries) {
    const dueAtMs = roundUp(retry.atMs, nowMs);
    const { app, environment, lane: laneName } = lane.key;
    const name = `${dueAtMs} ${retry.delivery} ${laneName} ${environment} ${app}`;
    let encoder = open.get(name);
    if (encoder === undefined || encoder.isFull) {
      encoder = new BatchEncoder(retry.delivery);
      open.set(name, encoder);
      batches.push({ encoder, lane, dueAtMs });
    }
    encoder.add(retry.entry);
  }
  return batches.map(({ encoder, lane, dueAtMs }) => ({
    id: ids.next(),
    queue: lane.key,
    count: encoder.count,
    dueAtMs,
    storedAtMs: nowMs,
    kind: "retry",
    body: encoder.finish(),
    ownIds: [],
  }));
}

/** To a sixteenth of the wait, at least 64 ms. */
function roundUp(atMs: number, nowMs: number): number {
  const step = 2 ** Math.max(6, Math.ceil(Math.log2(Math.max(atMs - nowMs, 1))) - 4);
  return Math.ceil(atMs / step) * step;
}
