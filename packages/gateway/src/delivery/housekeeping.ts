import type { Clock, Timer } from "@carillon/apns";
import type { NodeId, Store } from "../store/index.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";

/** How long things are kept after a batch is settled. */
export interface Retention {
  /** Payloads, tokens and references. @default 86,400,000: one day */
  readonly bodiesMs: number;
  /** What became of the notifications. @default 604,800,000: seven days */
  readonly recordsMs: number;
  /** What became of requests that came with a key. @default 86,400,000: one day */
  readonly requestKeysMs: number;
  /** What is held against device tokens, since an answer last said so, and where they were found to belong. @default 7,776,000,000: 90 days */
  readonly verdictsMs: number;
}

export interface HousekeepingOptions {
  readonly store: Store;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: DeliveryLogger;
  readonly leaseMs: number;
  readonly retention: Retention;
  /** Others took this node for dead: it holds nothing any more. */
  readonly lost: () => void;
  /** Another node was found dead: what it held is free. */
  readonly inherited: () => Promise<void>;
  /** With every sign of life: looks what others have written. */
  readonly look: () => Promise<void>;
  /** What waits on disk may be due earlier than was known. */
  readonly clockWentBack: () => void;
}

/** How often old things are looked for, and how many go in one step. */
const purgeEveryMs = 60_000;
const purgeLimit = 100;
const purgeKeysLimit = 500;
const purgeVerdictsLimit = 500;
const purgeEnvironmentsLimit = 500;
/** Between two steps, so that purging never fills the store's time. */
const purgePauseMs = 50;
/** Clocks are slewed by less all the time. */
const noticedJumpMs = 1_000;

/** Keeps this node's leases alive, and forgets what is old. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #heartbeatTimer: Timer | undefined;
  #purgeTimer: Timer | undefined;
  #isStopped = false;
  /** How far the clock was ahead of the monotonic one when they were last compared. */
  #offsetMs = 0;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Announces the node. Rejects when the store does not work. */
  async start(): Promise<void> {
    const { store, node, clock, leaseMs } = this.#options;
    await store.heartbeat(node, leaseMs);
    // The clock may have been set back while nobody ran.
    await store.clockWentBack(clock.now());
    this.#offsetMs = clock.now() - clock.monotonic();
    this.#planHeartbeat();
    this.#planPurge(purgePauseMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#heartbeatTimer?.cancel();
    this.#purgeTimer?.cancel();
  }

  #planHeartbeat(): void {
    if (this.#isStopped) return;
    const { clock, leaseMs } = this.#options;
    this.#heartbeatTimer = clock.setTimer(() => void this.#heartbeat(), leaseMs / 3);
  }

  async #heartbeat(): Promise<void> {
    const { store, node, leaseMs, lost, inherited, look, logger } = this.#options;
    try {
      await this.#lookAtClock();
      const answer = await store.heartbeat(node, leaseMs);
      if (answer === "lost") {
        logger.warn({ node }, "this node was taken for dead; it fetches its batches anew");
        lost();
      } else if (answer === "inherited") {
        logger.warn({ node }, "another node is dead; what it held goes on from here");
        await inherited();
      }
      await look();
    } catch (error) {
      if (!this.#isStopped) logger.warn({ detail: String(error) }, "the leases could not be renewed");
    }
    this.#planHeartbeat();
  }

  /** A clock that was set back would keep waiting what is due already. */
  async #lookAtClock(): Promise<void> {
    const { store, clock, logger, clockWentBack } = this.#options;
    const nowMs = clock.now();
    const backMs = this.#offsetMs - (nowMs - clock.monotonic());
    if (backMs >= noticedJumpMs) {
      logger.warn({ backMs: Math.round(backMs) }, "the clock was set back");
      await store.clockWentBack(nowMs);
      clockWentBack();
    }
    this.#offsetMs = nowMs - clock.monotonic();
  }

  #planPurge(delayMs: number): void {
    if (this.#isStopped) return;
    this.#purgeTimer = this.#options.clock.setTimer(() => void this.#purge(), delayMs);
  }

  async #purge(): Promise<void> {
    const { store, clock, retention, logger } = this.#options;
    const now = clock.now();
    try {
      const gone = await store.purge({
        bodiesBeforeMs: now - retention.bodiesMs,
        recordsBeforeMs: now - retention.recordsMs,
        limit: purgeLimit,
      });
      const keys = await store.purgeRequestKeys(now - retention.requestKeysMs, purgeKeysLimit);
      const verdicts = await store.purgeVerdicts(now - retention.verdictsMs, purgeVerdictsLimit);
      const environments = await store.purgeEnvironments(now - retention.verdictsMs, purgeEnvironmentsLimit);
      const isMore =
        gone.bodies === purgeLimit ||
        gone.records === purgeLimit ||
        keys === purgeKeysLimit ||
        verdicts === purgeVerdictsLimit ||
        environments === purgeEnvironmentsLimit;
      this.#planPurge(isMore ? purgePauseMs : purgeEveryMs);
    } catch (error) {
      if (!this.#isStopped) logger.warn({ detail: String(error) }, "old records could not be purged");
      this.#planPurge(purgeEveryMs);
    }
  }
}
