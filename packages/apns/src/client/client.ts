import {
  ApnsChannels,
  type Broadcast,
  type BroadcastOutcome,
  type Carried,
  type ChannelRequest,
  prepareBroadcast,
  readBroadcast,
} from "../channels/index.ts";
import {
  type CertificateFinding,
  findCertificateFaults,
  type Identity,
  openCredentials,
  type PushCertificate,
} from "../credentials/index.ts";
import {
  type Notification,
  type PreparedNotification,
  Preparer,
  type Sender,
} from "../notification/index.ts";
import type { Outcome } from "../response/index.ts";
import { ApnsError, TurnTime } from "../runtime/index.ts";
import { AbortWatch } from "./abort-watch.ts";
import { ChannelExchange } from "./channel-exchange.ts";
import { type Exchange, Job, type Settled } from "./job.ts";
import { type ApnsClientOptions, readOptions, type Settings } from "./options.ts";
import { Pool } from "./pool.ts";
import { sendEach } from "./send-each.ts";
import type { PoolSnapshot } from "./snapshot.ts";

export interface SendOptions {
  /** Gives up when it fires: not written yet is `unprocessed`, written is `indeterminate`. */
  readonly signal?: AbortSignal;
  /** Tries that APNs may see of this one, 1 to 100. @default the client's `retry.attempts` */
  readonly attempts?: number;
}

export interface CloseOptions {
  /** How long to wait for what is outstanding, 0 to 3 600 000 ms. @default 10 000 */
  readonly deadlineMs?: number;
}

/** What notifications and broadcasts are held against. */
interface Rules {
  readonly topic: string | undefined;
  readonly mode: "strict" | "lenient";
  readonly sender: Sender;
}

/** Of a list of channels: 10,000 ids of up to 255 characters fit. */
const mostListBytes = 4_194_304;
const mostChannelConnections = 2;

/** Distinct warnings about notifications that a client logs, each once. */
const mostWarnings = 100;

const closedText = "the client was closed";
const gaveUp = "the caller gave up";

/**
 * Sends notifications to APNs over connections that it keeps. One client holds one credential for one environment; any
 * number of sends may be outstanding.
 *
 * @throws ApnsError from the constructor for options or credentials that cannot work
 */
export class ApnsClient {
  private readonly settings: Settings;
  private readonly identity: Identity;
  private readonly way: Way;
  /** To the management host; opened with the first request about channels. */
  private channelWay: Way | undefined;
  private readonly rules: Rules;
  private readonly preparer: Preparer;
  private readonly turn: TurnTime;
  private readonly warned = new Set<string>();
  private closing: Promise<void> | undefined;
  /** Makes, reads, lists and deletes broadcast channels. */
  readonly channels: ApnsChannels;

  constructor(options: ApnsClientOptions) {
    this.settings = readOptions(options);
    const identity = openCredentials(options.credentials, this.settings.clock);
    this.identity = identity;
    const { certificate } = identity;
    if (certificate !== undefined) checkCertificate(certificate, this.settings);
    this.rules = {
      topic: this.settings.topic ?? certificate?.mainTopic,
      mode: this.settings.validation,
      sender:
        identity.tokens === undefined
          ? { kind: "certificate", topics: certificate?.topics ?? [] }
          : { kind: "token" },
    };
    this.turn = new TurnTime(this.settings.clock);
    this.preparer = new Preparer(this.rules);
    this.way = openWay(this.settings, identity);
    this.channels = new ApnsChannels(
      (request, signal) => this.carry(request, signal && { signal }, () => this.openChannelWay()),
      this.rules,
    );
  }

  /**
   * Sends one notification. Resolves for every answer of APNs and for every failure of the network.
   *
   * Rejects with an ApnsError for a caller's mistake only: `bad-notification`, whose `problems` name the fields, or `closed`.
   */
  send(notification: Notification, options?: SendOptions): Promise<Outcome> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    const prepared = this.preparer.prepare(notification);
    if (prepared.kind === "refused") {
      const all = prepared.problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
      return Promise.reject(
        new ApnsError("bad-notification", `notification refused: ${all}`, prepared.problems),
      );
    }
    if (prepared.warning !== undefined) this.warnOnce(prepared.warning);
    return this.dispatch(this.way, prepared.notification, options);
  }

  /**
   * Sends what `prepareNotification` gave, without another look at it and without a promise: for those who check early and send many.
   *
   * @param settled gets the outcome and the same notification, once, perhaps before this returns. It must not throw.
   */
  sendPrepared<Given extends PreparedNotification>(
    notification: Given,
    settled: (outcome: Outcome, notification: Given) => void,
  ): void {
    const { pool } = this.way;
    const { deadlineMs, retry } = this.settings;
    const detail = this.closing === undefined ? this.whyNoMore(pool) : closedText;
    if (detail !== undefined) {
      const { apnsId } = notification;
      settled({ kind: "unprocessed", cause: "not-written", detail, apnsId, attempts: 0 }, notification);
      return;
    }
    const now = this.turn.now();
    pool.submit(new Job(notification, now + deadlineMs, retry.attempts, settled as Settled), now);
  }

  /**
   * Sends one message to every Live Activity that listens to a channel, over the connections for notifications. Resolves as `send`
   * does.
   *
   * Source: Apple, "Sending broadcast push notification requests to APNs".
   */
  async broadcast(broadcast: Broadcast, options?: SendOptions): Promise<BroadcastOutcome> {
    const request = prepareBroadcast(broadcast, this.rules);
    return readBroadcast(request, await this.carry(request, options, () => this.way));
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
    return this.way.pool.snapshot;
  }

  /** Takes nothing more, settles what is outstanding under a deadline, gives back the rest, closes every connection. */
  async close(options: CloseOptions = {}): Promise<void> {
    const { deadlineMs = 10_000 } = options;
    this.closing ??= Promise.all([
      this.way.pool.close(deadlineMs),
      this.channelWay?.pool.close(deadlineMs),
    ]).then(() => undefined);
    await this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Hands a job to a pool; `exchange` where it is no push to a device. */
  private dispatch(
    { pool, aborts }: Way,
    notification: PreparedNotification,
    options: SendOptions | undefined,
    exchange?: Exchange,
  ): Promise<Outcome> {
    const { deadlineMs, retry } = this.settings;
    const signal = options?.signal;
    const mostAttempts = options?.attempts ?? retry.attempts;
    if (!isAttempts(mostAttempts))
      return Promise.reject(new ApnsError("bad-option", "attempts must be a whole number from 1 to 100"));
    const detail = this.whyNoMore(pool);
    if (detail !== undefined) {
      const { apnsId } = notification;
      return Promise.resolve({ kind: "unprocessed", cause: "not-written", detail, apnsId, attempts: 0 });
    }
    const now = this.turn.now();
    return new Promise((resolve) => {
      const job = new Job(notification, now + deadlineMs, mostAttempts, resolve, exchange);
      if (signal?.aborted === true) {
        job.settle({ kind: "unprocessed", cause: "not-written", detail: gaveUp });
        return;
      }
      if (signal !== undefined) aborts.add(job, signal);
      pool.submit(job, now);
    });
  }

  private whyNoMore({ outstanding }: Pool): string | undefined {
    const { maxOutstanding } = this.settings;
    if (outstanding < maxOutstanding) return undefined;
    return `${maxOutstanding} sends are outstanding: wait for some of them`;
  }

  private async carry(
    request: ChannelRequest,
    options: SendOptions | undefined,
    way: () => Way,
  ): Promise<Carried> {
    if (this.closing !== undefined) throw closedError();
    const exchange = new ChannelExchange(request);
    const outcome = await this.dispatch(way(), exchange.notification, options, exchange);
    return { outcome, answer: exchange.answer };
  }

  private openChannelWay(): Way {
    const { settings } = this;
    this.channelWay ??= openWay(
      {
        ...settings,
        endpoint: settings.channelsEndpoint,
        maxConnections: Math.min(settings.maxConnections, mostChannelConnections),
        mostBodyBytes: mostListBytes,
      },
      this.identity,
    );
    return this.channelWay;
  }

  private warnOnce(warning: string): void {
    if (this.warned.has(warning) || this.warned.size >= mostWarnings) return;
    this.warned.add(warning);
    this.settings.logger.warn(warning);
  }
}

/** One place to send to, with whoever gave up on the way there. */
interface Way {
  readonly pool: Pool;
  readonly aborts: AbortWatch;
}

function openWay(settings: Settings, identity: Identity): Way {
  const pool = new Pool(settings, identity);
  return { pool, aborts: new AbortWatch((job) => pool.withdraw(job, gaveUp)) };
}

function isAttempts(attempts: number): boolean {
  return Number.isInteger(attempts) && attempts >= 1 && attempts <= 100;
}

function closedError(): ApnsError {
  return new ApnsError("closed", "the client was closed; make a new one");
}

/** @throws ApnsError `bad-certificate` for what APNs will refuse; with lenient validation it is only logged */
function checkCertificate(certificate: PushCertificate, settings: Settings): void {
  const { environment, topic, clock, logger, validation } = settings;
  const { faults, warnings } = findCertificateFaults(certificate, { environment, topic, nowMs: clock.now() });
  const wordsOf = ({ what, remedy }: CertificateFinding): string => `${what}: ${remedy}`;
  if (faults.length > 0 && validation === "strict")
    throw new ApnsError("bad-certificate", `the certificate ${faults.map(wordsOf).join("; it ")}`);
  for (const finding of [...faults, ...warnings]) logger.warn(`the certificate ${wordsOf(finding)}`);
}
