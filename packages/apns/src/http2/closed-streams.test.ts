import { expect, test } from "vitest";
import { ClosedStreams } from "./closed-streams.ts";

test("knows the unusual endings and takes the rest for END_STREAM", () => {
  const closed = new ClosedStreams();
  closed.remember(3, "us");
  closed.remember(5, "peer-reset");
  expect([1, 3, 5, 7].map((id) => closed.find(id))).toEqual(["end-stream", "us", "peer-reset", "end-stream"]);
});

test("forgets the oldest beyond 1,024 and claims nothing about streams so old", () => {
  const closed = new ClosedStreams();
  for (let id = 101; id < 101 + 2 * 1025; id += 2) closed.remember(id, "us");
  expect([1, 101, 103].map((id) => closed.find(id))).toEqual(["forgotten", "forgotten", "us"]);
});
