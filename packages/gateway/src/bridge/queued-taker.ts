import type { Clock } from "@carillon/apns";
import { type ErrorResponse, errorStatus } from "@carillon/apns/binary";
import type { App } from "../apps/index.ts";
import { type Delivery, QueueFullError } from "../delivery/index.ts";
import type { BridgeLogger } from "./bridge-limits.ts";
import { draftRuns } from "./draft-runs.ts";
import type { ReadFrame, RefusedFrame, WantedPush } from "./frame-reader.ts";
import type { FrameTaker, TakerListener } from "./frame-taker.ts";

export interface QueuedTakerOptions {
  readonly app: App;
  readonly delivery: Pick<Delivery, "take">;
  readonly clock: Clock;
  readonly logger: BridgeLogger;
}

/**
 * Puts frames on disk, as ordinary submissions. What comes while one is written waits for the next, so that a fsync carries what
 * came meanwhile; one at a time, so that what was stored is always a front of what was sent.
 */
export class QueuedTaker implements FrameTaker {
  readonly #options: QueuedTakerOptions;
  readonly #listener: TakerListener;
  #waiting: WantedPush[] = [];
  #waitingBytes = 0;
  #writingBytes = 0;
  #refused: RefusedFrame | undefined;
  #lastStored = 0;
  #state: "open" | "stopping" | "ended" = "open";
  #isStoring = false;
  #whenIdle: (() => void)[] = [];
  #wakeUp: (() => void) | undefined;

  constructor(options: QueuedTakerOptions, listener: TakerListener) {
    this.#options = options;
    this.#listener = listener;
  }

  get unsettledBytes(): number {
    return this.#waitingBytes + this.#writingBytes;
  }

  /** A queue takes what there is room for, whether its app may send or not. */
  get isHeld(): boolean {
    return false;
  }

  take(frames: readonly ReadFrame[], bytes: number): void {
    if (this.#state !== "open" || this.#refused !== undefined) return;
    this.#waitingBytes += bytes;
    for (const frame of frames) {
      if (frame.kind === "push") this.#waiting.push(frame);
      else {
        this.#refused = frame;
        break;
      }
    }
    if (!this.#isStoring) void this.#storeAll();
  }

  settled(): Promise<void> {
    if (!this.#isStoring) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  async stop(): Promise<ErrorResponse | undefined> {
    if (this.#state === "open") this.#state = "stopping";
    this.#wakeUp?.();
    await this.settled();
    if (this.#state === "ended") return undefined;
    this.#state = "ended";
    return this.#shutdown;
  }

  /** What was read is stored all the same. */
  disconnect(): void {}

  get #shutdown(): ErrorResponse {
    return { status: errorStatus.shutdown, identifier: this.#lastStored };
  }

  async #storeAll(): Promise<void> {
    this.#isStoring = true;
    while (this.#waiting.length > 0) {
      const pushes = this.#waiting;
      this.#waiting = [];
      this.#writingBytes = this.#waitingBytes;
      this.#waitingBytes = 0;
      const isStored = await this.#store(pushes);
      this.#writingBytes = 0;
      if (!isStored) break;
      this.#lastStored = pushes.at(-1)?.identifier ?? 0;
      this.#listener.room();
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isStoring = false;
    this.#tellRefusal();
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #tellRefusal(): void {
    if (this.#state === "ended" || this.#refused === undefined) return;
    this.#state = "ended";
    const { status, identifier, detail } = this.#refused;
    this.#listener.fault({ status, identifier }, detail);
  }

  /** Waits where the queue is full: the sender is not read meanwhile. False when it was not stored. */
  async #store(pushes: readonly WantedPush[]): Promise<boolean> {
    const { app, delivery, logger } = this.#options;
    const { name } = app.config;
    for (;;) {
      try {
        await delivery.take(name, draftRuns(pushes, app.config));
        return true;
      } catch (error) {
        if (!(error instanceof QueueFullError)) {
          this.#state = "ended";
          this.#listener.fault(this.#shutdown, `nothing can be stored: ${(error as Error).message}`);
          return false;
        }
        if (this.#state !== "open") return false;
        logger.warn({ app: name }, `a sender waits: ${error.message}`);
        await this.#pause(error.retryAfterSeconds * 1_000);
        if (this.#state !== "open") return false;
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(resolve, ms);
      this.#wakeUp = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
