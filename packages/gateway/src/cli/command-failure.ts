import type { ExitStatus } from "./exit-status.ts";

export interface FailureWords {
  /** One line: what did not work. */
  readonly summary: string;
  /** Everything that is wrong, each with its place and what to do about it. */
  readonly problems?: readonly string[];
  /** Where to look further. */
  readonly hint?: string;
}

/** Ends a command in words for the person at the keyboard, without a stack trace. */
export class CommandFailure extends Error {
  readonly status: ExitStatus;
  readonly lines: readonly string[];

  constructor(status: ExitStatus, words: FailureWords) {
    super(words.summary);
    this.name = "CommandFailure";
    this.status = status;
    const { summary, problems = [], hint } = words;
    this.lines = [
      `error: ${summary}`,
      ...problems.map((problem) => `  ${problem}`),
      ...(hint === undefined ? [] : [hint]),
    ];
  }
}
