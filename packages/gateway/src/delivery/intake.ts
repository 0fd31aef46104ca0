import assert from "node:assert/strict";
import type { Clock } from "@carillon/apns";
import {
  type NewBatch,
  type NewRequestKey,
  type NodeId,
  type QueueKey,
  RequestKeyTakenError,
  type Store,
  StoreFullError,
} from "../store/index.ts";
import { decodeBatch } from "./batch/decoder.ts";
import { BatchEncoder } from "./batch/encoder.ts";
import type { BatchEntry } from "./batch/format.ts";
import { BatchRun } from "./batch-run.ts";
import { QueueFullError } from "./delivery-errors.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { type DraftRun, deviceTokenIn, type SharedDraft } from "./draft-run.ts";
import type { KnownEnvironments } from "./environment-resolver.ts";
import type { DeliveryPolicy, EnvironmentChoice, NotificationDraft } from "./notification-draft.ts";
import type { BatchIds } from "./notification-id.ts";
import { NotificationIds } from "./notification-ids.ts";
import type { QueueLimits, QueueTally } from "./queue-tally.ts";
import type { Remembering } from "./remembering.ts";

export interface IntakeOptions {
  readonly store: Store;
  readonly node: NodeId;
  readonly ids: BatchIds;
  readonly clock: Clock;
  readonly tally: QueueTally;
  readonly limits: QueueLimits;
  readonly dispatcher: Dispatcher;
}

/** So many bytes may wait for the disk; beyond that it is too slow for what is offered. */
const maxWaitingBytes = 64 * 1024 * 1024;
const retryAfterSeconds = { queueFull: 10, diskSlow: 1, diskFull: 30, keyTaken: 1 } as const;
/** What an entry costs beside its payload, roughly. */
const entryBytes = 64;

/** A batch that still takes notifications. */
interface OpenBatch {
  readonly id: string;
  readonly queue: QueueKey;
  readonly delivery: DeliveryPolicy;
  readonly choice: EnvironmentChoice;
  /** Absent: it is due at once. */
  readonly laterMs: number | undefined;
  readonly dueAtMs: number;
  readonly encoder: BatchEncoder;
  readonly ownIds: { place: number; apnsId: string }[];
}

interface Waiting {
  readonly ids: NotificationIds;
  readonly resolve: (ids: NotificationIds) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Puts submissions into batches and these on disk. What arrives while a commit runs waits for the next one, and so single
 * calls share batches without a timer; a submission lies in one commit as a whole, and is answered after it.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #batches: OpenBatch[] = [];
  /** Those of `#batches` that still take something, by what they have in common. */
  #open = new Map<string, OpenBatch>();
  /** The one that took a notification last. */
  #latest: OpenBatch | undefined;
  #waiting: Waiting[] = [];
  #keys: NewRequestKey[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** @param known where recipients of open drafts go that say another environment */
  take(
    app: string,
    drafts: readonly (NotificationDraft | DraftRun)[],
    remembering?: Remembering,
    known?: KnownEnvironments,
  ): Promise<NotificationIds> {
    const { tally, limits } = this.#options;
    const ids = new NotificationIds();
    const count = drafts.reduce((sum, draft) => sum + recipientsOf(draft), 0);
    const bytes = drafts.reduce((sum, draft) => sum + payloadBytesOf(draft), count * entryBytes);
    if (count === 0 && remembering === undefined) return Promise.resolve(ids);
    const refusal = tally.refusal(app, count, bytes, limits);
    if (refusal !== undefined)
      return Promise.reject(new QueueFullError(refusal, retryAfterSeconds.queueFull));
    if (this.#waitingBytes + bytes > maxWaitingBytes && this.#waitingBytes > 0)
      return Promise.reject(new QueueFullError("The disk cannot keep up.", retryAfterSeconds.diskSlow));

    const nowMs = this.#options.clock.now();
    for (const draft of drafts)
      if (isRun(draft)) this.#enterRun(app, draft, nowMs, ids, knownFor(draft.shared, known));
      else this.#enter(app, draft, nowMs, ids, knownFor(draft, known));
    if (remembering !== undefined) this.#remember(app, remembering, nowMs, ids);
    this.#waitingBytes += bytes;
    tally.add(app, count, bytes);
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        this.#waitingBytes -= bytes;
      };
      this.#waiting.push({
        ids,
        resolve(given) {
          settled();
          // From here on the batches count, not the estimate.
          tally.add(app, 0, -bytes);
          resolve(given);
        },
        reject(error) {
          settled();
          tally.add(app, -count, -bytes);
          reject(error);
        },
      });
      this.#write();
    });
  }

  /** Resolves when nothing is being written any more. */
  idle(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #remember(app: string, { key, replaces, record }: Remembering, atMs: number, ids: NotificationIds): void {
    const known = replaces === undefined ? {} : { replaces };
    this.#keys.push({ app, key, record: record(ids), atMs, ...known });
  }

  #enter(
    app: string,
    draft: NotificationDraft,
    nowMs: number,
    ids: NotificationIds,
    known: KnownEnvironments | undefined,
  ): void {
    const { payload, reference, apnsId, registeredAtMs } = draft;
    const shared: Omit<BatchEntry, "deviceToken"> = {
      payload,
      settings: draft,
      ...(reference === undefined ? undefined : { reference }),
      ...(apnsId === undefined ? undefined : { apnsId }),
      ...(registeredAtMs === undefined ? undefined : { registeredAtMs }),
    };
    for (const deviceToken of draft.deviceTokens) {
      const batch = this.#batchFor(app, draft, nowMs, known?.get(deviceToken));
      const place = batch.encoder.add(deviceToken, shared);
      if (apnsId !== undefined) batch.ownIds.push({ place, apnsId });
      ids.add(batch.id, place);
    }
  }

  #enterRun(
    app: string,
    run: DraftRun,
    nowMs: number,
    ids: NotificationIds,
    known: KnownEnvironments | undefined,
  ): void {
    for (let recipient = 0; recipient < run.recipients; recipient += 1) {
      const there = known?.get(deviceTokenIn(run, recipient));
      const batch = this.#batchFor(app, run.shared, nowMs, there);
      ids.add(batch.id, batch.encoder.addFromRun(run, recipient));
    }
  }

  #batchFor(
    app: string,
    draft: SharedDraft,
    nowMs: number,
    environment: string = draft.environment,
  ): OpenBatch {
    const { lane, delivery, dueAtMs = 0, environmentChoice: choice = "fixed" } = draft;
    const laterMs = dueAtMs > nowMs ? dueAtMs : undefined;
    const known = this.#latest;
    // Most come in a row. Asked by fields, for a name would have to be made for each.
    if (
      known !== undefined &&
      known.queue.app === app &&
      known.queue.environment === environment &&
      known.queue.lane === lane &&
      known.delivery === delivery &&
      known.choice === choice &&
      known.laterMs === laterMs &&
      !known.encoder.isFull
    )
      return known;
    const name = `${laterMs ?? "now"} ${delivery} ${choice} ${lane} ${environment} ${app}`;
    this.#latest = this.#batchNamed(name, () => ({
      id: this.#options.ids.next(),
      queue: { app, environment, lane },
      ...{ delivery, choice, laterMs, dueAtMs: laterMs ?? nowMs },
      ...{ encoder: new BatchEncoder(delivery, choice), ownIds: [] },
    }));
    return this.#latest;
  }

  #batchNamed(name: string, make: () => OpenBatch): OpenBatch {
    const known = this.#open.get(name);
    if (known !== undefined && !known.encoder.isFull) return known;
    const batch = make();
    this.#open.set(name, batch);
    this.#batches.push(batch);
    return batch;
  }

  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    // Whatever the event loop has at hand now goes along.
    setImmediate(() => void this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      const batches = this.#batches.map((batch) => this.#close(batch));
      const keys = this.#keys;
      this.#waiting = [];
      this.#keys = [];
      this.#batches = [];
      this.#open = new Map();
      this.#latest = undefined;
      let bodies: readonly Uint8Array[];
      try {
        bodies = await this.#options.store.add(batches, ...(keys.length === 0 ? [] : [keys]));
      } catch (error) {
        const cause = refusalOf(error);
        for (const { reject } of waiting) reject(cause);
        continue;
      }
      batches.forEach((batch, index) => {
        this.#stored(batch, bodies[index] ?? batch.body);
      });
      for (const { resolve, ids } of waiting) resolve(ids);
    }
    this.#isWriting = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #close({ id, queue, dueAtMs, encoder, ownIds }: OpenBatch): NewBatch {
    const { node, dispatcher, clock } = this.#options;
    return {
      id,
      queue,
      count: encoder.count,
      dueAtMs,
      storedAtMs: clock.now(),
      kind: "original",
      body: encoder.finish(),
      ...(dispatcher.keeps(queue, dueAtMs) ? { leaseTo: node } : {}),
      ownIds,
    };
  }

  #stored(batch: NewBatch, body: Uint8Array): void {
    const { dispatcher, tally } = this.#options;
    tally.add(batch.queue.app, 0, body.byteLength);
    if (batch.leaseTo === undefined) dispatcher.storedOnDisk(batch.queue, batch.dueAtMs);
    else {
      const decoded = decodeBatch(body);
      assert(decoded.kind === "decoded", "a batch that was just encoded can be read");
      dispatcher.adopt(batch.queue, new BatchRun(batch.id, decoded.batch, batch.dueAtMs));
    }
  }
}

/** Undefined where nothing is known of any recipient, so that none is asked about. */
function knownFor(
  { environmentChoice }: Pick<SharedDraft, "environmentChoice">,
  known: KnownEnvironments | undefined,
): KnownEnvironments | undefined {
  return environmentChoice === "open" && known !== undefined && known.size > 0 ? known : undefined;
}

function isRun(draft: NotificationDraft | DraftRun): draft is DraftRun {
  return "spans" in draft;
}

function recipientsOf(draft: NotificationDraft | DraftRun): number {
  return isRun(draft) ? draft.recipients : draft.deviceTokens.length;
}

function payloadBytesOf(draft: NotificationDraft | DraftRun): number {
  return isRun(draft) ? draft.payloadBytes : draft.payload.byteLength;
}

/** What those are told whose commit failed. */
function refusalOf(error: unknown): Error {
  if (error instanceof StoreFullError) return new QueueFullError(error.message, retryAfterSeconds.diskFull);
  // Another gateway took the same request at the same moment: the next try finds what it stored.
  if (error instanceof RequestKeyTakenError)
    return new QueueFullError(error.message, retryAfterSeconds.keyTaken);
  return error as Error;
}
