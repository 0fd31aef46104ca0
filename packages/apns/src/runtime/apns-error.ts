/** What a caller can do wrong; stable, for programs to compare. */
export type ApnsErrorCode =
  /** An option of the client is out of range or contradicts another. */
  | "bad-option"
  /** A notification that APNs would refuse; `problems` says which fields. */
  | "bad-notification"
  /** The provider key cannot be read. */
  | "bad-key"
  /** The certificate or its key cannot be read. */
  | "bad-certificate"
  /** `send` after `close`. */
  | "closed";

/** A caller's mistake. Faults of the network and answers of APNs are outcomes, never errors. */
export class ApnsError extends Error {
  readonly code: ApnsErrorCode;
  /** With `bad-notification`: every problem, with the field it is about. */
  readonly problems: readonly { readonly field: string; readonly detail: string }[];

  constructor(
    code: ApnsErrorCode,
    message: string,
    problems: readonly { readonly field: string; readonly detail: string }[] = [],
  ) {
    super(message);
    this.name = "ApnsError";
    this.code = code;
    this.problems = problems;
  }
}
