import type { PageFile } from "../page/index.ts";

/** What a route says: a status and what goes out as JSON, or a file of the page. Without both there is no body. */
export interface ControlAnswer {
  readonly status: number;
  readonly value?: unknown;
  readonly file?: PageFile;
  /** For 405. */
  readonly allow?: string;
}

/** A refusal; the text says what to do. */
export function refuse(status: number, error: string): ControlAnswer {
  return { status, value: { error } };
}
