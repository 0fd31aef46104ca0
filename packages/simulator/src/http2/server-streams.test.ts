import { expect, test } from "vitest";
import { ServerStream } from "./server-stream.ts";
import { ServerStreams } from "./server-streams.ts";

function open(streams: ServerStreams, id: number): void {
  streams.pass(id);
  streams.add(new ServerStream(id, [], undefined, 65_535, 65_535));
}

test("tells how a stream ended", () => {
  const streams = new ServerStreams();
  for (const id of [1, 3, 5, 11]) open(streams, id);
  streams.finish(1);
  streams.drop(3, "peer-reset");
  streams.drop(5, "us");
  expect([1, 3, 5, 7, 9].map((id) => streams.closedBy(id))).toEqual([
    "answer",
    "peer-reset",
    "us",
    "skipped",
    "skipped",
  ]);
  expect(streams.find(11)).toBeDefined();
  expect(streams.count).toBe(1);
});

test("a gap of a single stream is one", () => {
  const streams = new ServerStreams();
  for (const id of [1, 5]) open(streams, id);
  expect(streams.closedBy(3)).toBe("skipped");
});

test("forgets the oldest unusual endings, and then claims nothing about streams up to them", () => {
  const streams = new ServerStreams();
  for (let id = 1; id < 10_000; id += 2) {
    open(streams, id);
    streams.drop(id, "peer-reset");
  }
  expect(streams.closedBy(1)).toBe("forgotten");
  expect(streams.closedBy(9_999)).toBe("peer-reset");
  open(streams, 10_001);
  streams.finish(10_001);
  expect(streams.closedBy(10_001)).toBe("answer");
});

test("remembers the newest 64 gaps", () => {
  const streams = new ServerStreams();
  for (let id = 1; id < 1000; id += 10) open(streams, id);
  expect(streams.closedBy(5)).toBe("forgotten");
  expect(streams.closedBy(985)).toBe("skipped");
});

test("a stream keeps 8 KiB of a body and counts the rest", () => {
  const stream = new ServerStream(1, [], 20_000, 65_535, 65_535);
  const part = Buffer.alloc(5000, "a");
  for (let parts = 0; parts < 4; parts++) stream.addContent(part, 0, part.length, "more");
  part.fill("b");
  expect(stream.body.toString()).toBe("a".repeat(8192));
  expect(stream.contentBytes).toBe(20_000);
  expect(stream.isContentLengthRight).toBe(true);
});

test("content that is all there is is not copied", () => {
  const stream = new ServerStream(1, [], undefined, 65_535, 65_535);
  const chunk = Buffer.from("--{}--");
  stream.addContent(chunk, 2, 4, "last");
  expect(stream.body.toString()).toBe("{}");
  expect(stream.body.buffer).toBe(chunk.buffer);
});
