import { type ErrorResponse, errorStatus } from "@carillon/apns/binary";
import type { ReadFrame } from "./frame-reader.ts";
import type { FrameTaker } from "./frame-taker.ts";

/** Why a device token is gone, and since when: epoch milliseconds. */
interface GoneToken {
  readonly reason: string;
  readonly sinceMs: number;
}

/** Those of these device tokens (lower-case hex) that are gone. */
export type GoneLookup = (deviceTokens: readonly string[]) => Promise<ReadonlyMap<string, GoneToken>>;

interface Waiting {
  readonly frames: readonly ReadFrame[];
  readonly bytes: number;
}

/**
 * Refuses frames to device tokens that are gone, before another taker gets them, for apps that want that. What comes during one
 * look waits for the next, so that there is one for many frames.
 */
export class GoneFrames implements FrameTaker {
  readonly #inner: FrameTaker;
  readonly #findGone: GoneLookup;
  #waiting: Waiting[] = [];
  #unsettledBytes = 0;
  #isLooking = false;
  #isStopped = false;
  #whenIdle: (() => void)[] = [];

  constructor(inner: FrameTaker, findGone: GoneLookup) {
    this.#inner = inner;
    this.#findGone = findGone;
  }

  get unsettledBytes(): number {
    return this.#unsettledBytes + this.#inner.unsettledBytes;
  }

  get isHeld(): boolean {
    return this.#inner.isHeld;
  }

  take(frames: readonly ReadFrame[], bytes: number): void {
    if (this.#isStopped) return;
    this.#waiting.push({ frames, bytes });
    this.#unsettledBytes += bytes;
    if (!this.#isLooking) void this.#siftAll();
  }

  async settled(): Promise<void> {
    if (this.#isLooking) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    await this.#inner.settled();
  }

  stop(): Promise<ErrorResponse | undefined> {
    this.#isStopped = true;
    return this.#inner.stop();
  }

  disconnect(): void {
    this.#inner.disconnect();
  }

  async #siftAll(): Promise<void> {
    this.#isLooking = true;
    while (this.#waiting.length > 0 && !this.#isStopped) {
      const waiting = this.#waiting;
      this.#waiting = [];
      const bytes = waiting.reduce((sum, each) => sum + each.bytes, 0);
      const frames = await this.#sift(waiting.flatMap((each) => each.frames));
      this.#unsettledBytes -= bytes;
      if (!this.#isStopped) this.#inner.take(frames, bytes);
    }
    this.#isLooking = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #sift(frames: readonly ReadFrame[]): Promise<readonly ReadFrame[]> {
    const deviceTokens = frames.flatMap((frame) =>
      frame.kind === "push" ? [frame.deviceToken.toString("hex")] : [],
    );
    if (deviceTokens.length === 0) return frames;
    let gone: ReadonlyMap<string, GoneToken>;
    try {
      gone = await this.#findGone(deviceTokens);
    } catch {
      // The store has failed, which the next taker finds out and tells.
      return frames;
    }
    return gone.size === 0 ? frames : frames.map((frame) => refuseGone(frame, gone));
  }
}

function refuseGone(frame: ReadFrame, gone: ReadonlyMap<string, GoneToken>): ReadFrame {
  const known = frame.kind === "push" ? gone.get(frame.deviceToken.toString("hex")) : undefined;
  if (known === undefined) return frame;
  const since = new Date(known.sinceMs).toISOString();
  const detail = `a device token that is gone since ${since} (${known.reason})`;
  return { kind: "refused", status: errorStatus.invalidToken, identifier: frame.identifier, detail };
}
