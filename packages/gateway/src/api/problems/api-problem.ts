import type { FieldProblem, Problem } from "../contract/answers.ts";

/** Every kind of refusal: its HTTP status and its title. The name stands in `type`, for programs. */
export const problemKinds = {
  "malformed-request": { status: 400, title: "The request cannot be read" },
  unauthorized: { status: 401, title: "A valid key is missing" },
  "no-such-route": { status: 404, title: "There is nothing at this address" },
  "no-such-app": { status: 404, title: "There is no such app" },
  "no-such-notification": { status: 404, title: "There is no such notification" },
  "no-such-webhook": { status: 404, title: "There is no such webhook" },
  "method-not-allowed": { status: 405, title: "This address does not take that method" },
  "key-used": { status: 409, title: "The Idempotency-Key belongs to another request" },
  "key-under-way": { status: 409, title: "A request with this Idempotency-Key is under way" },
  "not-cancelled": { status: 409, title: "It is too late to cancel this notification" },
  "request-timeout": { status: 408, title: "The request took too long to arrive" },
  "too-many-webhooks": { status: 409, title: "There are as many webhooks as may be" },
  "cursor-too-old": { status: 410, title: "What comes after this cursor is kept no longer" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "This content type is not understood" },
  invalid: { status: 422, title: "The request is not valid" },
  "headers-too-large": { status: 431, title: "The headers are too large" },
  "internal-error": { status: 500, title: "Something went wrong inside Carillon" },
  "queue-full": { status: 503, title: "Nothing more is taken at the moment" },
  "too-many-followers": { status: 503, title: "No more connections may follow the events" },
  stopping: { status: 503, title: "The gateway is stopping" },
  "store-failed": { status: 503, title: "The store has failed" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemKind = keyof typeof problemKinds;

/** So many single problems are told; whoever mends these sees the rest. */
const mostErrors = 100;

/** A refusal, thrown anywhere in the API and answered as `application/problem+json`. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly body: Problem;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param detail what is wrong and what to do about it, in sentences; goes to the caller
   * @param members what stands in the body beside the usual (RFC 9457, section 3.2)
   */
  constructor(
    kind: ProblemKind,
    detail: string,
    errors: readonly FieldProblem[] = [],
    headers: Readonly<Record<string, string>> = {},
    members: object = {},
  ) {
    super(detail);
    this.body = { ...problemOf(kind, detail, errors), ...members };
    this.headers = headers;
  }

  get status(): number {
    return this.body.status;
  }
}

/** The body of a problem. */
export function problemOf(kind: ProblemKind, detail: string, errors: readonly FieldProblem[]): Problem {
  const { status, title } = problemKinds[kind];
  const more = errors.length - mostErrors;
  return {
    type: `urn:carillon:problem:${kind}`,
    title,
    status,
    detail: more > 0 ? `${detail} The first ${mostErrors} of ${errors.length} problems are listed.` : detail,
    errors: errors.slice(0, mostErrors),
  };
}
