import { createHash } from "node:crypto";
import type { IdRun } from "../../delivery/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import type { Slot } from "../submission/results.ts";

/** What is remembered of a request that was taken under a key. */
export type RequestRecord = WholeRecord | LinesRecord;

/** Of a JSON body: all that its answer is made of. */
export interface WholeRecord {
  readonly kind: "whole";
  /** Tells its body from others. */
  readonly digest: string;
  readonly ids: readonly IdRun[];
  readonly slots: readonly Slot[];
}

/** Of a body of lines: as far as it is on disk. */
export interface LinesRecord {
  readonly kind: "lines";
  /** The last line that was stored or refused. */
  readonly lines: number;
  /** Tells these lines from others. */
  readonly digest: string;
  /** Whether the body ended there. */
  readonly isWhole: boolean;
  readonly accepted: number;
  readonly rejected: number;
  readonly errors: readonly FieldProblem[];
}

export function writeRecord(record: RequestRecord): string {
  return JSON.stringify(record);
}

/** @param text what `writeRecord` gave */
export function parseRecord(text: string): RequestRecord {
  return JSON.parse(text) as RequestRecord;
}

/** Bodies with the same one are the same. */
export function digestOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("base64");
}
