/** What a route says: a status and what goes out as JSON. Without a value there is no body. */
export interface ControlAnswer {
  readonly status: number;
  readonly value?: unknown;
  /** For 405. */
  readonly allow?: string;
}

/** A refusal; the text says what to do. */
export function refuse(status: number, error: string): ControlAnswer {
  return { status, value: { error } };
}
