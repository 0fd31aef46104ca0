import { CommandFailure } from "./command-failure.ts";
import { exitStatus } from "./exit-status.ts";

/** npm hands on a signal that the terminal has sent to the whole group: two within this time are one. */
const sameSignalMs = 300;

/** Ctrl-C and SIGTERM, from now on: the first asks for a clean stop, the second for one at once. */
export class StopSignals {
  /** Resolves at the first signal. */
  readonly first: Promise<void>;
  readonly #second: Promise<never>;

  constructor(wordsAtOnce: string) {
    let stop: () => void = () => undefined;
    let stopAtOnce: (failure: CommandFailure) => void = () => undefined;
    this.first = new Promise((resolve) => {
      stop = resolve;
    });
    this.#second = new Promise((_, reject) => {
      stopAtOnce = reject;
    });
    // Whether anybody waits for it or not.
    this.#second.catch(() => undefined);
    let firstAtMs: number | undefined;
    const receive = (): void => {
      firstAtMs ??= performance.now();
      stop();
      if (performance.now() - firstAtMs < sameSignalMs) return;
      stopAtOnce(new CommandFailure(exitStatus.unknown, { summary: wordsAtOnce }));
    };
    process.on("SIGINT", receive).on("SIGTERM", receive);
  }

  /** The work's result. @throws {CommandFailure} at the second signal; the work is left where it stands */
  orAtOnce<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.#second]);
  }
}
