import { problemSchema } from "../contract/answers.ts";
import { type ProblemKind, problemKinds } from "./api-problem.ts";

/** The answers of these kinds for the documentation, by status; kinds that share one are told together. */
export function problemResponses(...kinds: readonly ProblemKind[]): Record<number, unknown> {
  const responses: Record<number, { description: string; content: unknown }> = {};
  for (const kind of kinds) {
    const { status, title } = problemKinds[kind];
    const known = responses[status];
    responses[status] = {
      description: known === undefined ? `${title}.` : `${known.description} ${title}.`,
      content: { "application/problem+json": { schema: problemSchema } },
    };
  }
  return responses;
}
