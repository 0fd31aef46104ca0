import type { Clock } from "@carillon/apns";

/** A clock that was set back must not make anybody wait for longer. */
const longestWaitMs = 2 * 3_600_000;

/** How one loop waits, for a time or for news, until all is over. One wait at a time. */
export class InterruptibleWait {
  readonly #clock: Clock;
  #hasNews = false;
  #isOver = false;
  /** Ends waiting for news. */
  #wake: () => void = () => undefined;
  /** Ends every waiting. */
  #interrupt: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Nobody waits any more. */
  end(): void {
    this.#isOver = true;
    this.#interrupt();
  }

  /** There is something new, also for whoever waits for it next. */
  tell(): void {
    this.#hasNews = true;
    this.#wake();
  }

  /** What was told so far is old. */
  forgetNews(): void {
    this.#hasNews = false;
  }

  async untilNews(): Promise<void> {
    if (this.#hasNews || this.#isOver) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#interrupt = resolve;
    });
  }

  async pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#isOver) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(resolve, Math.min(ms, longestWaitMs));
      this.#interrupt = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
