import type { Clock } from "./clock.ts";

/** Calls that one reading serves at most, so that a turn in which much else is done does not leave it behind. */
const mostCalls = 32;

/**
 * The clock's monotonic time, read once for several calls within one turn of the event loop: reading it takes 50 ns, and a send asked
 * four times (bench/client.ts).
 */
export class TurnTime {
  private readonly clock: Clock;
  private nowMs = 0;
  private callsLeft = 0;
  private isResetScheduled = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): number {
    if (this.callsLeft === 0) this.read();
    this.callsLeft -= 1;
    return this.nowMs;
  }

  private read(): void {
    this.nowMs = this.clock.monotonic();
    this.callsLeft = mostCalls;
    if (this.isResetScheduled) return;
    this.isResetScheduled = true;
    setImmediate(this.reset);
  }

  private readonly reset = (): void => {
    this.isResetScheduled = false;
    this.callsLeft = 0;
  };
}
