import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { App } from "../../apps/index.ts";
import {
  type DraftRun,
  type NotificationDraft,
  type NotificationIds,
  QueueFullError,
} from "../../delivery/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { KnownForms } from "./known-forms.ts";
import { LineSplitter, mostLineBytes } from "./line-splitter.ts";
import { noMatch } from "./notification-template.ts";
import { type NumberedRun, RunReader } from "./run-reader.ts";
import { type Entry, readLine } from "./submission.ts";

/** One line and what was read in it, or several of one form. */
export type ReadLines =
  | { readonly kind: "entry"; readonly line: number; readonly entry: Entry }
  | ({ readonly kind: "run" } & NumberedRun);

/** Lines that went to disk together, with the ids of all recipients in order. */
export interface StoredLines {
  readonly lines: readonly ReadLines[];
  readonly ids: NotificationIds;
}

/** A line as it came. */
export interface WrittenLine {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly isTooLong: boolean;
}

/** Who looks at every line before it is read, and decides whether it was taken before. */
export interface LineWatch {
  /** Whether this line is to be left out. @throws {ApiProblem} nothing more is to be taken */
  skips(line: WrittenLine): boolean;
}

export interface LineIntakeOptions {
  readonly app: App;
  /** Takes out of a group what is not to be stored, before it is. */
  readonly sift?: ((lines: readonly ReadLines[]) => Promise<readonly ReadLines[]>) | undefined;
  /** Stores all or none; resolves with an id for each recipient. */
  readonly submit: (
    drafts: readonly (NotificationDraft | DraftRun)[],
    lines: readonly ReadLines[],
  ) => Promise<NotificationIds>;
  /** Is told of the lines in their order; reading waits for it. */
  readonly stored: (lines: StoredLines) => Promise<void> | void;
  /** With a watch groups are stored one after the other, so that what is on disk is the beginning of the body. */
  readonly watch?: LineWatch;
}

/** So many recipients, or bytes of lines, are handed to the store in one go. */
const mostRecipients = 1_000;
const mostBytes = 256 * 1024;
/** So many of these groups may wait for the disk before reading pauses. */
const mostWaiting = 8;
/** How often in a row the disk may be too slow, a second each, before the caller is told. */
const mostPauses = 5;

/**
 * Reads notifications line by line, as many as there are, and stores them in groups: never more in memory than a few of
 * these, for the body is read only as fast as the disk takes it. A line that is wrong does not touch the others.
 *
 * @throws {ApiProblem} the queue is full; which lines were stored stands in it
 */
export class LineIntake {
  readonly #options: LineIntakeOptions;
  readonly #splitter = new LineSplitter();
  readonly #forms = new KnownForms();
  readonly #runs = new RunReader(this.#forms);
  /** What was gathered and waits to be stored together; the open run is not among it. */
  #lines: ReadLines[] = [];
  /** Of it. */
  #recipients = 0;
  #bytes = 0;
  #nowMs = 0;
  #accepted = 0;
  /** The last line that was handed to the store. */
  #lastLine = 0;
  /** Resolves when everything before was told; it never rejects. */
  #told: Promise<void> = Promise.resolve();
  readonly #waiting: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;
  readonly #missing: FieldProblem[] = [];

  constructor(options: LineIntakeOptions) {
    this.#options = options;
  }

  async take(body: Readable | undefined): Promise<void> {
    try {
      await this.#takeAll(body);
    } finally {
      await this.#told;
    }
    if (this.#failure !== undefined) throw this.#explain(this.#failure.error);
  }

  async #takeAll(body: Readable | undefined): Promise<void> {
    const splitter = this.#splitter;
    // Left early, the stream must live on: the answer goes out through the same socket.
    for await (const chunk of body?.iterator({ destroyOnReturn: false }) ?? []) {
      this.#setTime();
      splitter.push(chunk as Buffer);
      while (splitter.next()) if (this.#add()) await this.#store();
      // What has arrived goes to disk: nobody knows when the next chunk comes.
      await this.#store();
      if (this.#failure !== undefined) return;
    }
    this.#setTime();
    if (splitter.last()) this.#add();
    await this.#store();
  }

  #setTime(): void {
    this.#nowMs = Date.now();
    this.#forms.setTime(this.#nowMs);
  }

  /** Adds the line at which the splitter is. Whether enough was gathered to be stored. */
  #add(): boolean {
    const runs = this.#runs;
    const { bytes, start, end, number, isTooLong } = this.#splitter;
    if (this.#options.watch?.skips({ number, bytes: bytes.subarray(start, end), isTooLong })) return false;
    if (runs.continue(bytes, start, end, number) === noMatch) {
      this.#closeRun();
      if (runs.begin(bytes, start, end, number) === noMatch) this.#read();
    }
    return (
      this.#recipients + runs.recipients >= mostRecipients ||
      this.#bytes + runs.payloadBytes >= mostBytes ||
      this.#lines.length >= mostRecipients
    );
  }

  /** Reads that line by the rules. */
  #read(): void {
    const { bytes, start, end, number, isTooLong } = this.#splitter;
    const line = bytes.subarray(start, end);
    const entry = isTooLong ? tooLong : readLine(line, this.#options.app, this.#nowMs);
    this.#lines.push({ kind: "entry", line: number, entry });
    if (entry.kind !== "valid") return;
    this.#recipients += entry.draft.deviceTokens.length;
    this.#bytes += entry.draft.payload.length;
    this.#forms.learn(line, entry.draft);
  }

  #closeRun(): void {
    const closed = this.#runs.close();
    if (closed === undefined) return;
    this.#lines.push({ kind: "run", ...closed });
    this.#recipients += closed.run.recipients;
    this.#bytes += closed.run.payloadBytes;
  }

  /** Hands over what was gathered. Resolves when there is room for more. */
  async #store(): Promise<void> {
    this.#closeRun();
    const lines = this.#lines;
    if (lines.length === 0 || this.#failure !== undefined) return;
    this.#lines = [];
    this.#recipients = 0;
    this.#bytes = 0;
    this.#lastLine = lastLineOf(lines);
    const stored = this.#submit(lines);
    // It is waited for below, in its turn.
    stored.catch(() => undefined);
    this.#told = this.#told.then(() => this.#tell(lines, stored));
    this.#waiting.push(this.#told);
    const most = this.#options.watch === undefined ? mostWaiting : 1;
    if (this.#waiting.length >= most) await this.#waiting.shift();
  }

  async #submit(read: readonly ReadLines[]): Promise<StoredLines> {
    const { sift, submit } = this.#options;
    const lines = sift === undefined ? read : await sift(read);
    const drafts: (NotificationDraft | DraftRun)[] = [];
    for (const each of lines)
      if (each.kind === "run") drafts.push(each.run);
      else if (each.entry.kind === "valid") drafts.push(each.entry.draft);
    for (let pauses = 0; ; pauses += 1) {
      try {
        return { lines, ids: await submit(drafts, lines) };
      } catch (error) {
        const isSlow = error instanceof QueueFullError && error.retryAfterSeconds === 1;
        if (!isSlow || pauses === mostPauses) throw error;
        await pause(1_000);
      }
    }
  }

  async #tell(lines: readonly ReadLines[], stored: Promise<StoredLines>): Promise<void> {
    try {
      const known = await stored;
      // Told also where something before it is missing: it is on disk.
      this.#accepted += known.ids.length;
      await this.#options.stored(known);
    } catch (error) {
      this.#failure ??= { error };
      const line = firstOf(lines);
      this.#missing.push({ line, detail: `Lines ${line} to ${lastLineOf(lines)} were not stored.` });
    }
  }

  #explain(error: unknown): unknown {
    if (!(error instanceof QueueFullError)) return error;
    const { message, retryAfterSeconds } = error;
    const cure =
      this.#options.watch === undefined
        ? `send these again in ${retryAfterSeconds} s.`
        : `send the same body again in ${retryAfterSeconds} s with the same Idempotency-Key, and it goes on there.`;
    const detail =
      `${message} ${this.#accepted} notifications of this body are on disk. The lines listed are not, nor is any ` +
      `line behind ${this.#lastLine}: ${cure}`;
    const headers = { "retry-after": String(retryAfterSeconds), connection: "close" };
    return new ApiProblem("queue-full", detail, this.#missing, headers);
  }
}

const tooLong: Entry = {
  kind: "invalid",
  recipients: 1,
  problems: [{ pointer: "", detail: `This line is longer than ${mostLineBytes} bytes. Send it as several.` }],
};

function firstOf([first]: readonly ReadLines[]): number {
  if (first === undefined) return 0;
  return first.kind === "run" ? first.first : first.line;
}

export function lastLineOf(lines: readonly ReadLines[]): number {
  const last = lines.at(-1);
  if (last === undefined) return 0;
  return last.kind === "run" ? last.first + last.count - 1 : last.line;
}
