import type { EventType } from "../event.ts";
import type { EventReader } from "../event-log.ts";

/** Which events an endpoint hears of. */
export interface EventFilter {
  readonly app?: string;
  readonly types?: readonly EventType[];
}

/** Some events in order, as they go out. */
export interface Batch {
  /** The text `{"items":[…]}`. */
  readonly body: Buffer;
  readonly events: number;
  /** The cursor of the last one. */
  readonly until: string;
}

interface WaitingEvent {
  readonly cursor: string;
  readonly text: string;
  readonly bytes: number;
}

/** What reading ahead aims at. */
interface Enough {
  /** So many events, wherever the log goes on. */
  readonly events: number;
  /** So many bytes, as long as whole pages come. */
  readonly bytes: number;
}

/** So many at most are read at a time. */
const pageEvents = 1_000;

/** The events behind a cursor, written down as they go out, some of them ahead of time. */
export class BatchSource {
  readonly #reader: EventReader;
  readonly #filter: EventFilter;
  #waiting: WaitingEvent[] = [];
  #waitingBytes = 0;
  #readUntil: string | undefined;
  #filling: Promise<void> | undefined;

  /** @param after absent: from the oldest that is kept */
  constructor(reader: EventReader, filter: EventFilter, after: string | undefined) {
    this.#reader = reader;
    this.#filter = filter;
    this.#readUntil = after;
  }

  /** When nothing waits: everything up to here was looked at. */
  get passed(): string | undefined {
    return this.#waiting.length === 0 ? this.#readUntil : undefined;
  }

  /**
   * Reads on until enough waits, or there is no more. One call at a time reads; others wait for it.
   * @throws {CursorError} what comes next is not kept any more
   */
  async fill(enough: Enough): Promise<void> {
    this.#filling ??= this.#fill(enough).finally(() => {
      this.#filling = undefined;
    });
    await this.#filling;
  }

  /** Takes what waits, at most so many events, and more bytes only if one event alone has more. */
  take({ events, bytes }: { readonly events: number; readonly bytes: number }): Batch | undefined {
    let count = 0;
    let length = 0;
    for (const written of this.#waiting) {
      if (count > 0 && (count === events || length + written.bytes > bytes)) break;
      count += 1;
      length += written.bytes;
    }
    const taken = this.#waiting.splice(0, count);
    const last = taken.at(-1);
    if (last === undefined) return undefined;
    this.#waitingBytes -= length;
    const body = Buffer.from(`{"items":[${taken.map(({ text }) => text).join(",")}]}`);
    return { body, events: count, until: last.cursor };
  }

  async #fill({ events, bytes }: Enough): Promise<void> {
    let isShort = false;
    while (this.#waiting.length < events || (this.#waitingBytes < bytes && !isShort)) {
      const after = this.#readUntil;
      const page = await this.#reader.readWritten({
        ...this.#filter,
        ...(after === undefined ? {} : { after }),
        limit: pageEvents,
      });
      for (const { cursor, text } of page.items) {
        const textBytes = Buffer.byteLength(text);
        this.#waiting.push({ cursor, text, bytes: textBytes });
        this.#waitingBytes += textBytes;
      }
      this.#readUntil = page.cursor;
      if (page.cursor === after) return;
      isShort = page.items.length > 0 && page.items.length < pageEvents;
    }
  }
}
