import type { SecureContext } from "node:tls";
import type { Identity } from "../credentials/index.ts";
import type { Goaway, ReceivedResponse } from "../http2/index.ts";
import { type Answer, type RejectionReason, readAnswer, rejectionReasons } from "../response/index.ts";
import type { Timer } from "../runtime/index.ts";
import { ClockWatch } from "./clock-watch.ts";
import { Connection, type ConnectionEnd, type ConnectionOwner, type RequestEnd } from "./connection.ts";
import { openContext } from "./dial.ts";
import type { ClientEvent } from "./events.ts";
import { Growth } from "./growth.ts";
import type { Ending, Job } from "./job.ts";
import { JobQueue } from "./job-queue.ts";
import type { Settings } from "./options.ts";
import { Reconnection } from "./reconnection.ts";
import { backoffMs, isPassing, retiresConnection } from "./retry.ts";
import type { PoolSnapshot } from "./snapshot.ts";
import { TokenPace } from "./token-pace.ts";

const tickMs = 100;
/** For streams that were refused: soon, but not at once for ever. */
const refused = { baseDelayMs: 20, maxDelayMs: 1_000 };
/** A job that was refused this often is given back, whatever its deadline. */
const mostUnprocessedTries = 100;
/** An attempt to connect that takes longer gets company, up to so many: the way may have healed since it began. */
const patienceMs = 2_000;
const mostOpening = 4;
/** Jobs in a row that one connection gets before the load is looked at again. */
const mostInARow = 32;

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
  private inARow = 0;
  private readonly reconnection: Reconnection;
  private readonly tokenPace: TokenPace;
  private lastFailure: string | undefined;
  /** A refused credential was told of, and nothing was accepted since. */
  private isCredentialRefused = false;
  private closing: { resolve: () => void } | undefined;
  private isClosed = false;

  constructor(settings: Settings, identity: Identity) {
    this.settings = settings;
    this.identity = identity;
    this.secureContext = openContext(identity, settings.ca);
    this.clockWatch = new ClockWatch(settings.clock, settings.logger);
    this.reconnection = new Reconnection(settings.random);
    this.tokenPace = new TokenPace(settings.clock, (job) => this.takeBack(job));
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
    if (connection === undefined) {
      const isQueued = !this.stopWaiting(job);
      this.settle(job, { kind: "unprocessed", cause: "not-written", detail });
      if (isQueued) this.queue.countSettled();
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
    this.tokenPace.close();
    for (const timer of this.delayed.values()) timer.cancel();
    const waiting = [...this.delayed.keys(), ...this.queue.takeAll()];
    this.delayed.clear();
    for (const job of waiting)
      job.settle({ kind: "unprocessed", cause: "not-written", detail: "the client was closed" });
    const drainMs = deadlineMs > 0 ? 1_000 : 0;
    for (const connection of [...this.connections]) {
      if (this.inFlight === 0 && drainMs > 0 && !connection.isOpening)
        connection.retire("the client was closed", drainMs);
      else connection.destroy("the client was closed");
    }
    if (this.connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.closing = { resolve };
    });
  }

  opened(connection: Connection): void {
    const { remoteAddress, streamLimit } = connection;
    this.tell({ kind: "connection-opened", remoteAddress, streamLimit });
    // It may raise its limit later; until then another one is tried, at the pace of failures.
    if (streamLimit === 0) this.reconnection.failed("useless", this.settings.clock.monotonic());
  }

  capacityChanged(connection: Connection): void {
    if (connection.isUsable) this.isFull = false;
    this.pump();
  }

  answered(job: Job, response: ReceivedResponse, connection: Connection): void {
    this.inFlight -= 1;
    this.answers += 1;
    if (response.status !== 500) this.reconnection.worked();
    if (job.isSettled) return;
    job.connection = undefined;
    job.exchange?.answered(response);
    if (response.status === 200) this.isCredentialRefused = false;
    if (response.status === 200 && response.fields.length <= 4) {
      job.accept();
      this.settledOne(job);
      return;
    }
    const { status, fields, body } = response;
    const answer = readAnswer(status, fields, body, this.settings.clock.now());
    this.decide(job, this.clockWatch.explain(answer, fields, job.providerToken), connection);
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
    job.doubt = ending;
    if (!mayRepeat || this.isClosed || this.settings.clock.monotonic() >= job.deadline)
      this.settle(job, ending);
    // A connection that ended brings its own pace; a stream that was ended alone would be tried again in the same moment.
    else if (end.cause === "socket-closed" || end.cause === "timeout") this.tryAgain(job);
    else this.tryLater(job, backoffMs(job.attempts, this.settings.retry, this.settings.random), ending);
  }

  goaway(goaway: Goaway, _connection: Connection): void {
    const { code, lastStreamId } = goaway;
    const reason = goaway.debug.toString("utf8", 0, 200);
    this.settings.logger.info(`APNs sent GOAWAY ${code}: ${reason}`);
    this.tell({ kind: "goaway", code, lastStreamId, reason });
    this.pump();
  }

  ended(end: ConnectionEnd, connection: Connection): void {
    this.connections.delete(connection);
    if (this.current === connection) this.current = undefined;
    const now = this.settings.clock.monotonic();
    if (end.cause !== "retired" && !this.isClosed) {
      this.lastFailure = end.detail;
      this.settings.logger.warn(`connection ended: ${end.detail}`);
    }
    const { remoteAddress, answers } = connection;
    this.tell({ kind: "connection-ended", ...end, remoteAddress, answers, ageMs: now - connection.openedAt });
    // A connection that answered nothing was no connection: the next one waits, or a server that refuses is hammered.
    if (connection.usefulAnswers === 0) {
      const isReachable = connection.wasSecure || end.cause === "verification";
      this.reconnection.failed(isReachable ? "useless" : "unreachable", now);
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
    if (answer.kind === "accepted") {
      this.settle(job, answer);
      return;
    }
    if (retiresConnection(answer)) connection.retire(`answered ${answer.status} ${answer.reason}`);
    const mayTry = job.attempts < this.settings.retry.attempts && !this.isClosed;
    if (answer.kind === "rejected" && answer.reason === "ExpiredProviderToken" && mayTry) {
      const { tokens } = this.identity;
      if (tokens !== undefined && job.providerToken !== undefined && tokens.replace(job.providerToken)) {
        connection.retire("called a provider token expired");
        this.tryAgain(job);
        return;
      }
    }
    if (isPassing(answer)) {
      const delayMs = this.waitAfter(job, answer);
      if (mayTry) this.tryLater(job, delayMs, answer);
      // An earlier try may have been taken, and this answer says nothing about it.
      else this.settle(job, job.doubt ?? answer);
      return;
    }
    if (answer.kind === "rejected") this.watchCredential(answer.status, answer.reason);
    this.settle(job, answer);
  }

  /** How long a passing answer makes its job wait, and with TooManyRequests everything else for the device token. */
  private waitAfter(job: Job, answer: Answer): number {
    const { retry, random } = this.settings;
    const asked = answer.kind === "accepted" ? 0 : (answer.retryAfterMs ?? 0);
    const isTokens = answer.kind === "rejected" && answer.reason === "TooManyRequests";
    const tries = isTokens ? this.tokenPace.strike(job) : job.attempts;
    const delayMs = Math.max(backoffMs(tries, retry, random), asked);
    if (isTokens) this.tokenPace.slow(job.notification.deviceToken, delayMs);
    return delayMs;
  }

  private watchCredential(status: number, reason: RejectionReason): void {
    if (rejectionReasons[reason].fault !== "credential" || this.isCredentialRefused) return;
    this.isCredentialRefused = true;
    this.settings.logger.warn(`APNs refuses the credential: ${status} ${reason}`);
    this.tell({ kind: "credential-refused", status, reason });
  }

  private tryAgain(job: Job): void {
    this.queue.putBack(job);
    this.pump();
  }

  /** A job whose device token may be sent to again. */
  private takeBack(job: Job): void {
    this.stopWaiting(job);
    if (!job.isSettled) this.tryAgain(job);
  }

  private stopWaiting(job: Job): boolean {
    this.delayed.get(job)?.cancel();
    return this.delayed.delete(job);
  }

  /** Tries again after `delayMs`, or settles now where that is too late. */
  private tryLater(job: Job, delayMs: number, ending: Ending): void {
    if (this.settings.clock.monotonic() + delayMs >= job.deadline) {
      this.settle(job, job.doubt ?? ending);
      return;
    }
    if (this.tokenPace.keeps(job)) {
      this.settleAtDeadline(job, ending);
      return;
    }
    const timer = this.settings.clock.setTimer(() => {
      this.delayed.delete(job);
      this.tryAgain(job);
    }, delayMs);
    this.delayed.set(job, timer);
  }

  /** Something else will call the job up; if not, this is its end. */
  private settleAtDeadline(job: Job, ending: Ending): void {
    const timer = this.settings.clock.setTimer(() => {
      this.delayed.delete(job);
      this.settle(job, job.doubt ?? ending);
    }, job.deadline - this.settings.clock.monotonic());
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
      if (this.tokenPace.keeps(job)) {
        this.queue.shift();
        const detail = "APNs asked to wait with this device token";
        this.settleAtDeadline(job, { kind: "unprocessed", cause: "not-written", detail });
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
      if (!this.hasProspect()) this.connect();
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

  /** The least busy connection that has room; kept for a few jobs, whose frames then share a TLS record. */
  private pick(payloadBytes: number): Connection | undefined {
    this.inARow += 1;
    if (this.inARow <= mostInARow && this.current?.canSend(payloadBytes)) return this.current;
    this.inARow = 1;
    this.current = undefined;
    for (const connection of this.connections) {
      const isIdler = this.current === undefined || connection.openStreams < this.current.openStreams;
      if (isIdler && connection.canSend(payloadBytes)) this.current = connection;
    }
    return this.current;
  }

  /** Whether some connection can carry requests, now or when those under way are answered. */
  private hasProspect(): boolean {
    for (const connection of this.connections)
      if (connection.isUsable && connection.streamLimit > 0) return true;
    return false;
  }

  /** Opens a connection, unless one is being opened, or it is too early after those that failed. */
  private connect(): void {
    const now = this.settings.clock.monotonic();
    if (this.isClosed || this.connections.size >= this.settings.maxConnections * 2) return;
    if (!this.reconnection.isAllowed(now)) {
      this.ensureTimer();
      return;
    }
    let opening = 0;
    for (const connection of this.connections) {
      if (!connection.isOpening) continue;
      opening += 1;
      if (opening >= mostOpening || now - connection.openedAt < patienceMs) return;
    }
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

  private tell(event: ClientEvent): void {
    try {
      this.settings.onEvent(event);
    } catch (error) {
      this.settings.logger.warn(`onEvent threw: ${(error as Error).message}`);
    }
  }

  private why(): { detail?: string } {
    return this.lastFailure === undefined ? {} : { detail: this.lastFailure };
  }

  private settle(job: Job, ending: Ending): void {
    job.settle(ending);
    this.settledOne(job);
  }

  private settledOne(job: Job): void {
    this.tokenPace.settled(job);
    if (this.closing !== undefined && !this.isClosed && this.outstanding === 0) this.closing.resolve();
  }
}
