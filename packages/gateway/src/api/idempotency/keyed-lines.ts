import { createHash, type Hash } from "node:crypto";
import {
  type Delivery,
  type DraftRun,
  type NotificationDraft,
  NotificationIds,
  type Recalled,
} from "../../delivery/index.ts";
import { LineSummary } from "../submission/line-answers.ts";
import {
  type LineWatch,
  lastLineOf,
  type ReadLines,
  type StoredLines,
  type WrittenLine,
} from "../submission/line-intake.ts";
import { keyUsedForAnother } from "./request-key.ts";
import { type LinesRecord, parseRecord, writeRecord } from "./request-record.ts";

const nothing: LinesRecord = {
  ...{ kind: "lines", lines: 0, digest: newHash().digest("base64"), isWhole: false },
  ...{ accepted: 0, rejected: 0, errors: [] },
};

/**
 * A body of lines that is taken once under its key, whatever its length: each commit also stores how far it came and the
 * digest of all lines so far. When the body comes again, the lines that are on disk are compared and not stored anew, and
 * it goes on behind them.
 */
export class KeyedLines implements LineWatch {
  readonly #delivery: Delivery;
  readonly #app: string;
  readonly #key: string;
  /** As it was when the request came. */
  readonly #known: LinesRecord;
  readonly #summary: LineSummary;
  /** Of all lines so far. */
  readonly #hash: Hash = newHash();
  #isSame = false;
  /** The last one that was stored or refused now. */
  #lastLine = 0;
  #revision: number | undefined;

  /** @throws {ApiProblem} the key belongs to a request of another kind */
  constructor(delivery: Delivery, app: string, key: string, recalled: Recalled | undefined) {
    const record = recalled?.record === undefined ? nothing : parseRecord(recalled.record);
    if (record.kind !== "lines") throw keyUsedForAnother();
    this.#delivery = delivery;
    this.#app = app;
    this.#key = key;
    this.#known = record;
    this.#summary = new LineSummary(record);
    this.#revision = recalled?.revision;
  }

  skips(line: WrittenLine): boolean {
    const isKnown = line.number <= this.#known.lines;
    if (!isKnown) this.#compare();
    if (!isKnown && this.#known.isWhole) throw keyUsedForAnother();
    this.#hash
      .update(`${line.number} `)
      .update(line.isTooLong ? "too long" : line.bytes)
      .update("\n");
    return isKnown;
  }

  /** Stores these lines, which follow those that are on disk. */
  submit(
    drafts: readonly (NotificationDraft | DraftRun)[],
    lines: readonly ReadLines[],
  ): Promise<NotificationIds> {
    // Lines that are all wrong are remembered with those that follow.
    if (drafts.length === 0) return Promise.resolve(new NotificationIds());
    const summary = new LineSummary(this.#summary);
    summary.add({ lines });
    return this.#store(drafts, summary, lastLineOf(lines), false);
  }

  stored(stored: StoredLines): void {
    this.#summary.add(stored);
    this.#lastLine = lastLineOf(stored.lines);
  }

  /**
   * The body has ended; resolves with its answer once it is remembered.
   * @throws {ApiProblem} it was another one, or nothing in it is valid: that is not remembered
   */
  async finish(): Promise<{ readonly answer: object; readonly isReplay: boolean }> {
    this.#compare();
    const answer = this.#summary.answer();
    const { isWhole, lines } = this.#known;
    if (!isWhole) await this.#store([], this.#summary, Math.max(lines, this.#lastLine), true);
    return { answer, isReplay: isWhole };
  }

  /** The lines that are on disk must be those that came now. */
  #compare(): void {
    if (!this.#isSame && this.#digest() !== this.#known.digest) throw keyUsedForAnother();
    this.#isSame = true;
  }

  async #store(
    drafts: readonly (NotificationDraft | DraftRun)[],
    { accepted, rejected, errors }: LineSummary,
    lines: number,
    isWhole: boolean,
  ): Promise<NotificationIds> {
    const digest = this.#digest();
    const ids = await this.#delivery.take(this.#app, drafts, {
      key: this.#key,
      ...(this.#revision === undefined ? {} : { replaces: this.#revision }),
      record: () => writeRecord({ kind: "lines", lines, digest, isWhole, accepted, rejected, errors }),
    });
    this.#revision = this.#revision === undefined ? 0 : this.#revision + 1;
    return ids;
  }

  #digest(): string {
    return this.#hash.copy().digest("base64");
  }
}

function newHash(): Hash {
  return createHash("sha256");
}
