import { createHash } from "node:crypto";
import type { Clock, Random } from "@carillon/apns";
import { StoreFullError, type WebhookStore } from "../../store/index.ts";
import { CursorError, type EventReader } from "../event-log.ts";
import { type Batch, BatchSource } from "./batch-source.ts";
import type { CallResult, Receiver } from "./receiver.ts";
import { type DisabledCause, isDelivered, judgeCall, type RetrySchedule } from "./retry-schedule.ts";
import { signMessage } from "./signature.ts";
import { secretsAt, type WebhookAttempt, type WebhookProgress, type WebhookSettings } from "./webhook.ts";

export interface LoopOptions {
  readonly id: string;
  readonly settings: WebhookSettings;
  readonly progress: WebhookProgress;
  readonly receiver: Receiver;
  readonly events: EventReader;
  readonly store: WebhookStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly schedule: RetrySchedule;
  readonly limits: LoopLimits;
  readonly userAgent: string;
  readonly logger: WebhookLogger;
  /** Told before `disabled` is stored, so that nobody is disabled in silence. */
  readonly disabling: (cause: DisabledCause) => Promise<void>;
}

export interface LoopLimits {
  /** Of one body, roughly; one event alone may have more. */
  readonly batchBytes: number;
  /** Calls that are not full begin so far apart at least, so that much news goes in one. */
  readonly gatherMs: number;
  /** How many attempts are kept for the list. */
  readonly keepAttempts: number;
}

/** What webhooks tell the log; a pino logger is one. */
export interface WebhookLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** While the disk takes nothing, or the log gives nothing. */
const troublePauseMs = 5_000;
/** What an endpoint passes over without a call is noted about so often, so that its place in the log does not grow old. */
const notePassedMs = 30_000;
/** A clock that was set back must not make anybody wait for longer. */
const longestWaitMs = 2 * 3_600_000;

/** A message as it is sent, and sent again. */
interface Message extends Batch {
  readonly id: string;
}

/**
 * Delivers to one endpoint: one batch after the other, in the order of the log, the next only when the last was taken.
 *
 * What is about to be sent is stored before: how many events behind the cursor. As the log never changes, a new start makes the
 * same bytes of them; and as the id is made of the bytes, they carry the same id, or another one if they are not the same.
 */
export class DeliveryLoop {
  readonly #options: LoopOptions;
  readonly #stopListening: () => void;
  readonly #ended: Promise<void>;
  #progress: WebhookProgress;
  #source: BatchSource | undefined;
  #isStopped = false;
  #hasNews = false;
  /** Ends waiting for news. */
  #wake: () => void = () => undefined;
  /** Ends every waiting. */
  #interrupt: () => void = () => undefined;
  #isSending = false;
  #callEnded: () => void = () => undefined;
  /** The last batch was full: more waits, and is sent without a pause. */
  #isBehind = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #savedMs: number;
  /** Of the last call, to be stored with what comes next. */
  #unsaved: WebhookAttempt | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#progress = options.progress;
    this.#savedMs = options.clock.monotonic();
    this.#stopListening = options.events.onAppended(() => {
      this.#hasNews = true;
      this.#wake();
    });
    this.#ended = this.#run().catch((error) => {
      if (this.#isStopped) return;
      // The store has failed for good: the gateway ends, and a new start goes on from what is stored.
      options.logger.error(
        { webhook: options.id, detail: String(error) },
        "deliveries to a webhook have ended",
      );
    });
  }

  get progress(): WebhookProgress {
    return this.#progress;
  }

  /** Waits for the call under way, at most so long; then nothing is sent any more. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#stopListening();
    this.#interrupt();
    if (this.#isSending && graceMs > 0) await this.#untilCallEnds(graceMs);
    this.#options.receiver.close();
    await this.#ended;
  }

  #untilCallEnds(graceMs: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(resolve, graceMs);
      this.#callEnded = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #run(): Promise<void> {
    while (!this.#isStopped && this.#progress.standing.kind !== "disabled") {
      await this.#untilNextTry();
      const message = this.#isStopped ? undefined : await this.#next();
      if (this.#isStopped) break;
      if (message === undefined) await this.#untilNews();
      else await this.#deliver(message);
    }
    const passed = this.#source?.passed ?? this.#progress.cursor;
    if (this.#unsaved !== undefined || passed !== this.#progress.cursor) {
      await this.#save(passed === undefined ? this.#progress : { ...this.#progress, cursor: passed });
    }
  }

  async #untilNextTry(): Promise<void> {
    const { standing } = this.#progress;
    if (standing.kind === "failing") await this.#pause(standing.nextTryAtMs - this.#options.clock.now());
  }

  /** What is to be sent next, stored as such; undefined when there is nothing. */
  async #next(): Promise<Message | undefined> {
    const { clock, limits } = this.#options;
    if (!this.#isBehind) await this.#pause(this.#lookedMs + limits.gatherMs - clock.monotonic());
    this.#lookedMs = clock.monotonic();
    this.#hasNews = false;
    try {
      const batch = await this.#take();
      if (batch === undefined) {
        await this.#savePassed();
        return undefined;
      }
      const message = { ...batch, id: this.#nameOf(batch.body) };
      if (message.id !== this.#progress.inHand?.id) {
        await this.#save({ ...this.#progress, inHand: { id: message.id, events: message.events } });
      }
      return message;
    } catch (error) {
      if (!(error instanceof CursorError)) throw error;
      await this.#skip(error);
      this.#hasNews = true;
      return undefined;
    }
  }

  async #take(): Promise<Batch | undefined> {
    const { cursor, inHand } = this.#progress;
    const bytes = this.#batchBytes;
    if (this.#source === undefined) {
      const { app, types } = this.#options.settings;
      const filter = { ...(app === undefined ? {} : { app }), ...(types === undefined ? {} : { types }) };
      this.#source = new BatchSource(this.#options.events, filter, cursor);
      if (inHand !== undefined) {
        await this.#source.fill({ events: inHand.events, bytes: 0 });
        return this.#source.take({ events: inHand.events, bytes: Number.POSITIVE_INFINITY });
      }
    }
    await this.#source.fill({ events: 1, bytes });
    return this.#source.take({ events: Number.POSITIVE_INFINITY, bytes });
  }

  get #batchBytes(): number {
    return Math.min(this.#options.limits.batchBytes, this.#progress.batchBytes ?? Number.POSITIVE_INFINITY);
  }

  /** An id that is the same for the same bytes, and for them alone. */
  #nameOf(body: Buffer): string {
    const hash = createHash("sha256").update(`${this.#options.id} ${this.#progress.replays} `).update(body);
    return `msg_${hash.digest("base64url").slice(0, 27)}`;
  }

  async #deliver(message: Message): Promise<void> {
    const { clock, receiver, settings, userAgent } = this.#options;
    this.#isBehind = message.body.byteLength * 2 > this.#batchBytes;
    const nowMs = clock.now();
    const headers = headersOf(signMessage(secretsAt(settings, nowMs), message, nowMs), userAgent);
    this.#isSending = true;
    const call = receiver.post(message.body, headers);
    // Read while the receiver is at work; what goes wrong here goes wrong again when it is asked for.
    if (this.#isBehind)
      void this.#source?.fill({ events: 1, bytes: this.#batchBytes }).catch(() => undefined);
    const result = await call;
    this.#isSending = false;
    this.#callEnded();
    // Called off: whether it was taken is not known, and the next start sends it again.
    if (!this.#isStopped || isDelivered(result)) await this.#settle(message, result);
    else this.#source = undefined;
  }

  async #settle(message: Message, result: CallResult): Promise<void> {
    const { clock, random, schedule } = this.#options;
    const nowMs = clock.now();
    if (result.kind === "answered" && result.status === 413 && message.events > 1)
      return this.#halve(message, result);
    const judgement = judgeCall(this.#progress.standing, result, { schedule, nowMs, random });
    const attempt = attemptOf(message, result, nowMs);
    switch (judgement.kind) {
      case "delivered": {
        const { inHand: _, ...rest } = this.#progress;
        this.#tellRecovery();
        this.#progress = { ...rest, cursor: message.until, standing: { kind: "well" }, deliveredAtMs: nowMs };
        this.#unsaved = attempt;
        // Where more waits, it is stored together with what is taken next.
        if (!this.#isBehind) await this.#save(this.#progress);
        return;
      }
      case "retry": {
        const { standing } = judgement;
        this.#unsaved = { ...attempt, nextTryAtMs: standing.nextTryAtMs };
        // Not held while it waits; it is read again.
        this.#source = undefined;
        await this.#save({ ...this.#progress, standing });
        this.#tellFailure(standing.tries, attempt);
        return;
      }
      case "disable": {
        const { cause } = judgement;
        this.#unsaved = attempt;
        this.#source = undefined;
        await this.#insist(() => this.#options.disabling(cause));
        await this.#save({ ...this.#progress, standing: { kind: "disabled", cause, atMs: nowMs } });
      }
    }
  }

  /** Too large for this receiver: from now on it gets half of that. What was refused was not taken, and is cut anew. */
  async #halve(message: Message, result: CallResult): Promise<void> {
    this.#unsaved = attemptOf(message, result, this.#options.clock.now());
    const { inHand: _, ...rest } = this.#progress;
    this.#source = undefined;
    await this.#save({ ...rest, batchBytes: Math.ceil(message.body.byteLength / 2) });
  }

  /** What comes next in the log is not kept any more: goes on with what is. */
  async #skip({ kind, oldest }: CursorError): Promise<void> {
    const { clock, id, logger } = this.#options;
    const error =
      kind === "too-old"
        ? "Events were forgotten before they could be delivered. Deliveries go on with the oldest that is kept."
        : "The event log knows no such place. Deliveries begin with the oldest event that is kept.";
    logger.warn({ webhook: id, kind }, "a webhook misses events that are not kept any more");
    this.#unsaved = { kind: "skipped", atMs: clock.now(), isDelivered: false, error };
    const { inHand: _, ...rest } = this.#progress;
    this.#source = undefined;
    await this.#save({ ...rest, cursor: oldest });
  }

  /** Nothing waits; what was looked at and is for others need not be looked at again. */
  async #savePassed(): Promise<void> {
    const passed = this.#source?.passed ?? this.#progress.cursor;
    const hasMoved = passed !== undefined && passed !== this.#progress.cursor;
    if (hasMoved) this.#progress = { ...this.#progress, cursor: passed };
    const isLongAgo = this.#options.clock.monotonic() - this.#savedMs >= notePassedMs;
    if (this.#unsaved !== undefined || (hasMoved && isLongAgo)) await this.#save(this.#progress);
  }

  async #save(progress: WebhookProgress): Promise<void> {
    const { id, store, limits, clock } = this.#options;
    this.#progress = progress;
    const attempt = this.#unsaved;
    const isKnown = await this.#insist(() =>
      store.changeWebhook({
        id,
        progress: JSON.stringify(progress),
        ...(attempt === undefined ? {} : { attempt: JSON.stringify(attempt) }),
        keepAttempts: limits.keepAttempts,
      }),
    );
    this.#unsaved = undefined;
    this.#savedMs = clock.monotonic();
    if (!isKnown) this.#isStopped = true;
  }

  /** Tries until the disk has room, or all is over: what is not stored is not sent. */
  async #insist<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StoreFullError) || this.#isStopped) throw error;
        this.#options.logger.warn({ webhook: this.#options.id }, "a webhook waits for room on the disk");
        await this.#pause(troublePauseMs);
      }
    }
  }

  async #untilNews(): Promise<void> {
    if (this.#hasNews || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#interrupt = resolve;
    });
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(resolve, Math.min(ms, longestWaitMs));
      this.#interrupt = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #tellFailure(tries: number, { error }: WebhookAttempt): void {
    const { id, logger } = this.#options;
    if (tries === 1) logger.warn({ webhook: id, error }, "a webhook cannot be delivered");
  }

  #tellRecovery(): void {
    const { id, logger } = this.#options;
    if (this.#progress.standing.kind === "failing")
      logger.info({ webhook: id }, "a webhook is delivered again");
  }
}

/** The headers of a signed call. */
export function headersOf(signed: object, userAgent: string): Record<string, string> {
  return { "content-type": "application/json", "user-agent": userAgent, ...signed };
}

export function attemptOf(
  message: { readonly id: string; readonly body: Uint8Array; readonly events: number },
  result: CallResult,
  nowMs: number,
): WebhookAttempt {
  const error = explainResult(result);
  return {
    kind: "delivery",
    atMs: nowMs,
    webhookId: message.id,
    events: message.events,
    bytes: message.body.byteLength,
    latencyMs: result.latencyMs,
    isDelivered: error === undefined,
    ...(result.kind === "answered" ? { status: result.status } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

function explainResult(result: CallResult): string | undefined {
  if (result.kind !== "answered") return result.detail;
  const { status } = result;
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400)
    return "It answered with a redirect, which is not followed. Configure the address that it leads to.";
  if (status === 410) return "It answered 410: it wants no more.";
  if (status === 413) return "The body is too large for it.";
  return `It answered ${status}; only 2xx is a delivery.`;
}
