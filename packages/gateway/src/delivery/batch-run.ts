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
  readonly #outcomes: Uint8Array | undefined;
  #next = 0;
  #open: number;

  constructor(id: BatchId, reader: BatchReader, dueAtMs: number, outcomes?: Uint8Array) {
    this.id = id;
    this.reader = reader;
    this.dueAtMs = dueAtMs;
    this.delivery = reader.delivery;
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
      if (this.#outcomes === undefined || this.#outcomes[place] === outcomeCode.open) return place;
    }
    return undefined;
  }

  /** So many more of its notifications are settled on disk. */
  settled(count: number): void {
    this.#open -= count;
  }
}
