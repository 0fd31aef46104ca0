import type { Clock, Timer } from "@carillon/apns";
import type { AppGate } from "./app-gate.ts";

interface Held {
  /** In the order in which they came. */
  readonly waiting: Set<() => void>;
  timer: Timer | undefined;
}

/** A rate is looked after so often at most; what that is late is made good. */
const shortestSleepMs = 5;

/** Those who send an app's notifications past the queue: its pause and its rate hold for them too. */
export class Passers {
  readonly #clock: Clock;
  readonly #gateOf: (app: string) => AppGate;
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock, gateOf: (app: string) => AppGate) {
    this.#clock = clock;
    this.#gateOf = gateOf;
  }

  /** Whether one may leave now, which is then counted. Otherwise `again` is called once, when it is worth asking again. */
  mayPass(app: string, again: () => void): boolean {
    const gate = this.#gateOf(app);
    const monotonicMs = this.#clock.monotonic();
    if (gate.admits(monotonicMs)) {
      gate.rate?.take(monotonicMs);
      return true;
    }
    let held = this.#held.get(app);
    if (held === undefined) {
      held = { waiting: new Set(), timer: undefined };
      this.#held.set(app, held);
    }
    held.waiting.add(again);
    this.#sleep(app, held);
    return false;
  }

  /** `again` will not be called any more. */
  leave(app: string, again: () => void): void {
    this.#held.get(app)?.waiting.delete(again);
  }

  /** Pauses have begun or ended. */
  look(): void {
    for (const [app, held] of this.#held) this.#wake(app, held);
  }

  #wake(app: string, held: Held): void {
    const gate = this.#gateOf(app);
    // Each once: who is refused again waits behind the others.
    for (let left = held.waiting.size; left > 0 && gate.admits(this.#clock.monotonic()); left -= 1) {
      const [again] = held.waiting;
      if (again === undefined) break;
      held.waiting.delete(again);
      again();
    }
    this.#sleep(app, held);
  }

  /** Until the rate lets one through. A pause ends by itself. */
  #sleep(app: string, held: Held): void {
    const { pause, rate } = this.#gateOf(app);
    if (held.timer !== undefined || held.waiting.size === 0 || pause !== undefined || rate === undefined)
      return;
    const delayMs = Math.max(rate.opensAtMs - this.#clock.monotonic(), shortestSleepMs);
    held.timer = this.#clock.setTimer(() => {
      held.timer = undefined;
      this.#wake(app, held);
    }, delayMs);
  }

  /** Nobody is called any more. */
  stop(): void {
    for (const { timer } of this.#held.values()) timer?.cancel();
    this.#held.clear();
  }
}
