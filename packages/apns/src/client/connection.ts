import type { SecureContext, TLSSocket } from "node:tls";
import {
  ClientConnection,
  type ClientConnectionListener,
  type Goaway,
  type ReceivedResponse,
  type RequestFailure,
} from "../http2/index.ts";
import { requestFields } from "../notification/index.ts";
import type { ConnectionName } from "../response/index.ts";
import type { Timer } from "../runtime/index.ts";
import { dial, explainFailure, isVerificationFailure } from "./dial.ts";
import type { Job } from "./job.ts";
import type { Settings } from "./options.ts";
import { PushForms } from "./push-forms.ts";
import { ResetBudget } from "./reset-budget.ts";

/** Why a connection ended; `verification` failures do not heal by themselves. */
export interface ConnectionEnd {
  readonly cause: "verification" | "failure" | "retired";
  readonly detail: string;
}

/** How a request of this connection ended without an answer. */
export type RequestEnd = RequestFailure | { readonly kind: "indeterminate"; readonly cause: "timeout" };

export interface ConnectionOwner {
  /** The peer's SETTINGS came for the first time. */
  opened(connection: Connection): void;
  /** SETTINGS came, or a stream or window became free. */
  capacityChanged(connection: Connection): void;
  answered(job: Job, response: ReceivedResponse, connection: Connection): void;
  /** The same for the usual answer: status 200 and nothing that the job does not know. */
  accepted(job: Job, connection: Connection): void;
  unanswered(job: Job, end: RequestEnd, connection: Connection): void;
  goaway(goaway: Goaway, connection: Connection): void;
  /** The peer broke the protocol: `ended` follows when our good-bye has gone out. */
  broke(end: ConnectionEnd, connection: Connection): void;
  /** The socket is gone; every job was reported before. */
  ended(end: ConnectionEnd, connection: Connection): void;
}

const mostTickMs = 500;
/** How long a retired connection may wait for answers that are still owed. */
const drainMs = 30_000;
/** How long a peer that broke the protocol may take to read our GOAWAY. */
const goodbyeMs = 500;

/**
 * The socket edge of one HTTP/2 connection: TLS, timers, one write per turn of the loop. What the bytes mean is decided
 * by the pure machine in ../http2, what an end means by the owner.
 */
export class Connection implements ClientConnectionListener<Job> {
  /** Counts the connections of one client. */
  readonly number: number;
  readonly openedAt: number;
  answers = 0;
  /** Answers other than 500, which says that this connection is no good. */
  usefulAnswers = 0;
  rttMs: number | undefined;
  /** The peer broke the protocol. */
  isBroken = false;
  private readonly settings: Settings;
  private readonly owner: ConnectionOwner;
  private readonly machine: ClientConnection<Job>;
  private readonly forms = new PushForms();
  private readonly resets: ResetBudget;
  private readonly attempt: { destroy(): void };
  /** Undefined while a proxy opens the tunnel. */
  private socket: TLSSocket | undefined;
  private timer: Timer | undefined;
  private isFlushScheduled = false;
  private isSecure = false;
  private isReady = false;
  private isRetired = false;
  private isOver = false;
  private lastByteAt: number;
  private lastAnswerAt = Number.NEGATIVE_INFINITY;
  private pingSentAt: number | undefined;
  private drainBy = Number.POSITIVE_INFINITY;
  private remote: string | undefined;
  private madeName: ConnectionName | undefined;
  private end: ConnectionEnd | undefined;

  constructor(settings: Settings, secureContext: SecureContext, owner: ConnectionOwner, number: number) {
    this.number = number;
    this.settings = settings;
    this.owner = owner;
    this.openedAt = settings.clock.monotonic();
    this.lastByteAt = this.openedAt;
    this.machine = new ClientConnection<Job>(this, {
      firstStreamId: settings.firstStreamId,
      mostBodyBytes: settings.mostBodyBytes,
    });
    this.resets = new ResetBudget(this.openedAt);
    this.attempt = dial(
      settings,
      secureContext,
      (socket) => this.adopt(socket),
      (error) => {
        this.end ??= { cause: "failure", detail: error.message };
        this.onClose();
      },
    );
    this.armTimer();
  }

  /** The peer's SETTINGS have come and nobody has ended the connection. */
  get isUsable(): boolean {
    return this.isReady && !this.isRetired && this.machine.phase === "open";
  }

  /** The peer proved who it is; what went wrong afterwards is not for want of a way to it. */
  get wasSecure(): boolean {
    return this.isSecure;
  }

  /** Neither ready nor over yet. */
  get isOpening(): boolean {
    return !this.isReady && !this.isOver;
  }

  get openStreams(): number {
    return this.machine.openStreams;
  }

  get streamLimit(): number {
    return this.machine.streamLimit;
  }

  get lastGoaway(): Goaway | undefined {
    return this.machine.lastGoaway;
  }

  get remoteAddress(): string | undefined {
    return this.remote ?? this.socket?.remoteAddress;
  }

  /** Made once: many outcomes may carry it. */
  get name(): ConnectionName {
    const { remoteAddress } = this;
    this.madeName ??= { number: this.number, ...(remoteAddress === undefined ? {} : { remoteAddress }) };
    return this.madeName;
  }

  get phase(): "connecting" | "open" | "draining" | "closed" {
    if (this.isOver) return "closed";
    if (!this.isReady) return "connecting";
    return this.isUsable ? "open" : "draining";
  }

  canSend(payloadBytes: number): boolean {
    return !this.isRetired && this.isReady && this.machine.canOpen(payloadBytes);
  }

  /** Sends a job's request; the caller has asked `canSend`. */
  send(job: Job, authorization: string | undefined, now: number): void {
    const { notification } = job;
    job.connection = this;
    job.authorization = authorization;
    job.sentAt = now;
    const { authority } = this.settings.endpoint;
    const { payload, payloadBytes } = notification;
    const form =
      job.exchange === undefined ? this.forms.find(notification, authority, authorization) : undefined;
    if (form === undefined) {
      const fields =
        job.exchange?.fields(authority, authorization) ??
        requestFields(notification, authority, authorization);
      job.streamId = this.machine.open(fields, payload, job, payloadBytes);
    } else {
      const { deviceToken, apnsId } = notification;
      job.streamId = this.machine.openForm(form, deviceToken, apnsId, payload, job, payloadBytes);
    }
    if (this.machine.phase === "draining") this.retire("its stream ids are used up");
    this.scheduleFlush();
  }

  /**
   * Gives a job up; nothing more is reported for it. Its stream is reset, or left alone on a connection that has seen so many
   * resets that the peer would end it: that one is retired.
   */
  cancel(job: Job): void {
    if (this.resets.take(this.settings.clock.monotonic())) this.machine.cancel(job.streamId);
    else {
      this.machine.forsake(job.streamId);
      this.retire("too many of its requests were given up");
    }
    this.scheduleFlush();
    if (this.isRetired) this.closeWhenDrained();
  }

  /** Opens no new streams; closes when those that are open have ended, or after `drainMs`. */
  retire(detail: string, withinMs: number = drainMs): void {
    if (this.isOver || this.isRetired) return;
    this.isRetired = true;
    this.end ??= { cause: "retired", detail };
    this.drainBy = this.settings.clock.monotonic() + withinMs;
    this.machine.goaway();
    this.scheduleFlush();
    this.closeWhenDrained();
  }

  /** Ends at once; what is under way is reported as unanswered. */
  destroy(detail: string): void {
    this.end ??= { cause: "failure", detail };
    (this.socket ?? this.attempt).destroy();
  }

  capacityChanged(): void {
    if (!this.isReady) {
      this.isReady = true;
      this.rttMs = this.settings.clock.monotonic() - this.openedAt;
      this.owner.opened(this);
    }
    this.owner.capacityChanged(this);
  }

  response(job: Job, response: ReceivedResponse): void {
    this.answers += 1;
    this.lastAnswerAt = this.lastByteAt;
    if (response.status !== 500) this.usefulAnswers += 1;
    this.owner.answered(job, response, this);
    if (this.isRetired) this.closeWhenDrained();
  }

  accepted(job: Job): void {
    this.answers += 1;
    this.usefulAnswers += 1;
    this.lastAnswerAt = this.lastByteAt;
    this.owner.accepted(job, this);
    if (this.isRetired) this.closeWhenDrained();
  }

  failed(job: Job, failure: RequestFailure): void {
    this.owner.unanswered(job, failure, this);
    if (this.isRetired) this.closeWhenDrained();
  }

  goaway(goaway: Goaway): void {
    this.owner.goaway(goaway, this);
    this.retire(`the server sent GOAWAY ${goaway.code} ${goaway.debug.toString("utf8", 0, 200)}`.trim());
  }

  pong(): void {
    if (this.pingSentAt !== undefined) this.rttMs = this.settings.clock.monotonic() - this.pingSentAt;
    this.pingSentAt = undefined;
  }

  broken(error: { readonly code: number; readonly detail: string }): void {
    this.end ??= { cause: "failure", detail: `the server broke the protocol: ${error.detail}` };
    this.isBroken = true;
    this.owner.broke(this.end, this);
    const goodbye = this.machine.takeOutput();
    // A peer that does not read gets no more than this to take it.
    this.drainBy = this.settings.clock.monotonic() + goodbyeMs;
    if (goodbye !== undefined && this.isSecure) this.socket?.end(goodbye);
    this.socket?.destroySoon();
  }

  private adopt(socket: TLSSocket): void {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.once("secureConnect", () => this.onSecure(socket));
    socket.on("data", (chunk: Buffer) => this.onData(chunk));
    socket.on("drain", () => this.scheduleFlush());
    socket.on("error", (error) => {
      const cause = isVerificationFailure(error) ? "verification" : "failure";
      this.end ??= { cause, detail: explainFailure(error, this.settings.endpoint) };
    });
    socket.once("end", () => socket.destroy());
    socket.once("close", () => this.onClose());
  }

  private onSecure(socket: TLSSocket): void {
    this.isSecure = true;
    this.remote = socket.remoteAddress;
    if (socket.alpnProtocol !== "h2") {
      const { host, port } = this.settings.endpoint;
      this.end ??= {
        cause: "failure",
        detail: `${host}:${port}: the server did not agree to HTTP/2 (ALPN h2)`,
      };
      socket.destroy();
      return;
    }
    this.flush();
  }

  private onData(chunk: Buffer): void {
    this.lastByteAt = this.settings.clock.monotonic();
    this.machine.receive(chunk);
    this.scheduleFlush();
  }

  private onClose(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timer?.cancel();
    this.machine.socketClosed();
    this.owner.ended(this.end ?? { cause: "failure", detail: "the server closed the connection" }, this);
  }

  /** All that is written in one turn of the loop goes out in one write at its end. */
  private scheduleFlush(): void {
    if (this.isFlushScheduled || !this.isSecure) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const { socket } = this;
    if (this.isOver || socket === undefined || socket.destroyed || socket.writableNeedDrain) return;
    const output = this.machine.takeOutput();
    if (output !== undefined) socket.write(output);
  }

  private closeWhenDrained(): void {
    if (this.machine.awaitedRequests > 0) return;
    // After the GOAWAY that `retire` wrote went out.
    setImmediate(() => {
      this.flush();
      if (this.socket === undefined) this.attempt.destroy();
      else this.socket.destroySoon();
    });
  }

  private armTimer(): void {
    const { pingAfterMs, pingTimeoutMs, requestTimeoutMs, clock } = this.settings;
    const tickMs = Math.max(
      10,
      Math.min(mostTickMs, pingAfterMs / 4, pingTimeoutMs / 4, requestTimeoutMs / 4),
    );
    this.timer = clock.setTimer(() => {
      this.tick(clock.monotonic());
      if (!this.isOver) this.armTimer();
    }, tickMs);
  }

  private tick(now: number): void {
    const { connectTimeoutMs, pingTimeoutMs, pingAfterMs, idlePingMs } = this.settings;
    if (now > this.drainBy) {
      this.destroy("the answers that were owed did not come in time");
      return;
    }
    if (!this.isReady) {
      if (now - this.openedAt > connectTimeoutMs) this.destroy(`no connection within ${connectTimeoutMs} ms`);
      return;
    }
    this.expireRequests(now);
    // A peer that takes its leave may answer what it owes and no PING.
    if (this.isRetired) return;
    if (this.pingSentAt !== undefined && this.lastByteAt > this.pingSentAt) this.pingSentAt = undefined;
    if (this.pingSentAt !== undefined) {
      if (now - this.pingSentAt > pingTimeoutMs)
        this.destroy(`no sign of life for ${Math.round(now - this.lastByteAt)} ms`);
      return;
    }
    const quietMs = now - this.lastByteAt;
    if (quietMs > (this.machine.awaitedRequests > 0 ? pingAfterMs : idlePingMs)) {
      this.pingSentAt = now;
      this.machine.ping(Buffer.alloc(8));
      this.scheduleFlush();
    }
  }

  /**
   * Requests stand in the order in which they were sent, so the first that is young ends the search. Where nothing at all was
   * answered since one was sent, the connection is dead in all but its PINGs, and retired.
   */
  private expireRequests(now: number): void {
    const { requestTimeoutMs } = this.settings;
    for (const job of this.machine.openRequests()) {
      const isLate = now - job.sentAt > requestTimeoutMs;
      if (!isLate && now <= job.deadline) return;
      if (isLate && this.lastAnswerAt < job.sentAt)
        this.retire(`answered nothing for ${requestTimeoutMs} ms`);
      this.cancel(job);
      this.owner.unanswered(job, { kind: "indeterminate", cause: "timeout" }, this);
    }
  }
}
