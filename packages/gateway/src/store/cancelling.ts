import type { BatchId, NodeId, Note } from "./note.ts";

/** A notification that is not to be sent any more. */
export interface CancelRequest {
  /** Where it waits: the batch that it was first stored in, or the retry that carries it on. */
  readonly batch: BatchId;
  readonly place: number;
  /** What is noted of it, under the batch that it was first stored in. */
  readonly note: Note;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Whether its batch was in doubt when the caller looked. */
  readonly isInDoubt: boolean;
  /** The node that holds the batch and keeps the notification from leaving; absent: nobody holds it. */
  readonly node?: NodeId;
}

export type CancelResult =
  /** It will never be handed out again. `open` are the notifications of its batch that still are. */
  | { readonly kind: "cancelled"; readonly open: number }
  /** The batch has changed hands since the caller looked: another node, or none, holds it, or it is in doubt now. */
  | { readonly kind: "held" }
  /** It is final there, or its bytes may have left, or it waits somewhere else by now. */
  | { readonly kind: "over" };

/** The part of the store that takes notifications back. */
export interface CancellingStore {
  cancel(request: CancelRequest): Promise<CancelResult>;
}
