import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { FieldProblem, Problem } from "../contract/answers.ts";
import { ApiProblem, problemOf } from "../problems/api-problem.ts";
import type { ReadLines, StoredLines } from "./line-intake.ts";
import type { Entry } from "./submission.ts";

/** So many single problems are told; whoever mends these sees the rest. */
const mostErrors = 100;

interface LineCounts {
  readonly accepted: number;
  readonly rejected: number;
  readonly errors: readonly FieldProblem[];
}

/** Counts what was taken of a stream of lines, and keeps the first problems. */
export class LineSummary {
  #accepted: number;
  #rejected: number;
  readonly #errors: FieldProblem[];

  /** @param before what was taken of the same stream earlier */
  constructor({ accepted, rejected, errors }: LineCounts = { accepted: 0, rejected: 0, errors: [] }) {
    this.#accepted = accepted;
    this.#rejected = rejected;
    this.#errors = [...errors];
  }

  get accepted(): number {
    return this.#accepted;
  }

  get rejected(): number {
    return this.#rejected;
  }

  get errors(): readonly FieldProblem[] {
    return this.#errors;
  }

  add({ lines }: Pick<StoredLines, "lines">): void {
    for (const each of lines) {
      if (each.kind === "run") this.#accepted += each.run.recipients;
      else if (each.entry.kind === "valid") this.#accepted += each.entry.draft.deviceTokens.length;
      else this.#refuse(each.line, each.entry);
    }
  }

  #refuse(line: number, { recipients, problems }: Extract<Entry, { kind: "invalid" }>): void {
    this.#rejected += recipients;
    for (const problem of problems)
      if (this.#errors.length < mostErrors) this.#errors.push({ line, ...problem });
  }

  /** @throws {ApiProblem} nothing was taken */
  answer(): { accepted: number; rejected: number; errors: FieldProblem[] } {
    if (this.#accepted > 0)
      return { accepted: this.#accepted, rejected: this.#rejected, errors: this.#errors };
    const detail =
      this.#rejected === 0
        ? "The body is empty. Send one notification a line."
        : `Nothing was stored: none of ${this.#rejected} notifications is valid. Mend what is listed and send it again.`;
    throw new ApiProblem("invalid", detail, this.#errors);
  }
}

/** A line of answer for each line of the request. */
export class LineAnswers {
  readonly #out = new PassThrough();

  get stream(): Readable {
    return this.#out;
  }

  /** Resolves when the caller has room for more answers. */
  async add({ lines, ids }: StoredLines, nowMs: number): Promise<void> {
    const left = ids.list().values();
    const answers = joined(lines.flatMap((each) => answersTo(each, left, nowMs)));
    const text = answers.map((answer) => `${JSON.stringify(answer)}\n`).join("");
    if (this.#out.destroyed || this.#out.write(text)) return;
    await Promise.race([once(this.#out, "drain"), once(this.#out, "close")]);
  }

  /** The last line tells what ended the stream early, if anything did. */
  end(problem: ApiProblem | undefined): void {
    if (this.#out.destroyed) return;
    this.#out.end(problem === undefined ? "" : `${JSON.stringify({ error: problem.body })}\n`);
  }
}

type LineAnswer =
  | { readonly line: number; readonly results: readonly object[] }
  | { readonly line: number; readonly error: Problem };

/** One for each line: several to one, of which not all recipients were taken, become one. */
function joined(answers: readonly LineAnswer[]): readonly LineAnswer[] {
  const lines: LineAnswer[] = [];
  for (const answer of answers) {
    const last = lines.at(-1);
    if (last?.line === answer.line)
      lines[lines.length - 1] = { line: answer.line, results: [...resultsOf(last), ...resultsOf(answer)] };
    else lines.push(answer);
  }
  return lines;
}

function resultsOf(answer: LineAnswer): readonly object[] {
  return "results" in answer ? answer.results : [{ error: answer.error }];
}

/** Takes as many of `ids` as there are recipients. */
function answersTo(lines: ReadLines, ids: Iterator<string>, nowMs: number): readonly LineAnswer[] {
  const results = (recipients: number, dueAtMs = 0): object[] => {
    const status = dueAtMs > nowMs ? "scheduled" : "queued";
    return Array.from({ length: recipients }, () => ({ id: ids.next().value, status }));
  };
  if (lines.kind === "run") {
    const { first, count, run } = lines;
    return Array.from({ length: count }, (_, index) => {
      const recipients = count === 1 ? run.recipients : 1;
      return { line: first + index, results: results(recipients, run.shared.dueAtMs) };
    });
  }
  const { line, entry } = lines;
  if (entry.kind === "invalid") {
    const error = problemOf("invalid", "This notification was not stored.", entry.problems);
    return [{ line, error }];
  }
  const { deviceTokens, dueAtMs } = entry.draft;
  return [{ line, results: results(deviceTokens.length, dueAtMs) }];
}
