import type { Clock, Timer } from "@carillon/apns";

/** A clock that stands still until it is moved: for tests of what takes hours. */
export class VirtualClock implements Clock {
  private nowMs: number;
  private passedMs = 0;
  private readonly timers = new Set<{ readonly dueMs: number; readonly fire: () => void }>();

  /** @param nowMs milliseconds since 1970. @default the system's time */
  constructor(nowMs: number = Date.now()) {
    this.nowMs = nowMs;
  }

  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.passedMs;
  }

  setTimer(fire: () => void, ms: number): Timer {
    const timer = { dueMs: this.passedMs + Math.max(0, ms), fire };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  /** Lets time pass. Timers fire in the order in which they are due, each at its own moment. */
  advance(ms: number): void {
    const endMs = this.passedMs + ms;
    for (let next = this.nextDue(endMs); next !== undefined; next = this.nextDue(endMs)) {
      this.timers.delete(next);
      this.pass(next.dueMs - this.passedMs);
      next.fire();
    }
    this.pass(endMs - this.passedMs);
  }

  /** Sets the time of day, as an operator does; nothing becomes due by it. */
  jumpTo(nowMs: number): void {
    this.nowMs = nowMs;
  }

  private pass(ms: number): void {
    this.passedMs += ms;
    this.nowMs += ms;
  }

  private nextDue(endMs: number): { readonly dueMs: number; readonly fire: () => void } | undefined {
    let next: { readonly dueMs: number; readonly fire: () => void } | undefined;
    for (const timer of this.timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}
