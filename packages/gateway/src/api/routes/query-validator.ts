import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { findSchemaProblems } from "../../config/index.ts";
import { ApiProblem } from "../problems/api-problem.ts";

/**
 * Holds the parameters of a query against their schema. Bodies are checked where they are read, by the same schema that
 * stands at the route; parts of the path by looking them up.
 */
export const queryValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  if (httpPart !== "querystring") return () => true;
  const types = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  return (query: Record<string, unknown>) => {
    const value = Object.fromEntries(
      Object.entries(query).map(([key, text]) => [
        key,
        readValue(text, Object.hasOwn(types, key) ? types[key]?.type : undefined),
      ]),
    );
    const problems = findSchemaProblems(schema, value);
    if (problems.length === 0) return { value };
    const errors = problems.map(({ path, detail }) => ({ parameter: String(path[0]).slice(0, 100), detail }));
    return {
      error: new ApiProblem("invalid", "A parameter of the address is wrong. Nothing was done.", errors),
    };
  };
};

/** Parameters are texts; what looks like the type that is asked for is taken as that. */
function readValue(text: unknown, type: string | undefined): unknown {
  if (typeof text !== "string") return text;
  if (type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}
