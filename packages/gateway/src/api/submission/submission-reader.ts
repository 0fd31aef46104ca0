import type { App } from "../../apps/index.ts";
import type { DraftRun, NotificationDraft } from "../../delivery/index.ts";
import { limits } from "../contract/notification.ts";
import { KnownForms } from "./known-forms.ts";
import { noMatch } from "./notification-template.ts";
import { type NumberedRun, RunReader } from "./run-reader.ts";
import { type Entry, readSubmission } from "./submission.ts";

/** One notification of a submission, or several of one form that stand in a row. */
export type SubmittedEntry = Entry | ({ readonly kind: "run" } & NumberedRun);

/** What a body holds. */
export interface ReadBody {
  /** In order; at least one is valid. */
  readonly entries: readonly SubmittedEntry[];
  /** False for a notification that stands by itself. */
  readonly isList: boolean;
}

/** Reads bodies, and remembers of each app in what form it sends. */
export class SubmissionReader {
  readonly #formsOf = new WeakMap<App, KnownForms>();

  /**
   * Reads a body: one notification, or a list of them. Where all of it has a known form, in one pass over its bytes.
   * @throws {ApiProblem} malformed, or nothing in it is valid
   */
  read(bytes: Buffer, app: App, nowMs: number): ReadBody {
    let forms = this.#formsOf.get(app);
    if (forms === undefined) {
      forms = new KnownForms();
      this.#formsOf.set(app, forms);
    }
    forms.setTime(nowMs);
    const list = startOfList(bytes);
    const reading = new KnownBody(bytes, forms);
    const known = list === noMatch ? reading.readOne() : reading.readList(list);
    if (known !== undefined) return { entries: known, isList: list !== noMatch };
    const { entries, spans, isList } = readSubmission(bytes, app, nowMs);
    // The first whose form was not known; those before it teach nothing.
    const entry = entries[reading.count];
    const span = spans[reading.count];
    if (entry?.kind === "valid" && span !== undefined)
      forms.learn(bytes.subarray(span.start, span.end), entry.draft);
    return { entries, isList };
  }
}

/** What of a submission goes to disk. */
export function draftsIn(entries: readonly SubmittedEntry[]): readonly (NotificationDraft | DraftRun)[] {
  const drafts: (NotificationDraft | DraftRun)[] = [];
  for (const entry of entries)
    if (entry.kind === "run") drafts.push(entry.run);
    else if (entry.kind === "valid") drafts.push(entry.draft);
  return drafts;
}

/** One pass over a body of known forms. Undefined is given for everything else, and says nothing about it. */
class KnownBody {
  readonly #bytes: Buffer;
  readonly #runs: RunReader;
  readonly #entries: SubmittedEntry[] = [];
  #recipients = 0;
  /** How many notifications were read. */
  count = 0;

  constructor(bytes: Buffer, forms: KnownForms) {
    this.#bytes = bytes;
    this.#runs = new RunReader(forms);
  }

  readOne(): readonly SubmittedEntry[] | undefined {
    return this.#next(0, this.#bytes.length) === noMatch ? undefined : this.#finish();
  }

  /** @param start where the first notification stands */
  readList(start: number): readonly SubmittedEntry[] | undefined {
    const bytes = this.#bytes;
    let at = start;
    for (;;) {
      at = this.#next(skipSpace(bytes, at), noMatch);
      if (at === noMatch || this.count > limits.notifications) return undefined;
      at = skipSpace(bytes, at);
      if (bytes[at] !== 0x2c) break;
      at += 1;
    }
    if (bytes[at] !== 0x5d) return undefined;
    at = skipSpace(bytes, at + 1);
    return bytes[at] === 0x7d && skipSpace(bytes, at + 1) === bytes.length ? this.#finish() : undefined;
  }

  #next(start: number, end: number): number {
    let found = this.#runs.continue(this.#bytes, start, end, this.count);
    if (found === noMatch) {
      this.#closeRun();
      found = this.#runs.begin(this.#bytes, start, end, this.count);
    }
    if (found !== noMatch) this.count += 1;
    return found;
  }

  #closeRun(): void {
    const closed = this.#runs.close();
    if (closed === undefined) return;
    this.#entries.push({ kind: "run", ...closed });
    this.#recipients += closed.run.recipients;
  }

  #finish(): readonly SubmittedEntry[] | undefined {
    this.#closeRun();
    return this.#recipients > limits.recipients ? undefined : this.#entries;
  }
}

const listKey = Buffer.from('"notifications"');

/** Where the first notification of a list stands, space before it included; `noMatch` where this is no list for sure. */
function startOfList(bytes: Buffer): number {
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== 0x7b) return noMatch;
  at = skipSpace(bytes, at + 1);
  for (const byte of listKey) {
    if (bytes[at] !== byte) return noMatch;
    at += 1;
  }
  at = skipSpace(bytes, at);
  if (bytes[at] !== 0x3a) return noMatch;
  at = skipSpace(bytes, at + 1);
  return bytes[at] === 0x5b ? at + 1 : noMatch;
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}
