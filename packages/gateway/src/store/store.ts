import type { CancellingStore } from "./cancelling.ts";
import type { EventStore } from "./event-store.ts";
import type { FeedbackReaderStore } from "./feedback-readers.ts";
import type { ListingStore } from "./listing.ts";
import type { BatchId, NodeId, Note } from "./note.ts";
import type { PauseStore } from "./pauses.ts";
import type { NewRequestKey, RequestKeyStore } from "./request-keys.ts";
import type { StoreFailedError } from "./store-errors.ts";
import type { TokenEnvironmentStore } from "./token-environments.ts";
import type { VerdictStore } from "./verdict-store.ts";
import type { WebhookStore } from "./webhook-store.ts";

export type { BatchId, NodeId, Note };

/** Where a batch waits: batches of one queue are handed out in the order of their due times. Opaque to the store. */
export interface QueueKey {
  readonly app: string;
  readonly environment: string;
  readonly lane: string;
}

/** A batch to be stored. */
export interface NewBatch {
  readonly id: BatchId;
  readonly queue: QueueKey;
  /** 1 to 1,000. */
  readonly count: number;
  /** Epoch milliseconds. */
  readonly dueAtMs: number;
  /** Epoch milliseconds. */
  readonly storedAtMs: number;
  /**
   * A `retry` carries notifications of other batches on: what becomes of them is noted with the batch they came from,
   * and a retry leaves nothing behind once it is settled.
   */
  readonly kind: "original" | "retry";
  /** Opaque to the store. It owns its whole ArrayBuffer, which is handed over: hands off until the store gives it back. */
  readonly body: Uint8Array;
  /** The node that holds it from the first moment; absent: free for any node. */
  readonly leaseTo?: NodeId;
  /** The ids that callers brought themselves. */
  readonly ownIds: readonly { readonly place: number; readonly apnsId: string }[];
}

/** What one byte says about one notification of a batch. */
export const outcomeCode = {
  /** Not settled. */
  open: 0,
  /** Accepted at the first attempt: nothing else is known or needed. */
  accepted: 1,
  /** Its note says what became of it, or what is still being tried in a retry. Final as far as this batch goes. */
  noted: 2,
  /** At-most-once, and its bytes may have left: it must never be sent again. Still open. */
  started: 3,
} as const;

export type OutcomeCode = (typeof outcomeCode)[keyof typeof outcomeCode];

/** What became of some notifications of one batch. */
export interface BatchSettlement {
  readonly batch: BatchId;
  readonly places: Uint16Array;
  /** The code of each of `places`: accepted, noted or started. A final code is never overwritten. */
  readonly codes: Uint8Array;
}

/** A note as it is found again. */
export type StoredNote = Pick<Note, "status" | "reason" | "attempts" | "waitsIn">;

/**
 * All of it is stored in one step, or nothing; and so are the events that tell of it. Notifications that are accepted,
 * cancelled or to be tried again are told as runs, `notification.accepted`, `.cancelled` and `.retrying`; others one by one.
 * What was settled before is not told again.
 */
export interface Settlement {
  /** Who settles. An outcome counts whoever brings it, but only what this node still holds is marked `started`. */
  readonly node: NodeId;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly batches: readonly BatchSettlement[];
  readonly notes: readonly Note[];
  readonly retries: readonly NewBatch[];
}

/** What a settlement did to one of its batches. */
export interface SettledBatch {
  /** How many notifications it settled: those that were settled before are not counted again. */
  readonly settled: number;
  /** How many are still open. */
  readonly open: number;
  /** False when the batch is free or another node's: then nothing of it was marked `started`. */
  readonly isHeld: boolean;
}

export interface ClaimRequest {
  readonly node: NodeId;
  readonly queue: QueueKey;
  /** Only what is due at this moment, epoch milliseconds. */
  readonly dueAtMs: number;
  /** 1 or more. */
  readonly maxBatches: number;
  /** The first batch is handed out whatever its size. */
  readonly maxBytes: number;
}

export interface ClaimedBatch {
  readonly id: BatchId;
  readonly count: number;
  readonly storedAtMs: number;
  readonly dueAtMs: number;
  readonly body: Uint8Array;
  /** One code each, or undefined while all are open. */
  readonly outcomes: Uint8Array | undefined;
  /** A node that held it may have sent what is open of it. */
  readonly isInDoubt: boolean;
}

export interface Claim {
  readonly batches: readonly ClaimedBatch[];
  /** When the next free batch of this queue is due; undefined when there is none. */
  readonly nextDueAtMs: number | undefined;
}

export interface QueueSummary {
  readonly queue: QueueKey;
  /** Notifications that are not settled, whoever holds them. */
  readonly notifications: number;
  readonly bodyBytes: number;
  /** The earliest due time among the free batches; undefined when none is free. */
  readonly nextDueAtMs: number | undefined;
}

/** A batch with what is known of some of its places. */
export interface FoundBatch {
  readonly queue: QueueKey;
  readonly count: number;
  readonly storedAtMs: number;
  readonly dueAtMs: number;
  /** When the latest outcome was stored. */
  readonly settledAtMs: number | undefined;
  readonly outcomes: Uint8Array | undefined;
  /** A node that held it may have sent what is open of it. */
  readonly isInDoubt: boolean;
  /** Undefined once it was purged. */
  readonly body: Uint8Array | undefined;
  /** The notes of the places asked for, by place. */
  readonly notes: ReadonlyMap<number, StoredNote>;
}

export interface PurgeRequest {
  /** Bodies of batches settled before this moment go. */
  readonly bodiesBeforeMs: number;
  /** All that is known of batches settled before this moment goes, unless a retry is still under way. */
  readonly recordsBeforeMs: number;
  /** At most so many bodies and so many records in one step. */
  readonly limit: number;
}

export type Heartbeat = "held" | "inherited" | "lost";

/**
 * The durable queue. Every method that changes something resolves when the change is on disk (fsynced), and rejects
 * with `StoreFullError` (nothing of it was stored; later perhaps) or `StoreFailedError` (nothing was acknowledged, and
 * nothing will be any more). Times are given by the caller, except those of leases, which go by the store's own clock.
 */
export interface Store
  extends RequestKeyStore,
    CancellingStore,
    ListingStore,
    PauseStore,
    EventStore,
    VerdictStore,
    TokenEnvironmentStore,
    FeedbackReaderStore,
    WebhookStore {
  /**
   * Stores all or none, the keys of the requests that brought the batches among them. Resolves with the bodies, in the same
   * order. Rejects with `RequestKeyTakenError` when one of the keys is not as it was thought to be.
   */
  add(batches: readonly NewBatch[], keys?: readonly NewRequestKey[]): Promise<readonly Uint8Array[]>;
  /** Resolves with one entry for each of `batches`. A batch that is not known (any more) has nothing open. */
  settle(settlement: Settlement): Promise<readonly SettledBatch[]>;
  /** Leases free batches of one queue to a node, those due first before others. */
  claim(request: ClaimRequest): Promise<Claim>;
  /**
   * Makes everything free again that a node holds, and forgets the node.
   * @param inDoubt those of its batches of which something open may have been sent
   */
  release(node: NodeId, inDoubt: readonly BatchId[]): Promise<void>;
  /**
   * Makes a node's leases last `leaseMs` from now, and frees those of nodes whose leases have run out, all in doubt: `inherited`
   * when there were any such nodes. `lost` means that the node itself was found dead in the meantime: it holds nothing any more. A
   * node's first call announces it.
   */
  heartbeat(node: NodeId, leaseMs: number): Promise<Heartbeat>;
  /**
   * The clock was set back to `nowMs`. Free batches that were stored later than that, and were due at once or are
   * retries, wait from now on as long as they were to wait when they were stored. Resolves with how many there were.
   */
  clockWentBack(nowMs: number): Promise<number>;
  summarize(): Promise<readonly QueueSummary[]>;
  find(batch: BatchId, places: readonly number[]): Promise<FoundBatch | undefined>;
  /** The newest notification of that app whose caller gave it this id. */
  findOwnId(app: string, apnsId: string): Promise<{ batch: BatchId; place: number } | undefined>;
  /** Resolves with how much went; less than `limit` of both means that nothing is left to purge. */
  purge(request: PurgeRequest): Promise<{ bodies: number; records: number }>;
  close(): Promise<void>;
  /** Resolves when the store has failed for good. */
  readonly failed: Promise<StoreFailedError>;
}
