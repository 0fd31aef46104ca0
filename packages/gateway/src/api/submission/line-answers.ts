import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { FieldProblem } from "../contract/answers.ts";
import { ApiProblem, problemOf } from "../problems/api-problem.ts";
import type { StoredLines } from "./line-intake.ts";

/** So many single problems are told; whoever mends these sees the rest. */
const mostErrors = 100;

/** Counts what was taken of a stream of lines, and keeps the first problems. */
export class LineSummary {
  #accepted = 0;
  #rejected = 0;
  readonly #errors: FieldProblem[] = [];

  add({ entries }: StoredLines): void {
    for (const { line, entry } of entries) {
      if (entry.kind === "valid") this.#accepted += entry.draft.deviceTokens.length;
      else {
        this.#rejected += entry.recipients;
        for (const problem of entry.problems)
          if (this.#errors.length < mostErrors) this.#errors.push({ line, ...problem });
      }
    }
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
  async add({ entries, ids }: StoredLines, nowMs: number): Promise<void> {
    let next = 0;
    const lines = entries.map(({ line, entry }) => {
      if (entry.kind === "invalid")
        return JSON.stringify({
          line,
          error: problemOf("invalid", "This notification was not stored.", entry.problems),
        });
      const { deviceTokens, dueAtMs = 0 } = entry.draft;
      const status = dueAtMs > nowMs ? "scheduled" : "queued";
      const results = deviceTokens.map(() => ({ id: ids[next++], status }));
      return JSON.stringify({ line, results });
    });
    if (this.#out.destroyed || this.#out.write(`${lines.join("\n")}\n`)) return;
    await Promise.race([once(this.#out, "drain"), once(this.#out, "close")]);
  }

  /** The last line tells what ended the stream early, if anything did. */
  end(problem: ApiProblem | undefined): void {
    if (this.#out.destroyed) return;
    this.#out.end(problem === undefined ? "" : `${JSON.stringify({ error: problem.body })}\n`);
  }
}
