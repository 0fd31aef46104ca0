import type { FoundBatch, Store } from "../store/index.ts";
import { type BatchReader, decodeBatch } from "./batch/decoder.ts";
import type { BatchEntry } from "./batch/format.ts";
import { isInDoubt } from "./doubt.ts";
import type { Finder } from "./finder.ts";
import type { DeliveryPolicy } from "./notification-draft.ts";
import { type NotificationPlace, parseNotificationId } from "./notification-id.ts";
import { isFinal, type NotificationRecord } from "./notification-record.ts";

/** What Apple is given of a notification, and how. */
export interface NotificationContent
  extends Pick<BatchEntry, "deviceToken" | "payload" | "settings" | "registeredAtMs"> {
  readonly delivery: DeliveryPolicy;
}

/** A notification's record, and what is known besides. Times are epoch milliseconds. */
export interface Inspection {
  readonly record: NotificationRecord;
  readonly storedAtMs: number;
  /** Not to be sent before this moment; that of `storedAtMs` where it was to leave at once. */
  readonly dueAtMs: number;
  /** When the latest outcome of its batch was written: its own not later than that, unless it was tried again. */
  readonly settledAtMs?: number;
  /** Absent once it was dropped. */
  readonly content?: NotificationContent;
  /** While it waits to be tried again: when. */
  readonly nextTryAtMs?: number;
  /** It is not settled, and Apple may have it: an attempt had no answer, or a gateway was killed that held it. */
  readonly isInDoubt: boolean;
}

/** Looks closely at one notification. */
export class Inspector {
  readonly #store: Store;
  readonly #finder: Finder;

  constructor(store: Store, finder: Finder) {
    this.#store = store;
    this.#finder = finder;
  }

  /** By our id or the caller's own; undefined when nobody knows it. */
  async inspect(app: string, id: string): Promise<Inspection | undefined> {
    const place = parseNotificationId(id);
    const ours = place && (await this.#inspectPlace(app, place));
    if (ours !== undefined) return ours;
    const own = await this.#store.findOwnId(app, id.toLowerCase());
    return own && this.#inspectPlace(app, own);
  }

  async #inspectPlace(app: string, { batch, place }: NotificationPlace): Promise<Inspection | undefined> {
    const found = await this.#store.find(batch, [place]);
    if (found === undefined || found.queue.app !== app) return undefined;
    const [record] = this.#finder.recordsOf(batch, found, [place]);
    if (record === undefined) return undefined;
    const { storedAtMs, dueAtMs, settledAtMs } = found;
    const waitsIn = found.notes.get(place)?.waitsIn;
    const retry = waitsIn && (await this.#store.find(waitsIn.batch, []));
    const content = contentOf(found, place) ?? (retry && contentOf(retry, waitsIn.place));
    const isOpen = !isFinal(record.status);
    return {
      ...{ record, storedAtMs, dueAtMs },
      ...(settledAtMs === undefined ? {} : { settledAtMs }),
      ...(content === undefined ? {} : { content }),
      ...(retry === undefined ? {} : { nextTryAtMs: retry.dueAtMs }),
      isInDoubt: isOpen && isDoubtful(retry ?? found, waitsIn?.place ?? place),
    };
  }
}

function isDoubtful(found: FoundBatch, place: number): boolean {
  const reader = readerOf(found);
  return reader !== undefined && isInDoubt(found, reader, place);
}

function contentOf(found: FoundBatch, place: number): NotificationContent | undefined {
  const reader = readerOf(found);
  if (reader === undefined) return undefined;
  const { deviceToken, payload, settings, registeredAtMs } = reader.entry(place);
  return {
    ...{ deviceToken, payload, settings, delivery: reader.delivery },
    ...(registeredAtMs === undefined ? {} : { registeredAtMs }),
  };
}

function readerOf({ body }: FoundBatch): BatchReader | undefined {
  const decoded = body && decodeBatch(body);
  return decoded?.kind === "decoded" ? decoded.batch : undefined;
}
