import type { FastifyRequest } from "fastify";
import { ApiProblem } from "../problems/api-problem.ts";
import { isSameKey } from "./admin-key.ts";

/** Lets a request with the right key pass. @throws {ApiProblem} the key is missing or wrong */
export function requireKey({ headers }: FastifyRequest, adminKey: string): void {
  const { authorization } = headers;
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (given !== undefined && isSameKey(given, adminKey)) return;
  const cure =
    "Send the header Authorization: Bearer <key>; the key stands in admin.key in the gateway's data folder.";
  throw new ApiProblem("unauthorized", `${explain(authorization, given)} ${cure}`, [], {
    "www-authenticate": 'Bearer realm="carillon"',
  });
}

function explain(authorization: string | undefined, given: string | undefined): string {
  if (authorization === undefined) return "The request carries no key.";
  return given === undefined ? "The Authorization header has another form." : "This key is not known here.";
}
