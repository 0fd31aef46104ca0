import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { App } from "../../apps/index.ts";
import { type NotificationDraft, QueueFullError } from "../../delivery/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { type Line, LineSplitter, mostLineBytes } from "./line-splitter.ts";
import { type Entry, readLine } from "./submission.ts";

/** One line and what was read in it. */
export interface NumberedEntry {
  readonly line: number;
  readonly entry: Entry;
}

/** Lines that went to disk together, with the ids of all recipients in order. */
export interface StoredLines {
  readonly entries: readonly NumberedEntry[];
  readonly ids: readonly string[];
}

export interface LineIntakeOptions {
  readonly app: App;
  /** Stores all or none; resolves with an id for each recipient. */
  readonly submit: (drafts: readonly NotificationDraft[]) => Promise<readonly string[]>;
  /** Is told of the lines in their order; reading waits for it. */
  readonly stored: (lines: StoredLines) => Promise<void> | void;
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
  #entries: NumberedEntry[] = [];
  #recipients = 0;
  #bytes = 0;
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
    const splitter = new LineSplitter();
    // Left early, the stream must live on: the answer goes out through the same socket.
    for await (const chunk of body?.iterator({ destroyOnReturn: false }) ?? []) {
      for (const line of splitter.split(chunk as Buffer)) if (this.#add(line)) await this.#store();
      // What has arrived goes to disk: nobody knows when the next chunk comes.
      await this.#store();
      if (this.#failure !== undefined) return;
    }
    for (const line of splitter.end()) this.#add(line);
    await this.#store();
  }

  /** Whether enough was gathered to be stored. */
  #add(line: Line): boolean {
    const entry = this.#read(line);
    this.#entries.push({ line: line.number, entry });
    if (entry.kind === "valid") {
      this.#recipients += entry.draft.deviceTokens.length;
      this.#bytes += entry.draft.payload.length;
    }
    return (
      this.#recipients >= mostRecipients || this.#bytes >= mostBytes || this.#entries.length >= mostRecipients
    );
  }

  #read(line: Line): Entry {
    if (line.kind === "line") return readLine(line.bytes, this.#options.app, Date.now());
    const detail = `This line is longer than ${mostLineBytes} bytes. Send it as several.`;
    return { kind: "invalid", recipients: 1, problems: [{ pointer: "", detail }] };
  }

  /** Hands over what was gathered. Resolves when there is room for more. */
  async #store(): Promise<void> {
    const entries = this.#entries;
    if (entries.length === 0 || this.#failure !== undefined) return;
    this.#entries = [];
    this.#recipients = 0;
    this.#bytes = 0;
    this.#lastLine = entries.at(-1)?.line ?? 0;
    const ids = this.#submit(entries);
    // It is waited for below, in its turn.
    ids.catch(() => undefined);
    this.#told = this.#told.then(() => this.#tell(entries, ids));
    this.#waiting.push(this.#told);
    if (this.#waiting.length >= mostWaiting) await this.#waiting.shift();
  }

  async #submit(entries: readonly NumberedEntry[]): Promise<readonly string[]> {
    const drafts: NotificationDraft[] = [];
    for (const { entry } of entries) if (entry.kind === "valid") drafts.push(entry.draft);
    for (let pauses = 0; ; pauses += 1) {
      try {
        return await this.#options.submit(drafts);
      } catch (error) {
        const isSlow = error instanceof QueueFullError && error.retryAfterSeconds === 1;
        if (!isSlow || pauses === mostPauses) throw error;
        await pause(1_000);
      }
    }
  }

  async #tell(entries: readonly NumberedEntry[], ids: Promise<readonly string[]>): Promise<void> {
    try {
      const known = await ids;
      // Told also where something before it is missing: it is on disk.
      this.#accepted += known.length;
      await this.#options.stored({ entries, ids: known });
    } catch (error) {
      this.#failure ??= { error };
      const line = entries[0]?.line ?? 0;
      this.#missing.push({ line, detail: `Lines ${line} to ${entries.at(-1)?.line} were not stored.` });
    }
  }

  #explain(error: unknown): unknown {
    if (!(error instanceof QueueFullError)) return error;
    const { message, retryAfterSeconds } = error;
    const detail =
      `${message} ${this.#accepted} notifications of this body are on disk. The lines listed are not, nor is any ` +
      `line behind ${this.#lastLine}: send these again in ${retryAfterSeconds} s.`;
    const headers = { "retry-after": String(retryAfterSeconds), connection: "close" };
    return new ApiProblem("queue-full", detail, this.#missing, headers);
  }
}
