import { RateLimit } from "./rate-limit.ts";

/** An app that somebody stopped by hand. */
export interface AppPause {
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  /** In the words of whoever did it. */
  readonly reason?: string;
}

/** What holds for an app on all its routes and in all its lanes: whether it is paused, and how fast it may send. */
export class AppGate {
  readonly rate: RateLimit | undefined;
  pause: AppPause | undefined;

  /** @param perSecond notifications; undefined for as many as go */
  constructor(perSecond?: number) {
    this.rate = perSecond === undefined ? undefined : new RateLimit(perSecond);
  }

  /** Whether one more may leave at this moment of the monotonic clock. */
  admits(monotonicMs: number): boolean {
    return this.pause === undefined && (this.rate === undefined || this.rate.admits(monotonicMs));
  }

  /** What the app waits for, in a few words; the rate is none of it. */
  get detail(): string | undefined {
    if (this.pause === undefined) return undefined;
    const { sinceMs, reason } = this.pause;
    const since = `paused since ${new Date(sinceMs).toISOString()}`;
    return reason === undefined ? since : `${since}: ${reason}`;
  }
}
