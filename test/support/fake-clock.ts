import type { Clock, Timer } from "@carillon/apns";

/** A clock that stands still until a test moves it. Sockets know nothing of it: move it only while nothing is on the way. */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  #timers = new Set<{ at: number; fire: () => void }>();

  now(): number {
    return 1_800_000_000_000 + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(fire: () => void, ms: number): Timer {
    const timer = { at: this.#elapsedMs + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Lets time pass; every timer that falls due fires at its own moment, in order. */
  advance(ms: number): void {
    const target = this.#elapsedMs + ms;
    for (;;) {
      let next: { at: number; fire: () => void } | undefined;
      for (const timer of this.#timers)
        if (timer.at <= target && (next === undefined || timer.at < next.at)) next = timer;
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
      next.fire();
    }
    this.#elapsedMs = target;
  }
}
