import type { Identity } from "../credentials/index.ts";
import type { Goaway, ReceivedResponse } from "../http2/index.ts";
import { type Answer, type RejectionReason, readAnswer, rejectionReasons } from "../response/index.ts";
import type { Timer } from "../runtime/index.ts";
import { ClockWatch } from "./clock-watch.ts";
import type { Connection, ConnectionEnd, ConnectionOwner, RequestEnd } from "./connection.ts";
import type { ClientEvent } from "./events.ts";
import { Fleet } from "./fleet.ts";
import type { Ending, Job } from "./job.ts";
import { JobQueue } from "./job-queue.ts";
import type { Settings } from "./options.ts";
import { backoffMs, isPassing, retiresConnection } from "./retry.ts";
import type { PoolSnapshot } from "./snapshot.ts";
import { TokenPace } from "./token-pace.ts";

const tickMs = 100;
/** How long connections may take for their farewell when the client closes. */
const farewellMs = 1_000;
/** For streams that were refused: soon, but not at once for ever. */
const refused = { baseDelayMs: 20, maxDelayMs: 1_000 };
/** A job that was refused this often is given back, whatever its deadline. */
const mostUnprocessedTries = 100;
const bareAcceptance: ReceivedResponse = {
  status: 200,
  fields: [":status", "200"],
  body: Buffer.alloc(0),
  isComplete: true,
};

/**
 * The jobs of one client, on their way over its connections. A job waits here, never inside a connection, so an end of a
 * connection concerns only what was written to it.
 */
export class Pool implements ConnectionOwner {
  private readonly settings: Settings;
  private readonly identity: Identity;
  private readonly fleet: Fleet;
  private readonly queue = new JobQueue();
  private readonly clockWatch: ClockWatch;
  private readonly delayed = new Map<Job, Timer>();
  private authorization: string | undefined;
  /** When `authorization` was asked for; not a number where it must be asked for again. */
  private authorizedAt = Number.NaN;
  private isFull = true;
  private timer: Timer | undefined;
  private inFlight = 0;
  private readonly tokenPace: TokenPace;
  private lastFailure: string | undefined;
  /** A refused credential was told of, and nothing was accepted since. */
  private isCredentialRefused = false;
  private closing: { resolve: () => void } | undefined;
  private isConnectScheduled = false;
  private isClosed = false;

  constructor(settings: Settings, identity: Identity) {
    this.settings = settings;
    this.identity = identity;
    this.fleet = new Fleet(settings, identity, this);
    this.clockWatch = new ClockWatch(settings.clock, settings.logger);
    this.tokenPace = new TokenPace(settings.clock, (job) => this.takeBack(job));
  }

  /** Jobs that are not settled. */
  get outstanding(): number {
    return this.queue.length + this.inFlight + this.delayed.size;
  }

  get snapshot(): PoolSnapshot {
    return {
      queued: this.queue.length,
      delayed: this.delayed.size,
      inFlight: this.inFlight,
      lastFailure: this.lastFailure,
      clockSkewMs: this.clockWatch.skewMs,
      connections: this.fleet.snapshot,
    };
  }

  /** @param now the time, not older than this turn of the loop */
  submit(job: Job, now: number): void {
    this.queue.push(job);
    if (!this.isFull) this.pump(now);
    else this.ensureTimer();
    if (this.fleet.size === 0) this.fleet.connect();
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
    this.fleet.close(deadlineMs > 0 && this.inFlight === 0 ? farewellMs : 0);
    if (this.fleet.size === 0) return;
    await new Promise<void>((resolve) => {
      this.closing = { resolve };
    });
  }

  opened(connection: Connection): void {
    const { number, remoteAddress, streamLimit } = connection;
    this.tell({ kind: "connection-opened", number, remoteAddress, streamLimit });
    this.fleet.opened(connection);
  }

  capacityChanged(connection: Connection): void {
    if (connection.isUsable) this.isFull = false;
    this.pump();
  }

  accepted(job: Job, connection: Connection): void {
    if (job.exchange !== undefined) {
      this.answered(job, bareAcceptance, connection);
      return;
    }
    this.inFlight -= 1;
    this.fleet.answered(200);
    if (job.isSettled) return;
    this.isCredentialRefused = false;
    job.accept();
    this.settledOne(job);
  }

  answered(job: Job, response: ReceivedResponse, connection: Connection): void {
    this.inFlight -= 1;
    this.fleet.answered(response.status);
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
    this.decide(job, this.clockWatch.explain(answer, fields, job.authorization), connection);
  }

  unanswered(job: Job, end: RequestEnd, connection: Connection): void {
    this.inFlight -= 1;
    if (job.isSettled) return;
    job.connection = undefined;
    job.via = connection.name;
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
    const mayRepeat = job.notification.delivery === "at-least-once" && job.attempts < job.mostAttempts;
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

  broke(end: ConnectionEnd, connection: Connection): void {
    this.fleet.broke(connection);
    this.tellEnd(end, connection);
  }

  ended(end: ConnectionEnd, connection: Connection): void {
    this.fleet.ended(end, connection);
    if (!connection.isBroken) this.tellEnd(end, connection);
    if (this.isClosed) {
      if (this.fleet.size === 0) this.closing?.resolve();
      return;
    }
    // Waiting does not make a certificate better: where nothing else carries them, the jobs come back with the reason.
    if (end.cause === "verification" && !this.fleet.hasProspect) {
      const { detail } = end;
      for (const job of this.queue.takeAll())
        this.settle(job, { kind: "unprocessed", cause: "not-written", detail });
    }
    this.pump();
  }

  private tellEnd(end: ConnectionEnd, { number, remoteAddress, answers, openedAt }: Connection): void {
    if (end.cause !== "retired" && !this.isClosed) {
      this.lastFailure = end.detail;
      this.settings.logger.warn(`connection ended: ${end.detail}`);
    }
    const ageMs = this.settings.clock.monotonic() - openedAt;
    this.tell({ kind: "connection-ended", number, ...end, remoteAddress, answers, ageMs });
  }

  /** An answer is final, or asks for another try. */
  private decide(job: Job, answer: Answer, connection: Connection): void {
    if (answer.kind === "accepted") {
      this.settle(job, answer);
      return;
    }
    job.via = connection.name;
    if (retiresConnection(answer)) connection.retire(`answered ${answer.status} ${answer.reason}`);
    const mayTry = job.attempts < job.mostAttempts && !this.isClosed;
    if (answer.kind === "rejected" && answer.reason === "ExpiredProviderToken" && mayTry) {
      const { tokens } = this.identity;
      if (tokens !== undefined && job.authorization !== undefined && tokens.replace(job.authorization)) {
        this.authorizedAt = Number.NaN;
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
  private pump(now: number = this.settings.clock.monotonic()): void {
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
      const connection = this.fleet.pick(job.notification.payloadBytes);
      if (connection === undefined) {
        this.isFull = true;
        break;
      }
      this.queue.shift();
      job.attempts += 1;
      this.inFlight += 1;
      connection.send(job, this.authorizationAt(now), now);
    }
    if (this.queue.length > 0) {
      this.ensureTimer();
      if (!this.fleet.hasProspect) this.connectSoon();
    }
  }

  /** When all is reported that ends now: a connection that just failed counts before the next one is opened. */
  private connectSoon(): void {
    if (this.isConnectScheduled) return;
    this.isConnectScheduled = true;
    queueMicrotask(() => {
      this.isConnectScheduled = false;
      if (!this.isClosed && this.queue.length > 0 && !this.fleet.hasProspect) this.fleet.connect();
    });
  }

  /** The provider token, asked for anew where time has passed. */
  private authorizationAt(now: number): string | undefined {
    if (now !== this.authorizedAt) {
      this.authorization = this.identity.tokens?.current();
      this.authorizedAt = now;
    }
    return this.authorization;
  }

  private isExpired(job: Job): boolean {
    const { expirationSeconds } = job.notification;
    return (
      expirationSeconds !== undefined &&
      expirationSeconds > 0 &&
      this.settings.clock.now() >= expirationSeconds * 1000
    );
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
    this.fleet.grow(this.queue.length);
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
