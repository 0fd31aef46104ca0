import type { Clock } from "@carillon/apns";
import {
  type BatchId,
  type NewBatch,
  type NodeId,
  type Note,
  type OutcomeCode,
  outcomeCode,
  type SettledBatch,
  type Settlement,
  type Store,
  StoreFailedError,
  StoreFullError,
} from "../store/index.ts";
import { BatchEncoder } from "./batch/encoder.ts";
import type { BatchEntry } from "./batch/format.ts";
import type { BatchRun } from "./batch-run.ts";
import type { Flight } from "./flight.ts";
import type { LaneQueue } from "./lane-queue.ts";
import type { DeliveryPolicy, EnvironmentChoice } from "./notification-draft.ts";
import { type BatchIds, notificationId } from "./notification-id.ts";
import type { Route } from "./route.ts";

/**
 * So many retries of one settlement are packed together. Fewer hardly share a batch, and with coarse steps would only come in bursts,
 * behind which everybody else waits; with finer ones each is fetched from disk alone, which costs as much (docs/performance.md).
 */
const many = 128;
/** How long a full disk is given before the same settlement is tried again. */
const fullDiskPauseMs = 1_000;

/** A notification that is to be sent again later. */
export interface Retry {
  readonly entry: BatchEntry;
  readonly delivery: DeliveryPolicy;
  readonly environmentChoice: EnvironmentChoice;
  /** Where it waits; perhaps on another route than the one it comes from. */
  readonly lane: LaneQueue;
  readonly atMs: number;
}

/** What a settlement that is on disk did to one batch. */
interface WrittenBatch extends SettledBatch {
  readonly run: BatchRun;
  readonly lane: LaneQueue;
  readonly route: Route;
  /** Its places that were settled, and the code of each. */
  readonly places: readonly number[];
  readonly codes: readonly OutcomeCode[];
  /** So many of its notifications are in flight no more, and the bytes of their payloads. */
  readonly landed: number;
  readonly landedBytes: number;
}

/** What is on disk now. */
export interface Written {
  readonly batches: readonly WrittenBatch[];
  readonly notes: readonly Note[];
  readonly retries: readonly NewBatch[];
}

/** The ids of the notifications that are final now. */
export function* finalsOf({ batches, notes }: Written): Iterable<string> {
  for (const { run, places, codes } of batches)
    for (const [index, place] of places.entries())
      if (codes[index] === outcomeCode.accepted) yield notificationId(run.id, place);
  for (const { batch, place, status } of notes) if (status !== "queued") yield notificationId(batch, place);
}

export interface LedgerOptions {
  readonly store: Store;
  readonly node: NodeId;
  readonly ids: BatchIds;
  readonly clock: Clock;
  readonly written: (written: Written) => void;
}

/**
 * Brings outcomes to disk: whatever arrives while one settlement is being written goes into the next. Only then does a
 * notification stop being in flight, so that what a crash can repeat is bounded by what may be in flight.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  #page = new Page();
  #isWriting = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Plainly accepted at the first attempt. */
  accepted(flight: Flight): void {
    this.#page.land(flight, outcomeCode.accepted);
    this.#write();
  }

  /** Final otherwise. */
  ended(flight: Flight, note: Note): void {
    this.#page.notes.push(note);
    this.#page.land(flight, outcomeCode.noted);
    this.#write();
  }

  /** It goes on in a later batch. */
  retried(flight: Flight, note: Note, retry: Retry): void {
    this.#page.land(flight, outcomeCode.noted);
    this.#page.retries.push({ note, retry });
    this.#write();
  }

  /**
   * At-most-once: these are about to leave. Resolves when that is on disk, with those that are still ours to send; until
   * then none must leave.
   */
  begin(flights: readonly Flight[]): Promise<readonly Flight[]> {
    return new Promise((resolve) => {
      for (const flight of flights) this.#page.mark(flight, outcomeCode.started);
      this.#page.whenWritten.push((isHeld) => resolve(flights.filter(({ run }) => isHeld(run))));
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
    const { ids, node, clock, written } = this.#options;
    while (!this.#page.isEmpty) {
      const page = this.#page;
      this.#page = new Page();
      const settlement = page.settlement(ids, node, clock.now());
      const settled = await this.#toDisk(settlement);
      if (settled === undefined) return;
      const batches = page.written(settled);
      const held = new Set(batches.filter(({ isHeld }) => isHeld).map(({ run }) => run));
      for (const tell of page.whenWritten) tell((run) => held.has(run));
      written({ batches, notes: page.notes, retries: settlement.retries });
    }
    this.#isWriting = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Undefined when the store has failed. An outcome that it refuses is a broken invariant and ends the process. */
  async #toDisk(settlement: Settlement): Promise<readonly SettledBatch[] | undefined> {
    const { store, clock } = this.#options;
    for (;;) {
      try {
        return await store.settle(settlement);
      } catch (error) {
        if (error instanceof StoreFailedError) return undefined;
        if (!(error instanceof StoreFullError)) throw error;
        await new Promise<void>((resolve) => void clock.setTimer(resolve, fullDiskPauseMs));
      }
    }
  }
}

/** A retry and what is noted of it where it comes from. */
interface NotedRetry {
  readonly note: Note;
  readonly retry: Retry;
}

/** A batch that still takes retries. */
interface RetryBatch {
  readonly id: BatchId;
  readonly encoder: BatchEncoder;
  readonly lane: LaneQueue;
  readonly dueAtMs: number;
}

/** What a page says about one batch. */
interface Entry {
  readonly run: BatchRun;
  readonly lane: LaneQueue;
  readonly route: Route;
  readonly places: number[];
  readonly codes: OutcomeCode[];
  landed: number;
  landedBytes: number;
}

/** What goes to disk in one step. */
class Page {
  readonly #entries = new Map<BatchRun, Entry>();
  /** The one asked for last: outcomes of a batch mostly come in a row. */
  #latest: Entry | undefined;
  readonly notes: Note[] = [];
  readonly retries: NotedRetry[] = [];
  readonly whenWritten: ((isHeld: (run: BatchRun) => boolean) => void)[] = [];

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** It goes on being in flight, or was taken back. */
  mark(flight: Flight, code: OutcomeCode): void {
    const { places, codes } = this.#entryOf(flight);
    places.push(flight.place);
    codes.push(code);
  }

  /** It is in flight no more once this is on disk. */
  land(flight: Flight, code: OutcomeCode): void {
    const entry = this.#entryOf(flight);
    entry.places.push(flight.place);
    entry.codes.push(code);
    entry.landed += 1;
    entry.landedBytes += flight.payloadBytes;
  }

  settlement(ids: BatchIds, node: NodeId, atMs: number): Settlement {
    const batches = Array.from(this.#entries.values(), ({ run, places, codes }) => ({
      batch: run.id,
      // Of an array these are made ten times as fast as `from` makes them of anything that can be iterated.
      places: new Uint16Array(places),
      codes: new Uint8Array(codes),
    }));
    const retries = packRetries(this.retries, ids, atMs);
    return { node, atMs, batches, notes: [...this.notes, ...retries.notes], retries: retries.batches };
  }

  /** @param settled the store's answer to `settlement`. */
  written(settled: readonly SettledBatch[]): readonly WrittenBatch[] {
    return Array.from(this.#entries.values(), (entry, index) => ({
      ...(settled[index] ?? { settled: 0, open: 0, isHeld: false }),
      ...entry,
    }));
  }

  #entryOf({ run, lane, route }: Flight): Entry {
    if (this.#latest?.run === run) return this.#latest;
    let entry = this.#entries.get(run);
    if (entry === undefined) {
      entry = { run, lane, route, places: [], codes: [], landed: 0, landedBytes: 0 };
      this.#entries.set(run, entry);
    }
    this.#latest = entry;
    return entry;
  }
}

/** Retries of one lane whose times lie close together share a batch; none of them comes earlier for it. */
function packRetries(
  retries: readonly NotedRetry[],
  ids: BatchIds,
  nowMs: number,
): { readonly batches: readonly NewBatch[]; readonly notes: readonly Note[] } {
  const open = new Map<string, RetryBatch>();
  const batches: RetryBatch[] = [];
  const notes: Note[] = [];
  for (const { note, retry } of retries) {
    const dueAtMs = roundUp(retry.atMs, nowMs, retries.length >= many);
    const { lane } = retry;
    const { app, environment, lane: laneName } = lane.key;
    const name = `${dueAtMs} ${retry.delivery} ${retry.environmentChoice} ${laneName} ${environment} ${app}`;
    let batch = open.get(name);
    if (batch === undefined || batch.encoder.isFull) {
      batch = {
        id: ids.next(),
        encoder: new BatchEncoder(retry.delivery, retry.environmentChoice),
        lane,
        dueAtMs,
      };
      open.set(name, batch);
      batches.push(batch);
    }
    const place = batch.encoder.add(retry.entry.deviceToken, retry.entry);
    notes.push({ ...note, waitsIn: { batch: batch.id, place } });
  }
  return { batches: batches.map((batch) => closeRetry(batch, nowMs)), notes };
}

function closeRetry({ id, encoder, lane, dueAtMs }: RetryBatch, nowMs: number): NewBatch {
  return {
    id,
    queue: lane.key,
    count: encoder.count,
    dueAtMs,
    storedAtMs: nowMs,
    kind: "retry",
    body: encoder.finish(),
    ownIds: [],
  };
}

/** To a part of the wait, a power of two: finer for few, coarser where many are to share few batches. None comes early. */
function roundUp(atMs: number, nowMs: number, isOneOfMany: boolean): number {
  const magnitude = Math.ceil(Math.log2(Math.max(atMs - nowMs, 1)));
  const step = 2 ** (isOneOfMany ? Math.max(6, magnitude - 4) : Math.max(4, magnitude - 6));
  return Math.ceil(atMs / step) * step;
}
