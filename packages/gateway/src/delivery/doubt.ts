import type { FoundBatch } from "../store/index.ts";
import type { BatchReader } from "./batch/decoder.ts";

/** Whether Apple may have a notification that is not settled: an attempt had no answer, or none that is on disk. */
export function isInDoubt(batch: Pick<FoundBatch, "isInDoubt">, reader: BatchReader, place: number): boolean {
  // What is at-most-once is written down before it leaves: those that are not have not.
  const wasHeld = batch.isInDoubt && reader.delivery === "at-least-once";
  return wasHeld || reader.rareParts(place)?.origin?.doubt === true;
}
