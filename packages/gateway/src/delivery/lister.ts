import { type BatchHead, outcomeCode, type Store } from "../store/index.ts";
import { decodeBatch } from "./batch/decoder.ts";
import type { Finder } from "./finder.ts";
import { batchTimeText, type NotificationPlace } from "./notification-id.ts";
import type { NotificationRecord, NotificationStatus } from "./notification-record.ts";

/** Which notifications of an app are asked for. */
export interface ListRequest {
  readonly status?: NotificationStatus;
  /** Lower-case hex. */
  readonly deviceToken?: string;
  readonly reference?: string;
  /** Stored at this moment or later, epoch milliseconds. */
  readonly sinceMs?: number;
  /** Stored before this moment, epoch milliseconds. */
  readonly untilMs?: number;
  /** 1 to 1,000. */
  readonly limit: number;
  /** Where an earlier page ended. */
  readonly after?: NotificationPlace;
}

export interface NotificationPage {
  /** The newest first. May be fewer than asked for, or none, although there are more. */
  readonly records: readonly NotificationRecord[];
  /** Where this page ended; undefined when there is nothing more. */
  readonly next: NotificationPlace | undefined;
}

/** What one page may cost: batches looked at, so many at a time, and bytes of bodies read. */
const mostBatches = 2_000;
const batchesAtATime = 200;
const mostBodyBytes = 8 * 1024 * 1024;
/** So many notifications of one batch are looked up in one go. */
const placesAtATime = 100;
/** Ids begin with the time, but a batch may wait for the disk, or the clock go back. */
const slackMs = 60_000;

/**
 * Goes through an app's notifications, the newest id first. There is no index but that of ids: what a filter asks for is looked
 * for batch by batch, and a page ends when it is full or has cost enough.
 */
export class Lister {
  readonly #store: Store;
  readonly #finder: Finder;

  constructor(store: Store, finder: Finder) {
    this.#store = store;
    this.#finder = finder;
  }

  async list(app: string, request: ListRequest): Promise<NotificationPage> {
    const { after, sinceMs, untilMs } = request;
    const page = new Page(request, this.#store, this.#finder);
    const from = sinceMs === undefined ? {} : { from: batchTimeText(sinceMs - slackMs) };
    // The batch in which the last page ended is looked at once more.
    let before =
      after !== undefined
        ? `${after.batch}~`
        : untilMs === undefined
          ? undefined
          : batchTimeText(untilMs + slackMs);
    for (let looked = 0; looked < mostBatches; looked += batchesAtATime) {
      const { batches, last } = await this.#store.listBatches({
        ...{ app, limit: batchesAtATime },
        ...from,
        ...(before === undefined ? {} : { before }),
      });
      for (const head of batches) if (await page.add(head)) return page.result();
      if (last === undefined) return page.result("end");
      page.reached({ batch: last, place: 0 });
      before = last;
    }
    return page.result();
  }
}

/** One page while it is being filled. */
class Page {
  readonly #request: ListRequest;
  readonly #store: Store;
  readonly #finder: Finder;
  readonly #records: NotificationRecord[] = [];
  #next: NotificationPlace | undefined;
  #bodyBytes = 0;

  constructor(request: ListRequest, store: Store, finder: Finder) {
    this.#request = request;
    this.#store = store;
    this.#finder = finder;
  }

  result(end?: "end"): NotificationPage {
    return { records: this.#records, next: end === undefined ? this.#next : undefined };
  }

  /** All from here on to the newest was looked at. */
  reached(place: NotificationPlace): void {
    this.#next = place;
  }

  /** Looks through one batch. Resolves with whether the page ends there. */
  async add(head: BatchHead): Promise<boolean> {
    let places = this.#placesOf(head);
    while (places.length > 0) {
      const now = places.slice(0, placesAtATime);
      places = places.slice(placesAtATime);
      const records = await this.#recordsOf(head, now);
      if (records === undefined) break;
      for (const record of records) {
        this.#records.push(record);
        if (this.#records.length < this.#request.limit) continue;
        this.reached({ batch: head.id, place: placeOf(record) });
        return true;
      }
      this.reached({ batch: head.id, place: now.at(-1) ?? 0 });
      if (this.#bodyBytes >= mostBodyBytes) return true;
    }
    this.reached({ batch: head.id, place: 0 });
    return this.#bodyBytes >= mostBodyBytes;
  }

  /** The places that may be asked for, as far as the batch's row tells; the last one first. */
  #placesOf({ id, count, storedAtMs, outcomes }: BatchHead): number[] {
    const { status, after, sinceMs = 0, untilMs = Number.POSITIVE_INFINITY } = this.#request;
    if (storedAtMs < sinceMs || storedAtMs >= untilMs) return [];
    if (outcomes === undefined && !mayBe(status, outcomeCode.open)) return [];
    const end = after?.batch === id ? Math.min(after.place, count) : count;
    const places: number[] = [];
    for (let place = end - 1; place >= 0; place -= 1)
      if (mayBe(status, outcomes?.[place] ?? outcomeCode.open)) places.push(place);
    return places;
  }

  /** Those of `places` that are asked for; undefined when none of the whole batch is. */
  async #recordsOf(
    { id }: BatchHead,
    places: readonly number[],
  ): Promise<readonly NotificationRecord[] | undefined> {
    const { status, deviceToken, reference } = this.#request;
    const found = await this.#store.find(id, places);
    if (found === undefined) return undefined;
    this.#bodyBytes += found.body?.byteLength ?? 0;
    let wanted = places;
    if (deviceToken !== undefined || reference !== undefined) {
      if (found.body === undefined || !this.#mayHold(found.body)) return undefined;
      const decoded = decodeBatch(found.body);
      if (decoded.kind === "malformed") return undefined;
      wanted = places.filter((place) => {
        const entry = decoded.batch.entry(place);
        return (
          (deviceToken === undefined || entry.deviceToken === deviceToken) &&
          (reference === undefined || entry.reference === reference)
        );
      });
    }
    const records = this.#finder.recordsOf(id, found, wanted);
    return status === undefined ? records : records.filter((record) => record.status === status);
  }

  /** Whether the bytes of what is asked for stand anywhere: much faster than reading each entry. */
  #mayHold(body: Uint8Array): boolean {
    const { deviceToken, reference } = this.#request;
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return (
      (deviceToken === undefined || bytes.includes(deviceToken, 0, "hex")) &&
      (reference === undefined || bytes.includes(reference, 0, "utf8"))
    );
  }
}

function mayBe(status: NotificationStatus | undefined, code: number): boolean {
  switch (status) {
    case undefined:
      return true;
    case "accepted":
      return code === outcomeCode.accepted || code === outcomeCode.noted;
    case "queued":
    case "scheduled":
      return code !== outcomeCode.accepted;
    default:
      return code === outcomeCode.noted;
  }
}

function placeOf({ id }: NotificationRecord): number {
  return Number.parseInt(id.slice(-4), 16);
}
