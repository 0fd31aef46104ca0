import type { Clock } from "@carillon/apns";
import {
  type Claim,
  type ClaimedBatch,
  type NodeId,
  outcomeCode,
  type Store,
  StoreFullError,
} from "../store/index.ts";
import { type BatchReader, decodeBatch } from "./batch/decoder.ts";
import { BatchRun } from "./batch-run.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import type { LaneQueue } from "./lane-queue.ts";
import type { QueueTally } from "./queue-tally.ts";

/** A lane with fewer batches than this fetches more before it runs dry. */
const lowWater = 2;
/** How much is fetched in one go. */
const fetchBatches = 64;
const fetchBytes = 1024 * 1024;
/** How long a store that could not answer (its disk is full) is left alone. */
const pauseMs = 1_000;

export interface RefillOptions {
  readonly store: Store;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: DeliveryLogger;
  readonly tally: QueueTally;
  /** Whether a lane that already has something in memory may take more. */
  readonly admits: (lane: LaneQueue) => boolean;
  /** A batch is here. */
  readonly adopt: (lane: LaneQueue, run: BatchRun) => void;
  /** Something may have changed for the lanes. */
  readonly wake: () => void;
}

/** Brings batches that are only on disk into memory when their turn comes. */
export class Refill {
  readonly #options: RefillOptions;

  constructor(options: RefillOptions) {
    this.#options = options;
  }

  /** Fetches more for a lane if it is about to run dry, something is due, and there is room. */
  consider(lane: LaneQueue, nowMs: number): void {
    if (lane.diskDueAtMs === undefined || lane.diskDueAtMs > nowMs || lane.isClaiming) return;
    if (lane.waitingRuns >= lowWater) return;
    if (lane.residentBytes > 0 && !this.#options.admits(lane)) return;
    void this.#fetch(lane, nowMs);
  }

  async #fetch(lane: LaneQueue, nowMs: number): Promise<void> {
    const { store, node, clock, wake } = this.#options;
    lane.beginClaim();
    let claim: Claim;
    try {
      claim = await store.claim({
        node,
        queue: lane.key,
        dueAtMs: nowMs,
        maxBatches: fetchBatches,
        maxBytes: fetchBytes,
      });
    } catch (error) {
      // When the store has failed for good somebody else says so; a full disk may have room again.
      this.#options.logger.warn(
        { detail: String(error) },
        "queued notifications cannot be fetched from disk",
      );
      clock.setTimer(() => {
        lane.endClaim(nowMs);
        wake();
      }, pauseMs);
      return;
    }
    lane.endClaim(claim.nextDueAtMs);
    for (const batch of claim.batches) this.#receive(lane, batch);
    wake();
  }

  #receive(lane: LaneQueue, batch: ClaimedBatch): void {
    const decoded = decodeBatch(batch.body);
    if (decoded.kind === "decoded" && decoded.batch.count === batch.count)
      this.#options.adopt(lane, runOf(batch, decoded.batch));
    else void this.#bury(lane, batch, decoded.kind === "malformed" ? decoded.detail : "wrong count");
  }

  /** A batch whose bytes are damaged can never be sent: each of its notifications is told so. */
  async #bury(lane: LaneQueue, batch: ClaimedBatch, detail: string): Promise<void> {
    const { store, node, clock, logger, tally } = this.#options;
    logger.error({ batch: batch.id, notifications: batch.count, detail }, "a stored batch is damaged");
    const places = Array.from({ length: batch.count }, (_, place) => place).filter((place) => {
      const code = batch.outcomes?.[place] ?? outcomeCode.open;
      return code === outcomeCode.open || code === outcomeCode.started;
    });
    const status = "rejected";
    const reason = "damaged-on-disk";
    try {
      const [done] = await store.settle({
        node,
        atMs: clock.now(),
        batches: [
          {
            batch: batch.id,
            places: Uint16Array.from(places),
            codes: new Uint8Array(places.length).fill(outcomeCode.noted),
          },
        ],
        notes: places.map((place) => ({ batch: batch.id, place, status, reason, attempts: "" })),
        retries: [],
      });
      tally.add(lane.key.app, -(done?.settled ?? 0), -batch.body.byteLength);
    } catch (error) {
      if (error instanceof StoreFullError)
        clock.setTimer(() => void this.#bury(lane, batch, detail), pauseMs);
      else logger.error({ batch: batch.id, detail: String(error) }, "a damaged batch could not be settled");
    }
  }
}

function runOf({ id, dueAtMs, outcomes, isInDoubt }: ClaimedBatch, reader: BatchReader): BatchRun {
  return new BatchRun(id, reader, dueAtMs, outcomes, isInDoubt);
}
