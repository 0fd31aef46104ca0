/** How much of its rate may leave at once after a pause, in time. */
const burstMs = 50;

/**
 * Lets so many a second pass, evenly: each moves the time of the next on by its share of a second (the generic cell rate
 * algorithm, ITU-T I.371). One may be early by 50 ms, so that what was
 * asked late is made good, and after a pause no more leave at once than belong to that time, and one. Pure; times are
 * monotonic.
 */
export class RateLimit {
  readonly #intervalMs: number;
  /** When the next one is due if nobody ever comes early. */
  #nextMs = Number.NEGATIVE_INFINITY;

  /** @param perSecond more than 0; below 1 means less than one a second */
  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond;
  }

  /** When the next one may pass. */
  get opensAtMs(): number {
    return this.#nextMs - burstMs;
  }

  admits(nowMs: number): boolean {
    return nowMs >= this.opensAtMs;
  }

  /** One passes. */
  take(nowMs: number): void {
    this.#nextMs = Math.max(this.#nextMs, nowMs) + this.#intervalMs;
  }
}
