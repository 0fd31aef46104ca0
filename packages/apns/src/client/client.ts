import { openCredentials } from "../credentials/index.ts";
import { type Notification, type PrepareOptions, prepareNotification } from "../notification/index.ts";
import type { Outcome } from "../response/index.ts";
import { ApnsError } from "../runtime/index.ts";
import { AbortWatch } from "./abort-watch.ts";
import { Job } from "./job.ts";
import { type ApnsClientOptions, readOptions, type Settings } from "./options.ts";
import { Pool } from "./pool.ts";
import { sendEach } from "./send-each.ts";
import type { PoolSnapshot } from "./snapshot.ts";

export interface SendOptions {
  /** Gives up when it fires: not written yet is `unprocessed`, written is `indeterminate`. */
  readonly signal?: AbortSignal;
}

export interface CloseOptions {
  /** How long to wait for what is outstanding, 0 to 3 600 000 ms. @default 10 000 */
  readonly deadlineMs?: number;
}

const gaveUp = "the caller gave up";

/**
 * Sends notifications to APNs over connections that it keeps. One client holds one credential for one environment; any
 * number of sends may be outstanding.
 *
 * @throws ApnsError from the constructor for options or credentials that cannot work
 */
export class ApnsClient {
  private readonly settings: Settings;
  private readonly pool: Pool;
  private readonly aborts = new AbortWatch((job) => this.pool.withdraw(job, gaveUp));
  private readonly prepareOptions: PrepareOptions;
  private closing: Promise<void> | undefined;

  constructor(options: ApnsClientOptions) {
    this.settings = readOptions(options);
    this.prepareOptions = { topic: this.settings.topic, mode: this.settings.validation };
    this.pool = new Pool(this.settings, openCredentials(options.credentials, this.settings.clock));
  }

  /**
   * Sends one notification. Resolves for every answer of APNs and for every failure of the network.
   *
   * Rejects with an ApnsError for a caller's mistake only: `bad-notification`, whose `problems` name the fields, or `closed`.
   */
  send(notification: Notification, options?: SendOptions): Promise<Outcome> {
    if (this.closing !== undefined)
      return Promise.reject(new ApnsError("closed", "the client was closed; make a new one"));
    const { clock, deadlineMs, maxOutstanding } = this.settings;
    const prepared = prepareNotification(notification, this.prepareOptions);
    if (prepared.kind === "refused") {
      const all = prepared.problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
      return Promise.reject(
        new ApnsError("bad-notification", `notification refused: ${all}`, prepared.problems),
      );
    }
    const { apnsId } = prepared.notification;
    if (this.pool.outstanding >= maxOutstanding) {
      const detail = `${maxOutstanding} sends are outstanding: wait for some of them`;
      return Promise.resolve({ kind: "unprocessed", cause: "not-written", detail, apnsId, attempts: 0 });
    }
    return new Promise((resolve) => {
      const job = new Job(prepared.notification, clock.monotonic() + deadlineMs, resolve);
      const signal = options?.signal;
      if (signal?.aborted === true) {
        job.settle({ kind: "unprocessed", cause: "not-written", detail: gaveUp });
        return;
      }
      if (signal !== undefined) this.aborts.add(job, signal);
      this.pool.submit(job);
    });
  }

  /**
   * Sends everything an iterable gives, taking no more from it than can be under way, and yields each outcome as it comes. A
   * notification that is refused yields its ApnsError in place of an outcome, so that one bad entry does not end the rest.
   */
  sendAll(
    notifications: Iterable<Notification> | AsyncIterable<Notification>,
    options?: SendOptions,
  ): AsyncGenerator<{ readonly notification: Notification; readonly outcome: Outcome | ApnsError }, void> {
    return sendEach(notifications, (notification) => this.send(notification, options));
  }

  /** The connections and what waits, at this moment. */
  snapshot(): PoolSnapshot {
    return this.pool.snapshot;
  }

  /** Takes nothing more, settles what is outstanding under a deadline, gives back the rest, closes every connection. */
  async close(options: CloseOptions = {}): Promise<void> {
    const { deadlineMs = 10_000 } = options;
    this.closing ??= this.pool.close(deadlineMs);
    await this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
