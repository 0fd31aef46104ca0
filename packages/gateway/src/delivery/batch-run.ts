import { type BatchId, outcomeCode } from "../store/index.ts";
import type { BatchReader } from "./batch/decoder.ts";
import type { DeliveryPolicy } from "./notification-draft.ts";

/** A batch in memory on its way to Apple. This node holds its lease. */
export class BatchRun {
  readonly id: BatchId;
  readonly reader: BatchReader;
  readonly dueAtMs: number;
  readonly delivery: DeliveryPolicy;
  /** Places that were begun in an earlier life of the gateway: they must not be sent again. */
  readonly begun: readonly number[];
  /** What is open of it may have been sent in an earlier life of the gateway. */
  readonly isInDoubt: boolean;
  /** Whether the turn of any of it has come. */
  hasLeft = false;
  readonly #outcomes: Uint8Array | undefined;
  #next = 0;
  /** Places that are not to be sent any more. */
  #withdrawn: Set<number> | undefined;
  #open: number;

  /** @param isInDoubt whether a node that held it may have sent some of it, and did not say what became of it */
  constructor(id: BatchId, reader: BatchReader, dueAtMs: number, outcomes?: Uint8Array, isInDoubt = false) {
    this.id = id;
    this.reader = reader;
    this.dueAtMs = dueAtMs;
    this.delivery = reader.delivery;
    // What is at-most-once is written down before it leaves: those that are not have not.
    this.isInDoubt = isInDoubt && reader.delivery === "at-least-once";
    this.#outcomes = outcomes;
    const places = outcomes === undefined ? [] : [...outcomes.keys()];
    this.begun = places.filter((place) => outcomes?.[place] === outcomeCode.started);
    this.#open =
      outcomes === undefined
        ? reader.count
        : places.filter((place) => outcomes[place] === outcomeCode.open).length + this.begun.length;
  }

  /** How many are not settled on disk. */
  get open(): number {
    return this.#open;
  }

  /** The next place that was never sent; undefined when all were. */
  take(): number | undefined {
    while (this.#next < this.reader.count) {
      const place = this.#next;
      this.#next += 1;
      if (this.#isOpen(place)) return place;
    }
    return undefined;
  }

  /** Takes one out that was never sent. False: it was, or there is none. */
  withdraw(place: number): boolean {
    if (place < this.#next || place >= this.reader.count || !this.#isOpen(place)) return false;
    this.#withdrawn ??= new Set();
    this.#withdrawn.add(place);
    return true;
  }

  #isOpen(place: number): boolean {
    if (this.#outcomes !== undefined && this.#outcomes[place] !== outcomeCode.open) return false;
    return this.#withdrawn === undefined || !this.#withdrawn.has(place);
  }

  /** So many more of its notifications are settled on disk. */
  settled(count: number): void {
    this.#open -= count;
  }
}
