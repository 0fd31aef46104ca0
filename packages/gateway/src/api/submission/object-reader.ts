import type { Readable } from "node:stream";
import type { Static, TObject } from "typebox";
import { findSchemaProblems } from "../../config/index.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { BodyReader } from "./body-reader.ts";
import { escapePointerStep, scanJson } from "./json-scanner.ts";

/** Small bodies that say what is to be done, all of them together. */
const bodies = { bodyBytes: 64 * 1024, allBodiesBytes: 16 * 1024 * 1024, bodyMs: 10_000 };

/** Reads bodies that are one small object. */
export class ObjectReader {
  readonly #bodies = new BodyReader(bodies);

  /**
   * The body by its schema; no body at all is an empty object.
   * @throws {ApiProblem} it is no JSON, or not as the schema says
   */
  read<Schema extends TObject>(body: Readable | undefined, schema: Schema): Promise<Static<Schema>> {
    return this.#bodies.read(body, 0, (bytes) => {
      const value: unknown = bytes.length === 0 ? {} : parse(bytes);
      const problems = findSchemaProblems(schema, value);
      if (problems.length === 0) return value as Static<Schema>;
      const errors = problems.map(({ path, detail }) => ({
        pointer: path.map((step) => `/${escapePointerStep(String(step))}`).join(""),
        detail,
      }));
      throw new ApiProblem("invalid", "The body is not as it should be. Nothing was changed.", errors);
    });
  }
}

function parse(bytes: Buffer): unknown {
  const scan = scanJson(bytes);
  if (scan.kind !== "refused") return JSON.parse(bytes.toString("utf8"));
  const detail = "The body is not JSON that can be taken. Nothing was changed.";
  throw new ApiProblem("malformed-request", detail, [scan.fault]);
}
