import type { Clock } from "@carillon/apns";
import { StoreFullError, type WebhookStore } from "../../store/index.ts";
import type { InterruptibleWait } from "./interruptible-wait.ts";
import type { WebhookAttempt, WebhookProgress } from "./webhook.ts";

export interface KeptProgressOptions {
  readonly id: string;
  readonly progress: WebhookProgress;
  readonly store: WebhookStore;
  readonly clock: Clock;
  /** Waits for room on the disk; over when the endpoint is gone. */
  readonly wait: InterruptibleWait;
  /** How many attempts are kept for the list. */
  readonly keepAttempts: number;
  readonly logger: { warn(fields: object, message: string): void };
}

/** While the disk takes nothing. */
const troublePauseMs = 5_000;
/** What an endpoint passes over without a call is noted about so often, so that its place in the log does not grow old. */
const notePassedMs = 30_000;

/** How far the deliveries to one endpoint got, in memory and on disk. */
export class KeptProgress {
  readonly #options: KeptProgressOptions;
  #now: WebhookProgress;
  #savedMs: number;
  /** Of the last call, to be stored with what comes next. */
  #unsaved: WebhookAttempt | undefined;

  constructor(options: KeptProgressOptions) {
    this.#options = options;
    this.#now = options.progress;
    this.#savedMs = options.clock.monotonic();
  }

  get now(): WebhookProgress {
    return this.#now;
  }

  /** Holds from now on, and is stored with what comes next. */
  note(progress: WebhookProgress, attempt?: WebhookAttempt): void {
    this.#now = progress;
    this.#unsaved = attempt ?? this.#unsaved;
  }

  /** Holds from now on, and is on disk when this resolves. */
  async save(progress: WebhookProgress, attempt?: WebhookAttempt): Promise<void> {
    const { id, store, keepAttempts, clock, wait } = this.#options;
    this.note(progress, attempt);
    const line = this.#unsaved;
    const isKnown = await this.insist(() =>
      store.changeWebhook({
        id,
        progress: JSON.stringify(progress),
        ...(line === undefined ? {} : { attempt: JSON.stringify(line) }),
        keepAttempts,
      }),
    );
    this.#unsaved = undefined;
    this.#savedMs = clock.monotonic();
    if (!isKnown) wait.end();
  }

  /**
   * Everything up to this cursor was looked at, and nothing of it is to be sent.
   * @param when `soon`: in half a minute is early enough.
   */
  async passed(cursor: string | undefined, when: "now" | "soon"): Promise<void> {
    const hasMoved = cursor !== undefined && cursor !== this.#now.cursor;
    if (hasMoved) this.#now = { ...this.#now, cursor };
    const isTime = when === "now" || this.#options.clock.monotonic() - this.#savedMs >= notePassedMs;
    if (this.#unsaved !== undefined || (hasMoved && isTime)) await this.save(this.#now);
  }

  /** Tries until the disk has room, or all is over: what is not stored is not sent. */
  async insist<T>(write: () => Promise<T>): Promise<T> {
    const { id, logger, wait } = this.#options;
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StoreFullError) || wait.isOver) throw error;
        logger.warn({ webhook: id }, "a webhook waits for room on the disk");
        await wait.pause(troublePauseMs);
      }
    }
  }
}
