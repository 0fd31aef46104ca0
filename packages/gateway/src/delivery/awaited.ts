/** What has waited so long is not slow any more: nothing is sent in its place for the service's sake, and much for the others'. */
const slotMs = 1_000;

/** Counts the answers that are awaited, apart from those that are overdue: for more than one to two seconds. Pure: no clock. A hot path. */
export class Awaited {
  /** When the second began that was looked at last; departures in it, in the one before it, and before both. */
  #startMs = 0;
  #current = 0;
  #previous = 0;
  #overdue = 0;

  get count(): number {
    return this.#current + this.#previous + this.#overdue;
  }

  /** @param nowMs on the monotonic clock, as all times here */
  departed(nowMs: number): void {
    if (nowMs >= this.#startMs + slotMs) this.#moveTo(nowMs);
    this.#current += 1;
  }

  /** One that departed at `leftAtMs` is awaited no more. */
  answered(leftAtMs: number): void {
    if (leftAtMs >= this.#startMs) this.#current -= 1;
    else if (leftAtMs >= this.#startMs - slotMs) this.#previous -= 1;
    else this.#overdue -= 1;
  }

  /** How many are awaited and not overdue. */
  fresh(nowMs: number): number {
    if (nowMs >= this.#startMs + slotMs) this.#moveTo(nowMs);
    return this.#current + this.#previous;
  }

  overdue(nowMs: number): number {
    if (nowMs >= this.#startMs + slotMs) this.#moveTo(nowMs);
    return this.#overdue;
  }

  /** Into a later second. */
  #moveTo(nowMs: number): void {
    const startMs = nowMs - (nowMs % slotMs);
    const isNext = startMs === this.#startMs + slotMs;
    this.#overdue += this.#previous + (isNext ? 0 : this.#current);
    this.#previous = isNext ? this.#current : 0;
    this.#current = 0;
    this.#startMs = startMs;
  }
}
