import type { NewEvent } from "./event-store.ts";
import type { FoundToken } from "./token-environments.ts";
import type { NewVerdict, Restoration } from "./verdict-store.ts";

/** Names a batch: the text of its notifications' ids without the last four digits. */
export type BatchId = string;

/** One running gateway process. Chosen anew at every start, so that a dead process is never mistaken for a living one. */
export type NodeId = string;

/** What is written down about one notification, always under the batch it was first stored in. */
export interface Note {
  readonly batch: BatchId;
  readonly place: number;
  /** Opaque to the store, except `queued`: such a notification is still under way and its record is kept. */
  readonly status: string;
  readonly reason?: string;
  /** Lines of text about the attempts, added to those that are there. May be empty. */
  readonly attempts: string;
  /** While it is queued: the retry that carries it on. */
  readonly waitsIn?: { readonly batch: BatchId; readonly place: number };
  /** What is told if this note counts; without it only its id is. */
  readonly events?: readonly NewEvent[];
  /** What the answer says about the device token; goes by if this note does not count, as do those below. */
  readonly verdict?: NewVerdict;
  /** Verdicts that this answer puts in doubt. */
  readonly restorations?: readonly Restoration[];
  /** Where the device token is known, if not in the environment of its batch: it is remembered, and told where only ids are. */
  readonly found?: FoundToken;
}
