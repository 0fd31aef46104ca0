import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { ApiProblem } from "../problems/api-problem.ts";
import { BodyReader } from "./body-reader.ts";

const limits = { bodyBytes: 10, allBodiesBytes: 15, bodyMs: 60_000 };

function streamOf(...parts: string[]): Readable {
  return Readable.from(parts.map((part) => Buffer.from(part)));
}

async function problemOf(work: Promise<unknown>): Promise<ApiProblem> {
  const problem = await work.catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApiProblem);
  return problem as ApiProblem;
}

test("hands over the whole body, whatever parts it came in", async () => {
  const bodies = new BodyReader(limits);
  expect(await bodies.read(streamOf("01234", "56789"), 10, String)).toBe("0123456789");
  expect(await bodies.read(streamOf("0"), 0, String)).toBe("0");
  expect(await bodies.read(undefined, 0, String)).toBe("");
});

test("refuses a body that is announced too large without reading it", async () => {
  const stream = streamOf("x");
  const problem = await problemOf(new BodyReader(limits).read(stream, 11, String));
  expect(problem.status).toBe(413);
  expect(stream.readableDidRead).toBe(false);
});

test("stops reading a body that turns out too large, and leaves its socket alone", async () => {
  const stream = streamOf("01234", "56789", "a", "more");
  const problem = await problemOf(new BodyReader(limits).read(stream, 0, String));
  expect(problem.status).toBe(413);
  expect(stream.destroyed).toBe(false);
});

test("holds no more than it may in all, and takes bodies again when others are done", async () => {
  const bodies = new BodyReader(limits);
  let finish = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const first = bodies.read(streamOf("0123456789"), 10, () => done);
  const problem = await problemOf(bodies.read(streamOf("012345"), 6, String));
  expect(problem.status).toBe(503);
  expect(problem.headers["retry-after"]).toBe("1");
  finish();
  await first;
  expect(await bodies.read(streamOf("012345"), 6, String)).toBe("012345");
});

test("forgets a body whose use failed", async () => {
  const bodies = new BodyReader(limits);
  const fail = (): never => {
    throw new Error("no");
  };
  for (let round = 0; round < 5; round += 1)
    await expect(bodies.read(streamOf("0123456789"), 10, fail)).rejects.toThrow("no");
  expect(await bodies.read(streamOf("0123456789"), 10, String)).toBe("0123456789");
});

test("gives up on a body that does not arrive in time, and leaves its socket alone", async () => {
  const stream = new Readable({ read: () => undefined });
  stream.push("0");
  const problem = await problemOf(new BodyReader({ ...limits, bodyMs: 1 }).read(stream, 0, String));
  expect(problem.status).toBe(408);
  expect(stream.destroyed).toBe(false);
});
