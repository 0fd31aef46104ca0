import { findCertificateFaults, openCredentials, type PushCertificate } from "../credentials/index.ts";
import { type Notification, type PrepareOptions, prepareNotification } from "../notification/index.ts";
import type { Outcome } from "../response/index.ts";
import { ApnsError } from "../runtime/index.ts";
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

/** Distinct warnings about notifications that a client logs, each once. */
const mostWarnings = 100;

/**
 * Sends notifications to APNs over connections that it keeps. One client holds one credential for one environment; any
 * number of sends may be outstanding.
 *
 * @throws ApnsError from the constructor for options or credentials that cannot work
 */
export class ApnsClient {
  private readonly settings: Settings;
  private readonly pool: Pool;
  private readonly prepareOptions: PrepareOptions;
  private readonly warned = new Set<string>();
  private closing: Promise<void> | undefined;

  constructor(options: ApnsClientOptions) {
    this.settings = readOptions(options);
    const identity = openCredentials(options.credentials, this.settings.clock);
    const { certificate } = identity;
    if (certificate !== undefined) checkCertificate(certificate, this.settings);
    this.prepareOptions = {
      topic: this.settings.topic ?? certificate?.mainTopic,
      mode: this.settings.validation,
      sender:
        identity.tokens === undefined
          ? { kind: "certificate", topics: certificate?.topics ?? [] }
          : { kind: "token" },
    };
    this.pool = new Pool(this.settings, identity);
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
    if (prepared.warning !== undefined) this.warnOnce(prepared.warning);
    const { apnsId } = prepared.notification;
    if (this.pool.outstanding >= maxOutstanding) {
      const detail = `${maxOutstanding} sends are outstanding: wait for some of them`;
      return Promise.resolve({ kind: "unprocessed", cause: "not-written", detail, apnsId, attempts: 0 });
    }
    return new Promise((resolve) => {
      const job = new Job(prepared.notification, clock.monotonic() + deadlineMs, resolve);
      if (options?.signal !== undefined && !this.watch(job, options.signal)) return;
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

  private warnOnce(warning: string): void {
    if (this.warned.has(warning) || this.warned.size >= mostWarnings) return;
    this.warned.add(warning);
    this.settings.logger.warn(warning);
  }

  /** False where the signal has fired already; the job is settled then. */
  private watch(job: Job, signal: AbortSignal): boolean {
    const detail = "the caller gave up";
    if (signal.aborted) {
      job.settle({ kind: "unprocessed", cause: "not-written", detail });
      return false;
    }
    const giveUp = (): void => this.pool.withdraw(job, detail);
    signal.addEventListener("abort", giveUp, { once: true });
    job.cleanUp = () => signal.removeEventListener("abort", giveUp);
    return true;
  }
}

/** @throws ApnsError `bad-certificate` for what APNs will refuse; with lenient validation it is only logged */
function checkCertificate(certificate: PushCertificate, settings: Settings): void {
  const { environment, topic, clock, logger, validation } = settings;
  const { faults, warnings } = findCertificateFaults(certificate, { environment, topic, nowMs: clock.now() });
  if (faults.length > 0 && validation === "strict")
    throw new ApnsError("bad-certificate", `the certificate ${faults.join("; it ")}`);
  for (const finding of [...faults, ...warnings]) logger.warn(`the certificate ${finding}`);
}
