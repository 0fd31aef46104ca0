import { createColors } from "picocolors";

/** Where a command writes. */
export interface Terminal {
  /** A line of what was asked for, to standard output. */
  print(line: string): void;
  /**
   * The same, and resolves when the system has taken the line: the next program in a pipe may still lose it.
   * @throws the system's error, EPIPE too: here it matters that the reader has gone
   */
  hand(line: string): Promise<void>;
  /** A line about it, to standard error. */
  note(line: string): void;
  /** For lines that are printed; without effect where they go to a file, a pipe or a reader who wants none. */
  readonly colours: Colours;
  /** For notes. */
  readonly noteColours: Colours;
  /** Why printed lines were lost, other than by a reader who had enough. */
  readonly outputFailure: string | undefined;
}

type Colours = ReturnType<typeof createColors>;

/**
 * The terminal of this process. A reader that closes its end (`| head -1`) stops the output, not the command: what it does and
 * the status that it ends with are the same.
 */
export function openTerminal(): Terminal {
  let outputFailure: string | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") outputFailure ??= error.message;
  });
  // There is no place left to tell it.
  process.stderr.on("error", () => undefined);
  return {
    print: (line) => void process.stdout.write(`${line}\n`),
    hand: (line) =>
      new Promise((resolve, reject) => {
        process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
      }),
    note: (line) => void process.stderr.write(`${line}\n`),
    colours: createColors(showsColours(process.stdout, process.env)),
    noteColours: createColors(showsColours(process.stderr, process.env)),
    get outputFailure() {
      return outputFailure;
    },
  };
}

/** Whether somebody looks who wants them. Source: no-color.org; `TERM=dumb` is how editors say the same. */
export function showsColours(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR = "", TERM } = environment;
  return stream.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
}
