import { makeApnsId } from "../notification/index.ts";
import type { Outcome } from "../response/index.ts";
import { ApnsError, type Timer } from "../runtime/index.ts";
import { type BinaryClientOptions, type BinarySettings, readClientOptions } from "./binary-client-options.ts";
import { accept, type BinaryJob, doubt, giveBack, reject } from "./binary-job.ts";
import { type BinaryPush, prepareBinaryPush } from "./binary-push.ts";
import { type GatewayEnd, GatewaySocket } from "./gateway-socket.ts";

/** Notifications of one write. */
const mostAtOnce = 200;

/**
 * Sends over the binary protocol that Apple retired, to a bridge or a simulator.
 *
 * The gateway says nothing of what it accepts, and of the first one at fault it says so and throws away what came behind. So the
 * one that is named is rejected, those before it are accepted, and those behind it are sent again on a new connection, which
 * cannot duplicate. Silence is not acceptance: see `confirmation`.
 */
export class BinaryClient {
  private readonly settings: BinarySettings;
  private queue: BinaryJob[] = [];
  /** Sends that are not settled. */
  private outstanding = 0;
  /** Those that are written on, and those that only wait for what they will hear. */
  private readonly writing = new Set<GatewaySocket>();
  private readonly confirming = new Set<GatewaySocket>();
  private failures = 0;
  private retryTimer: Timer | undefined;
  private isPumpScheduled = false;
  private closing: Promise<void> | undefined;
  private isClosed = false;
  private whenSettled: (() => void) | undefined;

  /** @throws ApnsError `bad-option`, `bad-certificate` or `bad-key`, each with what to do */
  constructor(options: BinaryClientOptions) {
    this.settings = readClientOptions(options);
  }

  /**
   * Sends one notification; resolves with what became of it, for every answer and every fault of the network.
   *
   * @throws ApnsError `bad-notification` with every problem; `closed` after `close`
   */
  async send(push: BinaryPush): Promise<Outcome> {
    if (this.closing !== undefined) throw new ApnsError("closed", "the client is closed: make a new one");
    const notification = prepareBinaryPush(push, this.settings.mostPayloadBytes);
    const apnsId = makeApnsId();
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        this.outstanding -= 1;
        resolve(outcome);
        if (this.outstanding === 0) this.whenSettled?.();
      };
      this.outstanding += 1;
      const job: BinaryJob = { notification, apnsId, attempts: 0, settle };
      if (this.outstanding > this.settings.maxOutstanding) {
        giveBack(job, `${this.settings.maxOutstanding} sends are under way: wait for some`);
        return;
      }
      this.queue.push(job);
      this.schedulePump();
    });
  }

  /** Settles everything that was sent, then closes. What is not settled when the deadline is over is reported as it is then. */
  async close({ deadlineMs = 30_000 }: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.closing ??= this.settleAll(deadlineMs);
    await this.closing;
  }

  private async settleAll(deadlineMs: number): Promise<void> {
    this.pump();
    if (this.outstanding > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.settings.clock.setTimer(resolve, deadlineMs);
        this.whenSettled = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.isClosed = true;
    this.retryTimer?.cancel();
    const waiting = this.queue.splice(0);
    for (const socket of [...this.writing, ...this.confirming]) socket.close();
    for (const job of [...waiting, ...this.queue.splice(0)])
      giveBack(job, "the client was closed before its turn");
  }

  /** Sends that come in one turn are written together. */
  private schedulePump(): void {
    if (this.isPumpScheduled || this.isClosed) return;
    this.isPumpScheduled = true;
    setImmediate(() => {
      this.isPumpScheduled = false;
      if (!this.isClosed) this.pump();
    });
  }

  private pump(): void {
    for (const socket of this.writing) {
      if (socket.isStale) socket.close();
      if (socket.isConfirming) this.retire(socket);
      while (this.queue.length > 0 && socket.room > 0)
        socket.write(this.queue.splice(0, Math.min(socket.room, mostAtOnce)));
      // A full window frees itself with silence; with proof the connection is used up.
      const isUsedUp = this.settings.confirmation === "proof" && socket.isFull;
      if (isUsedUp || (this.closing !== undefined && this.queue.length === 0)) this.retire(socket);
    }
    if (this.queue.length === 0 || this.retryTimer !== undefined) return;
    const wanted = Math.ceil(this.queue.length / this.settings.windowSize);
    while (this.writing.size < Math.min(this.settings.connections, wanted) && this.mayConnect) this.connect();
  }

  /** Connections that wait for their proof are as many as those that are written on, so that what is open stays bounded. */
  private get mayConnect(): boolean {
    return this.confirming.size <= this.settings.connections;
  }

  private retire(socket: GatewaySocket): void {
    if (!this.writing.delete(socket)) return;
    this.confirming.add(socket);
    socket.confirm();
  }

  private connect(): void {
    const socket = new GatewaySocket(this.settings, {
      ready: () => {
        this.failures = 0;
        this.schedulePump();
      },
      unheard: (jobs) => {
        const { silenceMs } = this.settings;
        for (const job of jobs)
          doubt(
            job,
            "timeout",
            `no error within ${silenceMs} ms, which is likely and no proof of acceptance`,
          );
      },
      ended: (end) => {
        this.writing.delete(socket);
        this.confirming.delete(socket);
        this.settle(end);
        if (this.isClosed) return;
        if (!end.wasOpen) this.waitToConnect(end.detail);
        this.schedulePump();
      },
    });
    this.writing.add(socket);
  }

  private settle({ settlement, response, cause, detail }: GatewayEnd): void {
    for (const job of settlement.accepted) accept(job);
    if (settlement.rejected !== undefined && response !== undefined)
      reject(settlement.rejected, response.status);
    for (const job of settlement.unknown) doubt(job, cause, detail);
    // Needs no bound: each error response takes at least the one that it names out of the way.
    if (settlement.discarded.length > 0) this.queue = [...settlement.discarded, ...this.queue];
  }

  /** After a failure the next attempt waits, longer each time; after the last one what waits is given back. */
  private waitToConnect(detail: string): void {
    const { clock, connectAttempts, logger } = this.settings;
    this.failures += 1;
    logger.warn(`binary gateway: ${detail}`);
    if (this.failures >= connectAttempts) {
      this.failures = 0;
      for (const job of this.queue.splice(0)) giveBack(job, detail);
      return;
    }
    this.retryTimer ??= clock.setTimer(
      () => {
        this.retryTimer = undefined;
        this.pump();
      },
      Math.min(30_000, 250 * 2 ** this.failures),
    );
  }
}
