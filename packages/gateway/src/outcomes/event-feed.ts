import { Readable } from "node:stream";
import type { Clock, Timer } from "@carillon/apns";
import type { EventType } from "./event.ts";
import type { WrittenPage } from "./event-log.ts";
import type { EventLog } from "./stored-event-log.ts";

export interface FeedLimits {
  /** @default 256 */
  readonly maxFollowers: number;
  /** A follower that takes nothing for so long is cut. @default 30,000 */
  readonly stalledMs: number;
}

export const defaultFeedLimits: FeedLimits = { maxFollowers: 256, stalledMs: 30_000 };

export interface EventFeedOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly limits: FeedLimits;
  readonly logger: { info(fields: object, message: string): void };
}

/** What a follower wants to hear. */
export interface FeedQuery {
  readonly after?: string;
  readonly app?: string;
  readonly types?: readonly EventType[];
}

/** A page as it goes to everyone who reads it. */
interface EncodedPage {
  readonly bytes: Buffer;
  readonly cursor: string;
}

/** Pages end where multiples of this are reached. */
const stride = 256;
/** So many pages are kept for those who come a little later. */
const keptPages = 32;
/** News is told at most so often, so that much of it goes in one page. */
const wakeEveryMs = 50;
/** A comment goes out where nothing else does, so that nobody on the way takes the connection for dead. */
const heartbeatEveryMs = 15_000;

/**
 * The log for those who stay: as server-sent events (HTML Standard, "Server-sent events"). Followers fetch page by page as
 * fast as they read, and nothing is queued for them; a page is read and encoded once for all who want the same.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #pages = new Map<string, Promise<EncodedPage>>();
  readonly #followers = new Set<Follower>();
  readonly #stopListening: () => void;
  #waiting: ((news: "more" | "nothing") => void)[] = [];
  #version = 0;
  #wakeTimer: Timer | undefined;
  #heartbeat: Timer | undefined;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#stopListening = options.log.onAppended(() => this.#appended());
    this.#planHeartbeat();
  }

  /** Whether no more followers are taken. */
  get isFull(): boolean {
    return this.#followers.size >= this.#options.limits.maxFollowers;
  }

  /** @throws {CursorError} as reading does */
  async follow(query: FeedQuery): Promise<Readable> {
    const after = query.after ?? (await this.#options.log.ends()).oldest;
    const first = await this.#page(after, query);
    const follower: Follower = new Follower({
      first,
      clock: this.#options.clock,
      stalledMs: this.#options.limits.stalledMs,
      next: (cursor) => this.#next(cursor, query),
      stalled: (cursor) =>
        this.#options.logger.info({ cursor }, "a follower of events took nothing and was cut"),
      closed: () => this.#followers.delete(follower),
    });
    this.#followers.add(follower);
    return follower;
  }

  /** Ends all streams. */
  close(): void {
    this.#stopListening();
    this.#wakeTimer?.cancel();
    this.#heartbeat?.cancel();
    for (const follower of this.#followers) follower.end();
    this.#tell("nothing");
  }

  /** The next page that says something, or a sign of life. */
  async #next(cursor: string, query: FeedQuery): Promise<EncodedPage> {
    let at = cursor;
    for (;;) {
      const version = this.#version;
      const page = await this.#page(at, query);
      if (page.bytes.length > 0) return page;
      if (page.cursor === at && (await this.#news(version)) === "nothing")
        return { bytes: Buffer.from(`: nothing new\nid: ${at}\n\n`), cursor: at };
      at = page.cursor;
    }
  }

  #page(after: string, query: FeedQuery): Promise<EncodedPage> {
    const name = JSON.stringify([after, query.app, query.types]);
    const known = this.#pages.get(name);
    if (known !== undefined) return known;
    const page = this.#options.log.readStride({ ...query, after }, stride).then(encode);
    this.#pages.set(name, page);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= keptPages) break;
      this.#pages.delete(oldest);
    }
    // Nothing yet is no page, and an error is nobody else's.
    const forget = (): void => {
      if (this.#pages.get(name) === page) this.#pages.delete(name);
    };
    void page.then(({ cursor }) => cursor === after && forget(), forget);
    return page;
  }

  #news(version: number): Promise<"more" | "nothing"> {
    if (this.#version !== version && this.#wakeTimer === undefined) return Promise.resolve("more");
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #appended(): void {
    this.#version += 1;
    this.#wakeTimer ??= this.#options.clock.setTimer(() => {
      this.#wakeTimer = undefined;
      this.#tell("more");
    }, wakeEveryMs);
  }

  #tell(news: "more" | "nothing"): void {
    for (const tell of this.#waiting.splice(0)) tell(news);
  }

  #planHeartbeat(): void {
    this.#heartbeat = this.#options.clock.setTimer(() => {
      this.#tell("nothing");
      this.#planHeartbeat();
    }, heartbeatEveryMs);
  }
}

interface FollowerOptions {
  readonly first: EncodedPage;
  readonly clock: Clock;
  readonly stalledMs: number;
  readonly next: (cursor: string) => Promise<EncodedPage>;
  readonly stalled: (cursor: string) => void;
  readonly closed: () => void;
}

/** One who follows. Holds one page at a time, and asks for the next when that was taken. */
class Follower extends Readable {
  readonly #options: FollowerOptions;
  #cursor: string;
  #isAsking = false;
  #hasEnded = false;
  #stallTimer: Timer | undefined;

  constructor(options: FollowerOptions) {
    super({ highWaterMark: 1 });
    this.#options = options;
    this.#cursor = options.first.cursor;
    // Headers reach the other side with the first bytes.
    this.#give({ ...options.first, bytes: Buffer.concat([Buffer.from(":\n\n"), options.first.bytes]) });
  }

  override _read(): void {
    this.#stallTimer?.cancel();
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#options.next(this.#cursor).then(
      (page) => {
        this.#isAsking = false;
        if (!this.destroyed && !this.#hasEnded) this.#give(page);
      },
      // Too slow for what is kept, or the store is gone: whoever comes again is told which.
      () => this.end(),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stallTimer?.cancel();
    this.#options.closed();
    done(error);
  }

  /** Nothing more comes. */
  end(): void {
    if (this.destroyed || this.#hasEnded) return;
    this.#hasEnded = true;
    this.push(null);
  }

  #give({ bytes, cursor }: EncodedPage): void {
    const { clock, stalledMs, stalled } = this.#options;
    this.#cursor = cursor;
    this.#stallTimer = clock.setTimer(() => {
      stalled(cursor);
      this.destroy();
    }, stalledMs);
    this.push(bytes);
  }
}

function encode({ items, cursor: until }: WrittenPage): EncodedPage {
  const text = items.map(({ cursor, type, text }) => `id: ${cursor}\nevent: ${type}\ndata: ${text}\n\n`);
  return { bytes: Buffer.from(text.join("")), cursor: until };
}
