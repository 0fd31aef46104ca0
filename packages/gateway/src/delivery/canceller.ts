import type { Clock } from "@carillon/apns";
import {
  type FoundBatch,
  type NodeId,
  outcomeCode,
  type QueueKey,
  type Store,
  StoreFullError,
} from "../store/index.ts";
import { decodeBatch } from "./batch/decoder.ts";
import type { BatchRun } from "./batch-run.ts";
import { QueueFullError } from "./delivery-errors.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { isInDoubt } from "./doubt.ts";
import type { Finder } from "./finder.ts";
import { type NotificationPlace, parseNotificationId } from "./notification-id.ts";
import { isFinal, type NotificationRecord } from "./notification-record.ts";
import type { QueueTally } from "./queue-tally.ts";

/** Whether a notification will never be sent, and as what it is known now. */
export type Cancellation =
  | { readonly kind: "cancelled"; readonly record: NotificationRecord }
  | { readonly kind: "too-late"; readonly cause: TooLate; readonly record: NotificationRecord };

/** `in-doubt`: an attempt had no answer, or none that is on disk, so that Apple may have it. */
export type TooLate = "final" | "in-flight" | "in-doubt";

export interface CancellerOptions {
  readonly store: Store;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly finder: Finder;
  readonly dispatcher: Dispatcher;
  readonly tally: QueueTally;
  /** It is final, and that is on disk. */
  readonly finished: (id: string) => void;
}

/** A batch may change hands so often while one of its notifications is being cancelled. */
const mostLooks = 20;
const fullDiskSeconds = 30;

/** Where a notification waits. */
interface Seat extends NotificationPlace {
  readonly queue: QueueKey;
  readonly bodyBytes: number;
  /** Its batch is, which says nothing of what is at-most-once. */
  readonly isInDoubt: boolean;
}

/**
 * Takes notifications back that were not sent. Who decides is who holds the batch: what waits in this node's memory is taken
 * out there and then cancelled on disk as this node's; what is on disk only is cancelled if nobody holds it.
 */
export class Canceller {
  readonly #options: CancellerOptions;
  /** By id, so that two callers are told the same. */
  readonly #underWay = new Map<string, Promise<Cancellation | undefined>>();

  constructor(options: CancellerOptions) {
    this.#options = options;
  }

  /** By our id or the caller's own; undefined when nobody knows it. */
  async cancel(app: string, id: string): Promise<Cancellation | undefined> {
    const record = await this.#find(app, id);
    if (record === undefined) return undefined;
    const underWay = this.#underWay.get(record.id) ?? this.#cancel(app, record.id);
    this.#underWay.set(record.id, underWay);
    try {
      return await underWay;
    } finally {
      this.#underWay.delete(record.id);
    }
  }

  async #cancel(app: string, id: string): Promise<Cancellation | undefined> {
    for (let looks = 0; ; looks += 1) {
      const record = await this.#find(app, id);
      if (record === undefined) return undefined;
      if (record.status === "cancelled") return { kind: "cancelled", record };
      if (isFinal(record.status)) return { kind: "too-late", cause: "final", record };
      // In other hands for that long: those of another node.
      if (looks === mostLooks) return { kind: "too-late", cause: "in-flight", record };
      const cause = await this.#tryOnce(id);
      if (cause === "in-doubt") return { kind: "too-late", cause, record };
      if (cause === "in-flight") return this.#underWayOrFinal(app, record);
      // It has just changed hands; what brought it there is done in a moment.
      if (cause === "again") await new Promise(setImmediate);
    }
  }

  /** Undefined: done. `again`: it was not where it seemed to be. */
  async #tryOnce(id: string): Promise<"in-doubt" | "in-flight" | "again" | undefined> {
    const { dispatcher, node } = this.#options;
    const seat = await this.#seatOf(id);
    if (typeof seat === "string") return seat;
    const run = dispatcher.withdraw(seat.queue, seat.batch, seat.place);
    if (run === "under-way") return "in-flight";
    const isCancelled =
      run === "elsewhere"
        ? await this.#cancelOnDisk(id, seat, undefined)
        : await this.#cancelInMemory(id, seat, run, node);
    if (isCancelled) this.#options.finished(id);
    return isCancelled ? undefined : "again";
  }

  async #cancelInMemory(id: string, seat: Seat, run: BatchRun, node: NodeId): Promise<boolean> {
    const { dispatcher } = this.#options;
    try {
      const isCancelled = await this.#cancelOnDisk(id, seat, node);
      dispatcher.leaveOut(seat.queue, run);
      return isCancelled;
    } catch (error) {
      dispatcher.putBack(seat.queue, run, seat.place);
      throw error;
    }
  }

  async #cancelOnDisk(id: string, seat: Seat, node: NodeId | undefined): Promise<boolean> {
    const { store, clock, tally } = this.#options;
    const origin = parseNotificationId(id) ?? seat;
    try {
      const result = await store.cancel({
        ...{ batch: seat.batch, place: seat.place, isInDoubt: seat.isInDoubt, atMs: clock.now() },
        note: { batch: origin.batch, place: origin.place, status: "cancelled", attempts: "" },
        ...(node === undefined ? {} : { node }),
      });
      if (result.kind !== "cancelled") return false;
      tally.add(seat.queue.app, -1, result.open === 0 ? -seat.bodyBytes : 0);
      return true;
    } catch (error) {
      throw error instanceof StoreFullError ? new QueueFullError(error.message, fullDiskSeconds) : error;
    }
  }

  async #seatOf(id: string): Promise<Seat | "in-doubt" | "in-flight" | "again"> {
    const { store } = this.#options;
    const origin = parseNotificationId(id);
    if (origin === undefined) return "again";
    const found = await store.find(origin.batch, [origin.place]);
    if (found === undefined) return "again";
    const code = found.outcomes?.[origin.place] ?? outcomeCode.open;
    if (code !== outcomeCode.noted) return seatOrDoubt(found, origin);
    const waitsIn = found.notes.get(origin.place)?.waitsIn;
    // Written down by an older carillon, which did not say where.
    if (waitsIn === undefined) return "in-flight";
    const retry = await store.find(waitsIn.batch, []);
    return retry === undefined ? "again" : seatOrDoubt(retry, waitsIn);
  }

  /** On its way, unless it has arrived in the meantime. */
  async #underWayOrFinal(app: string, before: NotificationRecord): Promise<Cancellation> {
    const record = (await this.#find(app, before.id)) ?? before;
    return { kind: "too-late", cause: isFinal(record.status) ? "final" : "in-flight", record };
  }

  async #find(app: string, id: string): Promise<NotificationRecord | undefined> {
    const [record] = await this.#options.finder.find(app, [id]);
    return record;
  }
}

/** Its seat, unless Apple may have it. */
function seatOrDoubt(
  found: FoundBatch,
  { batch, place }: NotificationPlace,
): Seat | "in-doubt" | "in-flight" | "again" {
  const { queue, body } = found;
  // Purged, or a retry that is done: it is final by now.
  if (body === undefined) return "again";
  const decoded = decodeBatch(body);
  if (decoded.kind === "malformed") return "in-flight";
  if (isInDoubt(found, decoded.batch, place)) return "in-doubt";
  return { queue, batch, place, bodyBytes: body.byteLength, isInDoubt: found.isInDoubt };
}
