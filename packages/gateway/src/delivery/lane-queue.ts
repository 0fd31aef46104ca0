import type { BatchId, QueueKey } from "../store/index.ts";
import { Awaited } from "./awaited.ts";
import type { BatchRun } from "./batch-run.ts";

/** One notification whose turn has come. */
export interface Turn {
  readonly run: BatchRun;
  readonly place: number;
}

/**
 * What waits in one lane of one route: batches in memory, and behind them those that are only on disk. While there are
 * any on disk new ones go there too, so that nobody overtakes.
 */
export class LaneQueue {
  readonly key: QueueKey;
  readonly #counted: (bytes: number) => void;
  /** Sent, and not settled on disk. */
  inFlight = 0;
  /** Of those in flight: not answered. */
  readonly awaited = new Awaited();
  /** In memory, with notifications that are not settled on disk. */
  readonly #resident = new Set<BatchRun>();
  #residentBytes = 0;
  /** In memory, with notifications that were never sent. */
  readonly #runs: BatchRun[] = [];
  #again: Turn[] = [];
  #peeked: Turn | undefined;
  #diskDueAtMs: number | undefined;
  #claim: { addedDueAtMs: number | undefined } | undefined;

  /** @param counted is told of bytes that come into memory, or leave it (a negative number) */
  constructor(key: QueueKey, counted: (bytes: number) => void = () => {}) {
    this.key = key;
    this.#counted = counted;
  }

  /** How many batches have notifications that were never sent. */
  get waitingRuns(): number {
    return this.#runs.length;
  }

  /** Bytes of the bodies in memory, those among them whose notifications are all in flight. */
  get residentBytes(): number {
    return this.#residentBytes;
  }

  push(run: BatchRun): void {
    this.#runs.push(run);
    this.#resident.add(run);
    this.#count(run.reader.byteLength);
  }

  /** Whether it is in memory, and so this node's. */
  holds(run: BatchRun): boolean {
    return this.#resident.has(run);
  }

  /** Nothing of it is open any more. */
  forget(run: BatchRun): void {
    if (this.#resident.delete(run)) this.#count(-run.reader.byteLength);
  }

  /** It came back for no fault of its own and goes before those that were never sent. */
  putBack(turn: Turn): void {
    if (this.#resident.has(turn.run)) this.#again.push(turn);
  }

  /** Takes one out that waits; `under-way`: it has left, and `elsewhere`: its batch is not in memory. */
  withdraw(batch: BatchId, place: number): BatchRun | "under-way" | "elsewhere" {
    const run = this.#residentNamed(batch);
    if (run === undefined) return "elsewhere";
    if (this.#peeked?.run === run && this.#peeked.place === place) {
      this.#peeked = undefined;
      return run;
    }
    const others = this.#again.filter((turn) => turn.run !== run || turn.place !== place);
    if (others.length < this.#again.length) {
      this.#again = others;
      return run;
    }
    return run.withdraw(place) ? run : "under-way";
  }

  #residentNamed(batch: BatchId): BatchRun | undefined {
    for (const run of this.#resident) if (run.id === batch) return run;
    return undefined;
  }

  /** The notification whose turn is next; it stays where it is. */
  peek(): Turn | undefined {
    this.#peeked ??= this.#again.shift() ?? this.#nextFromRuns();
    return this.#peeked;
  }

  /** Takes away the one that `peek` showed. */
  take(): void {
    if (this.#peeked !== undefined) this.#peeked.run.hasLeft = true;
    this.#peeked = undefined;
  }

  /** When the first batch that is only on disk is due; undefined when there is none. */
  get diskDueAtMs(): number | undefined {
    return this.#diskDueAtMs;
  }

  get isClaiming(): boolean {
    return this.#claim !== undefined;
  }

  /** Something waits on disk only. */
  storedOnDisk(dueAtMs: number): void {
    this.#diskDueAtMs = earlier(this.#diskDueAtMs, dueAtMs);
    if (this.#claim !== undefined) this.#claim.addedDueAtMs = earlier(this.#claim.addedDueAtMs, dueAtMs);
  }

  /** Batches are being fetched from disk. */
  beginClaim(): void {
    this.#claim = { addedDueAtMs: undefined };
  }

  /** They are here; `nextDueAtMs` tells of those that stayed, but not of what was stored in the meantime. */
  endClaim(nextDueAtMs: number | undefined): void {
    this.#diskDueAtMs = earlier(this.#claim?.addedDueAtMs, nextDueAtMs);
    this.#claim = undefined;
  }

  /** The batches in memory of which something has left and is not settled on disk. */
  underWay(): readonly BatchId[] {
    return [...this.#resident].filter((run) => run.hasLeft && run.open > 0).map(({ id }) => id);
  }

  /** Forgets all that is in memory: it is no longer this node's. */
  drop(): void {
    this.#resident.clear();
    this.#count(-this.#residentBytes);
    this.#runs.length = 0;
    this.#again = [];
    this.#peeked = undefined;
  }

  #count(bytes: number): void {
    this.#residentBytes += bytes;
    this.#counted(bytes);
  }

  #nextFromRuns(): Turn | undefined {
    for (;;) {
      const [run] = this.#runs;
      if (run === undefined) return undefined;
      const place = run.take();
      if (place !== undefined) return { run, place };
      this.#runs.shift();
    }
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
