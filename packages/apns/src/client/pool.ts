import type { SecureContext } from "node:tls";
import type { Identity } from "../credentials/index.ts";
import type { Goaway, ReceivedResponse } from "../http2/index.ts";
import { type Answer, readAnswer } from "../response/index.ts";
import type { Timer } from "../runtime/index.ts";
import { ClockWatch } from "./clock-watch.ts";
import { Connection, type ConnectionEnd, type ConnectionOwner, type RequestEnd } from "./connection.ts";
import { openContext } from "./dial.ts";
import { Growth } from "./growth.ts";
import type { Ending, Job } from "./job.ts";
import { JobQueue } from "./job-queue.ts";
import type { Settings } from "./options.ts";
import { backoffMs, isPassing } from "./retry.ts";
import type { PoolSnapshot } from "./snapshot.ts";

const tickMs = 100;
const reconnect = { baseDelayMs: 250, maxDelayMs: 5_000 };
/** For streams that were refused: soon, but not at once for ever. */
const refused = { baseDelayMs: 20, maxDelayMs: 1_000 };
/** A job that was refused this often is given back, whatever its deadline. */
const mostUnprocessedTries = 100;

/**
 * The connections of one client, and the jobs that wait for one. A job waits here, never inside a connection, so an end of a
 * connection concerns only what was written to it.
 */
export class Pool implements ConnectionOwner {
  private readonly settings: Settings;
  private readonly identity: Identity;
  private readonly secureContext: SecureContext;
  private readonly connections = new Set<Connection>();
  private readonly queue = new JobQueue();
  private readonly growth = new Growth();
  private readonly clockWatch: ClockWatch;
  private readonly delayed = new Map<Job, Timer>();
  private current: Connection | undefined;
  private isFull = true;
  private timer: Timer | undefined;
  private answers = 0;
  private inFlight = 0;
  private failures = 0;
  private connectNotBefore = 0;
  private lastFailure: string | undefined;
  private closing: { resolve: () => void } | undefined;
  private isClosed = false;

  constructor(settings: Settings, identity: Identity) {
    this.settings = settings;
    this.identity = identity;
    this.secureContext = openContext(identity, settings.ca);
    this.clockWatch = new ClockWatch(settings.clock, settings.logger);
  }

  /** Jobs that are not settled. */
  get outstanding(): number {
    return this.queue.length + this.inFlight + this.delayed.size;
  }

  get snapshot(): PoolSnapshot {
    const now = this.settings.clock.monotonic();
    return {
      queued: this.queue.length,
      delayed: this.delayed.size,
      inFlight: this.inFlight,
      lastFailure: this.lastFailure,
      clockSkewMs: this.clockWatch.skewMs,
      connections: [...this.connections].map((each) => ({
        phase: each.phase,
        remoteAddress: each.remoteAddress,
        ageMs: now - each.openedAt,
        openStreams: each.openStreams,
        streamLimit: each.streamLimit,
        answers: each.answers,
        rttMs: each.rttMs,
        lastGoaway: each.lastGoaway?.debug.toString("utf8", 0, 200),
      })),
    };
  }

  submit(job: Job): void {
    this.queue.push(job);
    if (!this.isFull) this.pump();
    else this.ensureTimer();
    if (this.connections.size === 0) this.connect();
  }

  /** Takes back a job of a caller who gave up. */
  withdraw(job: Job, detail: string): void {
    if (job.isSettled) return;
    const { connection } = job;
    this.delayed.get(job)?.cancel();
    this.delayed.delete(job);
    if (connection === undefined) {
      this.settle(job, { kind: "unprocessed", cause: "not-written", detail });
    } else {
      connection.cancel(job);
      this.inFlight -= 1;
      this.settle(job, { kind: "indeterminate", cause: "timeout", detail });
    }
  }

  /** Settles what it can within `deadlineMs`, then gives the rest back and closes every connection. */
  async close(deadlineMs: number): Promise<void> {
    if (this.outstanding > 0 && deadlineMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.settings.clock.setTimer(resolve, deadlineMs);
        this.closing = {
          resolve: () => {
            timer.cancel();
            resolve();
          },
        };
      });
    }
    this.isClosed = true;
    this.timer?.cancel();
    for (const timer of this.delayed.values()) timer.cancel();
    const waiting = [...this.delayed.keys(), ...this.queue.takeAll()];
    this.delayed.clear();
    for (const job of waiting)
      job.settle({ kind: "unprocessed", cause: "not-written", detail: "the client was closed" });
    const drainMs = deadlineMs > 0 ? 1_000 : 0;
    for (const connection of [...this.connections]) {
      if (this.inFlight === 0 && drainMs > 0) connection.retire("the client was closed", drainMs);
      else connection.destroy("the client was closed");
    }
    if (this.connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.closing = { resolve };
    });
  }

  capacityChanged(connection: Connection): void {
    if (connection.isUsable) this.isFull = false;
    this.pump();
  }

  answered(job: Job, response: ReceivedResponse, connection: Connection): void {
    this.inFlight -= 1;
    this.answers += 1;
    this.failures = 0;
    if (job.isSettled) return;
    job.connection = undefined;
    if (response.status === 200 && response.fields.length <= 4) {
      job.accept();
      this.settledOne();
      return;
    }
    const { status, fields, body } = response;
    const answer = readAnswer(status, fields, body, this.settings.clock.now());
    this.decide(job, this.clockWatch.explain(answer, fields, job.authorization), connection);
  }

  unanswered(job: Job, end: RequestEnd, _connection: Connection): void {
    this.inFlight -= 1;
    if (job.isSettled) return;
    job.connection = undefined;
    if (end.kind === "unprocessed") {
      job.attempts -= 1;
      job.unprocessedTries += 1;
      const mayTry = job.unprocessedTries < mostUnprocessedTries && !this.isClosed;
      if (!mayTry) this.settle(job, { ...end, ...this.why() });
      else if (end.cause === "refused-stream") {
        this.tryLater(job, backoffMs(job.unprocessedTries, refused, this.settings.random), {
          ...end,
          ...this.why(),
        });
      } else this.tryAgain(job);
      return;
    }
    const ending: Ending = { kind: "indeterminate", cause: end.cause };
    const mayRepeat =
      job.notification.delivery === "at-least-once" && job.attempts < this.settings.retry.attempts;
    if (mayRepeat && !this.isClosed && this.settings.clock.monotonic() < job.deadline) this.tryAgain(job);
    else this.settle(job, ending);
  }

  goaway(goaway: Goaway, _connection: Connection): void {
    this.settings.logger.info(`APNs sent GOAWAY ${goaway.code}: ${goaway.debug.toString("utf8", 0, 200)}`);
    this.pump();
  }

  ended(end: ConnectionEnd, connection: Connection): void {
    this.connections.delete(connection);
    if (this.current === connection) this.current = undefined;
    if (end.cause !== "retired") {
      this.lastFailure = end.detail;
      this.settings.logger.warn(`connection ended: ${end.detail}`);
    }
    // A connection that answered nothing was no connection: the next one waits, or a server that refuses is hammered.
    if (connection.answers === 0) {
      this.failures += 1;
      const delayMs = backoffMs(this.failures, reconnect, this.settings.random);
      this.connectNotBefore = this.settings.clock.monotonic() + delayMs;
    }
    if (this.isClosed) {
      if (this.connections.size === 0) this.closing?.resolve();
      return;
    }
    if (end.cause === "verification") {
      const detail = end.detail;
      for (const job of this.queue.takeAll())
        this.settle(job, { kind: "unprocessed", cause: "not-written", detail });
    }
    this.pump();
  }

  /** An answer is final, or asks for another try. */
  private decide(job: Job, answer: Answer, connection: Connection): void {
    if (answer.kind !== "accepted" && answer.status === 500) connection.retire("answered 500");
    const mayTry = job.attempts < this.settings.retry.attempts && !this.isClosed;
    if (mayTry && answer.kind === "rejected" && answer.reason === "ExpiredProviderToken") {
      const { tokens } = this.identity;
      connection.retire("called a provider token expired");
      if (tokens !== undefined && job.authorization !== undefined && tokens.replace(job.authorization)) {
        this.tryAgain(job);
        return;
      }
    } else if (mayTry && isPassing(answer)) {
      const asked = answer.kind === "accepted" ? undefined : answer.retryAfterMs;
      const delayMs = Math.max(
        backoffMs(job.attempts, this.settings.retry, this.settings.random),
        asked ?? 0,
      );
      this.tryLater(job, delayMs, answer);
      return;
    }
    this.settle(job, answer);
  }

  private tryAgain(job: Job): void {
    this.queue.putBack(job);
    this.pump();
  }

  /** Tries again after `delayMs`, or settles now where that is too late. */
  private tryLater(job: Job, delayMs: number, ending: Ending): void {
    if (this.settings.clock.monotonic() + delayMs >= job.deadline) {
      this.settle(job, ending);
      return;
    }
    const timer = this.settings.clock.setTimer(() => {
      this.delayed.delete(job);
      this.tryAgain(job);
    }, delayMs);
    this.delayed.set(job, timer);
  }

  /** Hands waiting jobs to connections while any can take one. */
  private pump(): void {
    if (this.isClosed) return;
    for (let job = this.queue.peek(); job !== undefined; job = this.queue.peek()) {
      if (this.isExpired(job)) {
        this.queue.shift();
        const detail = "its expiration has passed";
        this.settle(job, { kind: "unprocessed", cause: "not-written", detail });
        continue;
      }
      const connection = this.pick(job.notification.payloadBytes);
      if (connection === undefined) {
        this.isFull = true;
        break;
      }
      this.queue.shift();
      job.attempts += 1;
      this.inFlight += 1;
      connection.send(job, this.identity.tokens?.current());
    }
    if (this.queue.length > 0) {
      this.ensureTimer();
      if (this.connections.size === 0 || !this.hasProspect()) this.connect();
    }
  }

  private isExpired(job: Job): boolean {
    const { expirationSeconds } = job.notification;
    return (
      expirationSeconds !== undefined &&
      expirationSeconds > 0 &&
      this.settings.clock.now() >= expirationSeconds * 1000
    );
  }

  /** The connection used last while it has room, else the first that has. */
  private pick(payloadBytes: number): Connection | undefined {
    if (this.current?.canSend(payloadBytes)) return this.current;
    for (const connection of this.connections) {
      if (connection.canSend(payloadBytes)) {
        this.current = connection;
        return connection;
      }
    }
    return undefined;
  }

  /** Whether some connection is, or is about to be, able to carry requests. */
  private hasProspect(): boolean {
    for (const connection of this.connections) if (connection.isOpening || connection.isUsable) return true;
    return false;
  }

  private connect(): void {
    if (this.isClosed || this.connections.size >= this.settings.maxConnections * 2) return;
    if (this.settings.clock.monotonic() < this.connectNotBefore) {
      this.ensureTimer();
      return;
    }
    for (const connection of this.connections) if (connection.isOpening) return;
    this.connections.add(new Connection(this.settings, this.secureContext, this));
  }

  private ensureTimer(): void {
    if (this.timer !== undefined || this.isClosed) return;
    this.timer = this.settings.clock.setTimer(() => {
      this.timer = undefined;
      this.tick();
      if (this.queue.length > 0) this.ensureTimer();
    }, tickMs);
  }

  private tick(): void {
    const now = this.settings.clock.monotonic();
    for (let job = this.queue.peek(); job !== undefined && job.deadline <= now; job = this.queue.peek()) {
      this.queue.shift();
      this.settle(job, { kind: "unprocessed", cause: "not-written", ...this.why() });
    }
    this.pump();
    let usable = 0;
    let opening = 0;
    for (const connection of this.connections) {
      if (connection.isUsable) usable += 1;
      else if (connection.isOpening) opening += 1;
    }
    const { maxConnections: most } = this.settings;
    const load = { nowMs: now, queued: this.queue.length, usable, opening, most, answers: this.answers };
    for (let more = this.growth.advise(load); more > 0; more -= 1) {
      this.connections.add(new Connection(this.settings, this.secureContext, this));
    }
  }

  private why(): { detail?: string } {
    return this.lastFailure === undefined ? {} : { detail: this.lastFailure };
  }

  private settle(job: Job, ending: Ending): void {
    job.settle(ending);
    this.settledOne();
  }

  private settledOne(): void {
    if (this.closing !== undefined && !this.isClosed && this.outstanding === 0) this.closing.resolve();
  }
}
