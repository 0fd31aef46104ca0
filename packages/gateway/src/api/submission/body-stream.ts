import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { unsupportedMediaType } from "../problems/answer-problems.ts";
import { ApiProblem } from "../problems/api-problem.ts";

/** How a body is written, as its headers say. */
interface BodyHeaders {
  readonly "content-type"?: string | undefined;
  readonly "content-encoding"?: string | undefined;
}

/**
 * The body as it was before it was compressed. Its reader counts the bytes that come out of this, so that a small body
 * that unfolds into a large one is stopped like any large one.
 * @throws {ApiProblem} it is written in a way that is not understood
 */
export function openBody(body: Readable, headers: BodyHeaders): Readable {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(headers["content-type"] ?? "")?.[1] ?? "utf-8";
  if (!/^utf-?8$/i.test(charset)) throw unsupportedMediaType("JSON is written in UTF-8.");
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding === "identity") return body;
  if (encoding !== "gzip") throw unsupportedMediaType("A body is compressed with gzip, or not at all.");
  const unfolded = createGunzip();
  body.once("error", (error) => unfolded.destroy(error));
  body.once("close", () => {
    if (!body.readableEnded) unfolded.destroy(brokenBody());
  });
  // After bytes that are no gzip the rest is let go of, so that the answer goes out through the same socket.
  unfolded.once("close", () => body.unpipe(unfolded).resume());
  return body.pipe(unfolded);
}

export function brokenBody(): ApiProblem {
  return new ApiProblem("malformed-request", "The body did not arrive whole. Send the request again.");
}
