import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The command as `npm run build` leaves it. */
export const commandFile = join(root, "packages/gateway/dist/cli/main.js");

export interface RunOptions {
  /** @default an empty folder, the same for all runs of a test file */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What standard input brings before it ends; absent: nothing. `"open"` never ends. */
  readonly input?: string | "open";
  /** The id of the user to run as; for tests that run as root, who may read everything. */
  readonly user?: number;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const deadlineMs = 25_000;
const running = new Set<ChildProcess>();
const folders: string[] = [];

/** A folder of the test's own, taken away by `cleanUp`. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-cli-"));
  folders.push(folder);
  return folder;
}

/** Ends what still runs and removes the folders; for `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const child of running) child.kill("SIGKILL");
  await Promise.all([...running].map((child) => once(child, "close")));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Runs `carillon` with these words to its end. */
export function carillon(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(words, options).ended();
}

/** Starts `carillon` with these words and leaves it running. */
export function start(words: readonly string[], options: RunOptions = {}): RunningCommand {
  return new RunningCommand(process.execPath, [commandFile, ...words], options);
}

/** Runs a line in bash, as a reader who pastes it. */
export function paste(line: string, options: RunOptions = {}): Promise<Ended> {
  return new RunningCommand("bash", ["-c", line], options).ended();
}

/** A command under way, and what it has printed so far. */
export class RunningCommand {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #ended: Promise<Ended>;

  constructor(file: string, words: readonly string[], options: RunOptions) {
    const { folder = makeFolder(), environment = {}, input, user } = options;
    const { PATH = "", HOME = folder } = process.env;
    this.child = spawn(file, words, {
      cwd: folder,
      env: { PATH, HOME, ...environment },
      stdio: "pipe",
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    running.add(this.child);
    this.child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.stdout += chunk;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.stderr += chunk;
    });
    // It may have ended without reading.
    this.child.stdin?.on("error", () => undefined);
    if (input !== "open") this.child.stdin?.end(input ?? "");
    this.#ended = once(this.child, "close").then(([status, signal]) => {
      running.delete(this.child);
      return { status, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  ended(): Promise<Ended> {
    return within(this.#ended, () => `the end of the command. ${this.#printed()}`);
  }

  /** The first match in what it prints to standard output. */
  async untilPrinted(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout);
        if (match !== null) resolve(match);
      };
      this.child.stdout?.on("data", look);
      look();
      void this.#ended.then(() =>
        reject(new Error(`it ended before it printed ${pattern}. ${this.#printed()}`)),
      );
    });
    return within(found, () => `${pattern}. ${this.#printed()}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  #printed(): string {
    return `It printed:\n${this.stdout}\n${this.stderr}`;
  }
}

async function within<Result>(work: Promise<Result>, what: () => string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what()}`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
