import type { Clock, Random } from "@carillon/apns";
import type { WebhookStore } from "../../store/index.ts";
import { CursorError, type EventReader } from "../event-log.ts";
import { attemptOf, headersOf } from "./call-attempt.ts";
import { InterruptibleWait } from "./interruptible-wait.ts";
import { KeptProgress } from "./kept-progress.ts";
import { type Message, MessageSource } from "./message-source.ts";
import { PageSize, type PageSizeLimits } from "./page-size.ts";
import type { CallResult, Receiver } from "./receiver.ts";
import { type DisabledCause, isDelivered, judgeCall, type RetrySchedule } from "./retry-schedule.ts";
import { isLocked, type WebhookAttempt, type WebhookProgress, type WebhookSettings } from "./webhook.ts";

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

export interface LoopLimits extends PageSizeLimits {
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

/** A page above the usual size that failed so often in a row is cut anew: that size may be the reason. */
const mostTriesOfLargePages = 10;

/**
 * Delivers to one endpoint: one batch after the other, in the order of the log, the next only when the last was taken.
 *
 * What is about to be sent is stored before: how many events behind the cursor.
 */
export class DeliveryLoop {
  readonly #options: LoopOptions;
  readonly #wait: InterruptibleWait;
  readonly #progress: KeptProgress;
  readonly #size: PageSize;
  readonly #messages: MessageSource;
  readonly #stopListening: () => void;
  readonly #ended: Promise<void>;
  #isSending = false;
  #callEnded: () => void = () => undefined;
  /** The last batch was full: more waits, and is sent without a pause. */
  #isBehind = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: LoopOptions) {
    const { id, settings, progress, events, store, clock, limits, logger } = options;
    const { app, types } = settings;
    this.#options = options;
    this.#wait = new InterruptibleWait(clock);
    const { keepAttempts } = limits;
    this.#progress = new KeptProgress({ id, progress, store, clock, wait: this.#wait, keepAttempts, logger });
    this.#size = new PageSize(limits);
    this.#messages = new MessageSource({
      ...{ id, replays: progress.replays, events, bytes: () => this.#pageBytes },
      filter: { ...(app === undefined ? {} : { app }), ...(types === undefined ? {} : { types }) },
    });
    this.#stopListening = events.onAppended(() => this.#wait.tell());
    this.#ended = this.#run().catch((error) => {
      if (this.#wait.isOver) return;
      // The store has failed for good: the gateway ends, and a new start goes on from what is stored.
      logger.error({ webhook: id, detail: String(error) }, "deliveries to a webhook have ended");
    });
  }

  get progress(): WebhookProgress {
    return this.#progress.now;
  }

  /** Waits for the call under way, at most so long; then nothing is sent any more. */
  async stop(graceMs: number): Promise<void> {
    this.#wait.end();
    this.#stopListening();
    if (this.#isSending && graceMs > 0) await this.#untilCallEnds(graceMs);
    this.#options.receiver.close();
    await this.#ended;
  }

  get #pageBytes(): number {
    return Math.min(this.#size.bytes, this.progress.batchBytes ?? Number.POSITIVE_INFINITY);
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
    if (isLocked(this.#options.settings)) return;
    while (!this.#wait.isOver && this.progress.standing.kind !== "disabled") {
      await this.#untilNextTry();
      const message = this.#wait.isOver ? undefined : await this.#next();
      if (this.#wait.isOver) break;
      if (message === undefined) await this.#wait.untilNews();
      else await this.#deliver(message);
    }
    await this.#progress.passed(this.#passed, "now");
  }

  async #untilNextTry(): Promise<void> {
    const { standing } = this.progress;
    if (standing.kind === "failing") await this.#wait.pause(standing.nextTryAtMs - this.#options.clock.now());
  }

  /** Up to where nothing is to be sent; undefined while something is in hand, which lies before. */
  get #passed(): string | undefined {
    return this.progress.inHand === undefined ? this.#messages.passed : undefined;
  }

  /** What is to be sent next, stored as such; undefined when there is nothing. */
  async #next(): Promise<Message | undefined> {
    const { clock, limits } = this.#options;
    if (!this.#isBehind) await this.#wait.pause(this.#lookedMs + limits.gatherMs - clock.monotonic());
    this.#lookedMs = clock.monotonic();
    this.#wait.forgetNews();
    try {
      const message = await this.#messages.next(this.progress);
      if (message === undefined) await this.#progress.passed(this.#passed, "soon");
      else if (message.id !== this.progress.inHand?.id)
        await this.#progress.save({
          ...this.progress,
          inHand: { id: message.id, events: message.events },
        });
      return message;
    } catch (error) {
      if (!(error instanceof CursorError)) throw error;
      await this.#skip(error);
      this.#wait.tell();
      return undefined;
    }
  }

  async #deliver(message: Message): Promise<void> {
    const { clock, receiver, settings, userAgent } = this.#options;
    this.#isBehind = message.isFull;
    this.#isSending = true;
    const call = receiver.post(message.body, headersOf(message, settings, userAgent, clock.now()));
    // Made while the receiver is at work.
    if (this.#isBehind) this.#messages.prepare();
    const result = await call;
    this.#isSending = false;
    this.#callEnded();
    // Called off: whether it was taken is not known, and the next start sends it again.
    if (!this.#wait.isOver || isDelivered(result)) await this.#settle(message, result);
    else this.#messages.forget();
  }

  async #settle(message: Message, result: CallResult): Promise<void> {
    const { clock, random, schedule } = this.#options;
    const nowMs = clock.now();
    const attempt = attemptOf(message, result, nowMs);
    if (result.kind === "answered" && result.status === 413 && message.events > 1)
      return this.#cutAnew(Math.ceil(message.body.byteLength / 2), attempt);
    const judgement = judgeCall(this.progress.standing, result, { schedule, nowMs, random });
    switch (judgement.kind) {
      case "delivered":
        return this.#taken(message, attempt, result.latencyMs);
      case "retry": {
        const { standing } = judgement;
        // Not held while it waits; it is read again.
        this.#messages.forget();
        this.#size.reset();
        await this.#progress.save(
          { ...this.progress, standing },
          { ...attempt, nextTryAtMs: standing.nextTryAtMs },
        );
        this.#tellFailure(standing.tries, attempt);
        const { batchBytes } = this.#options.limits;
        const isLarge = message.body.byteLength > batchBytes * 1.5 && message.events > 1;
        if (isLarge && standing.tries >= mostTriesOfLargePages) await this.#cutAnew(batchBytes);
        return;
      }
      case "disable": {
        const { cause } = judgement;
        this.#messages.forget();
        this.#progress.note(this.progress, attempt);
        await this.#progress.insist(() => this.#options.disabling(cause));
        await this.#progress.save({ ...this.progress, standing: { kind: "disabled", cause, atMs: nowMs } });
      }
    }
  }

  async #taken({ until, body }: Message, attempt: WebhookAttempt, latencyMs: number): Promise<void> {
    const { inHand: _, ...rest } = this.progress;
    this.#tellRecovery();
    if (this.#isBehind) this.#size.takenFull(body.byteLength, latencyMs);
    else this.#size.reset();
    const { atMs } = attempt;
    this.#progress.note({ ...rest, cursor: until, standing: { kind: "well" }, deliveredAtMs: atMs }, attempt);
    // Where more waits, it is stored together with what is taken next.
    if (!this.#isBehind) await this.#progress.save(this.progress);
  }

  /** Too large for this receiver, which has not taken it: from now on it gets so much. */
  async #cutAnew(batchBytes: number, attempt?: WebhookAttempt): Promise<void> {
    const { inHand: _, ...rest } = this.progress;
    this.#messages.forget();
    await this.#progress.save({ ...rest, batchBytes }, attempt);
  }

  /** What comes next in the log is not kept any more: goes on with what is. */
  async #skip({ kind, oldest }: CursorError): Promise<void> {
    const { clock, id, logger } = this.#options;
    const error =
      kind === "too-old"
        ? "Events were forgotten before they could be delivered. Deliveries go on with the oldest that is kept."
        : "The event log knows no such place. Deliveries begin with the oldest event that is kept.";
    logger.warn({ webhook: id, kind }, "a webhook misses events that are not kept any more");
    const { inHand: _, ...rest } = this.progress;
    this.#messages.forget();
    await this.#progress.save(
      { ...rest, cursor: oldest },
      { kind: "skipped", atMs: clock.now(), isDelivered: false, error },
    );
  }

  #tellFailure(tries: number, { error }: WebhookAttempt): void {
    const { id, logger } = this.#options;
    if (tries === 1) logger.warn({ webhook: id, error }, "a webhook cannot be delivered");
  }

  #tellRecovery(): void {
    const { id, logger } = this.#options;
    if (this.progress.standing.kind === "failing")
      logger.info({ webhook: id }, "a webhook is delivered again");
  }
}
