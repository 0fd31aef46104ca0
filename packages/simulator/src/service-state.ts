import type { Clock, RejectionReason } from "@carillon/apns";

/** How many requests are taken, of all connections together. */
export interface Capacity {
  /** From 1 on. */
  readonly most: number;
  /** In each span of so many milliseconds, from 1 on. */
  readonly withinMs: number;
}

/** What the service as a whole has to say to a request, whatever that is about: that it goes down, or is overloaded. */
export class ServiceState {
  private readonly clock: Pick<Clock, "monotonic">;
  private readonly capacity: Capacity | undefined;
  private isGoingDown = false;
  private readonly listeners = new Set<() => void>();
  private spanEndsMs = Number.NEGATIVE_INFINITY;
  private takenInSpan = 0;

  /** @param capacity undefined: without a bound */
  constructor(clock: Pick<Clock, "monotonic">, capacity?: Capacity) {
    this.clock = clock;
    this.capacity = capacity;
  }

  /** Whether the shutdown was announced. */
  get goesDown(): boolean {
    return this.isGoingDown;
  }

  /** Counts one request. Why it is refused; undefined where it is not. */
  countRequest(): RejectionReason | undefined {
    if (this.isGoingDown) return "Shutdown";
    const { capacity } = this;
    if (capacity === undefined) return undefined;
    const nowMs = this.clock.monotonic();
    if (nowMs >= this.spanEndsMs) {
      this.spanEndsMs = nowMs + capacity.withinMs;
      this.takenInSpan = 0;
    }
    if (this.takenInSpan >= capacity.most) return "ServiceUnavailable";
    this.takenInSpan += 1;
    return undefined;
  }

  /** From now on the service goes down: every connection hears of it. */
  announceShutdown(): void {
    if (this.isGoingDown) return;
    this.isGoingDown = true;
    for (const tell of [...this.listeners]) tell();
  }

  /** It does not go down after all. */
  resume(): void {
    this.isGoingDown = false;
  }

  /** Calls `tell` when a shutdown is announced. @returns what ends it */
  onShutdown(tell: () => void): () => void {
    this.listeners.add(tell);
    return () => void this.listeners.delete(tell);
  }
}
