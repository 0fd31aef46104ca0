import type { BatchId } from "./note.ts";

/** Batches in the order of their ids, the newest first. */
export interface BatchPageRequest {
  readonly app: string;
  /** Only batches whose id sorts before this text; absent: from the newest on. */
  readonly before?: string;
  /** Only batches whose id does not sort before this text. */
  readonly from?: string;
  /** So many batches at most are looked at, those of other apps and retries among them. */
  readonly limit: number;
}

/** A batch without its body. */
export interface BatchHead {
  readonly id: BatchId;
  readonly count: number;
  readonly storedAtMs: number;
  /** One code each, or undefined while all are open. */
  readonly outcomes: Uint8Array | undefined;
}

export interface BatchPage {
  /** Those of the app; retries are left out. May be empty although there are more. */
  readonly batches: readonly BatchHead[];
  /** The last one that was looked at: the next page lies before it. Undefined when there is nothing more. */
  readonly last: BatchId | undefined;
}

/** The part of the store that goes through what there is. */
export interface ListingStore {
  listBatches(request: BatchPageRequest): Promise<BatchPage>;
}
