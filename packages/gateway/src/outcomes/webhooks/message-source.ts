import { createHash } from "node:crypto";
import type { EventReader } from "../event-log.ts";
import { type Batch, BatchSource, type EventFilter } from "./batch-source.ts";
import type { WebhookProgress } from "./webhook.ts";

/** A message as it is sent, and sent again. */
export interface Message extends Batch {
  readonly id: string;
  /** It has most of what it may have: more waits behind it. */
  readonly isFull: boolean;
}

export interface MessageSourceOptions {
  /** Of the endpoint. */
  readonly id: string;
  /** How often it was begun anew. */
  readonly replays: number;
  readonly events: EventReader;
  readonly filter: EventFilter;
  /** Of one body, roughly; asked anew for each. */
  readonly bytes: () => number;
}

/**
 * What goes to one endpoint next, some of it made ahead of time. As the log never changes, a new start makes the same bytes
 * of what was in hand; and as the id is made of the bytes, they carry the same id, or another one if they are not the same.
 */
export class MessageSource {
  readonly #options: MessageSourceOptions;
  #batches: BatchSource | undefined;
  #ahead: Promise<Message | undefined> | undefined;

  constructor(options: MessageSourceOptions) {
    this.#options = options;
  }

  /** When nothing waits: everything up to here was looked at. */
  get passed(): string | undefined {
    return this.#ahead === undefined ? this.#batches?.passed : undefined;
  }

  /**
   * The next message, or undefined when there is none. From where `progress` says, or behind the one before.
   * @throws {CursorError} what comes next is not kept any more
   */
  async next({ cursor, inHand }: WebhookProgress): Promise<Message | undefined> {
    if (this.#ahead !== undefined) {
      const ahead = await this.#ahead;
      this.#ahead = undefined;
      if (ahead !== undefined) return ahead;
    }
    if (this.#batches === undefined) {
      const { events, filter } = this.#options;
      this.#batches = new BatchSource(events, filter, cursor);
      if (inHand !== undefined) {
        await this.#batches.fill({ events: inHand.events, bytes: 0 });
        const batch = this.#batches.take({ events: inHand.events, bytes: Number.POSITIVE_INFINITY });
        return this.#named(batch, this.#options.bytes());
      }
    }
    return this.#make(this.#batches);
  }

  /** Makes the one behind this, while this one is under way. What goes wrong is told to whoever asks for it. */
  prepare(): void {
    if (this.#batches === undefined) return;
    this.#ahead = this.#make(this.#batches);
    this.#ahead.catch(() => undefined);
  }

  /** Begins anew where `progress` says; nothing is held meanwhile. */
  forget(): void {
    this.#batches = undefined;
    this.#ahead = undefined;
  }

  async #make(batches: BatchSource): Promise<Message | undefined> {
    const bytes = this.#options.bytes();
    await batches.fill({ events: 1, bytes });
    return this.#named(batches.take({ events: Number.POSITIVE_INFINITY, bytes }), bytes);
  }

  #named(batch: Batch | undefined, bytes: number): Message | undefined {
    if (batch === undefined) return undefined;
    const { id, replays } = this.#options;
    const hash = createHash("sha256").update(`${id} ${replays} `).update(batch.body);
    const isFull = batch.body.byteLength * 2 > bytes;
    return { ...batch, id: `msg_${hash.digest("base64url").slice(0, 27)}`, isFull };
  }
}
