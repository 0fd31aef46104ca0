import type { Clock } from "@carillon/apns";

/**
 * The time as of the present turn of the event loop: answers come by the hundred, and to ask the system costs as much as most of
 * what is done with one (bench/delivery.ts). The client's `TurnTime` is its like for one clock, and not for others to use.
 */
export class TurnClock {
  readonly #clock: Clock;
  #nowMs = 0;
  #monotonicMs = 0;
  #isKnown = false;
  readonly #forget = (): void => {
    this.#isKnown = false;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (!this.#isKnown) this.#look();
    return this.#nowMs;
  }

  monotonic(): number {
    if (!this.#isKnown) this.#look();
    return this.#monotonicMs;
  }

  #look(): void {
    this.#nowMs = this.#clock.now();
    this.#monotonicMs = this.#clock.monotonic();
    this.#isKnown = true;
    queueMicrotask(this.#forget);
  }
}
