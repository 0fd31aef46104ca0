import { expect, test } from "vitest";
import { decodeBatch } from "./batch/decoder.ts";
import { BatchEncoder } from "./batch/encoder.ts";
import { BatchRun } from "./batch-run.ts";
import { LaneQueue } from "./lane-queue.ts";

const settings = { topic: "com.example", pushType: "alert" };

function run(id: string, count: number, outcomes?: Uint8Array): BatchRun {
  const encoder = new BatchEncoder("at-least-once");
  for (let place = 0; place < count; place += 1) encoder.add("aa", { payload: Buffer.of(1), settings });
  const decoded = decodeBatch(encoder.finish());
  if (decoded.kind === "malformed") throw new Error(decoded.detail);
  return new BatchRun(id, decoded.batch, 0, outcomes);
}

function lane(): LaneQueue {
  return new LaneQueue({ app: "demo", environment: "sandbox", lane: "normal" });
}

function drain(queue: LaneQueue): string[] {
  const turns: string[] = [];
  for (let turn = queue.peek(); turn !== undefined; turn = queue.peek()) {
    turns.push(`${turn.run.id}${turn.place}`);
    queue.take();
  }
  return turns;
}

test("a run hands out each open place once and keeps those begun apart", () => {
  const some = run("a", 5, Uint8Array.of(0, 1, 3, 2, 0));
  expect(some.begun).toEqual([2]);
  expect(some.open).toBe(3);
  expect([some.take(), some.take(), some.take()]).toEqual([0, 4, undefined]);
  some.settled(2);
  expect(some.open).toBe(1);
  expect(run("b", 2).begun).toEqual([]);
});

test("what waits leaves batch after batch, place after place", () => {
  const queue = lane();
  queue.push(run("a", 2));
  queue.push(run("b", 3, Uint8Array.of(0, 1, 0)));
  queue.push(run("c", 1, Uint8Array.of(1)));
  expect(queue.peek()).toEqual(queue.peek());
  expect(drain(queue)).toEqual(["a0", "a1", "b0", "b2"]);
  expect(queue.peek()).toBeUndefined();
});

test("what came back leaves before what was never sent, in the order in which it came back", () => {
  const queue = lane();
  const a = run("a", 4);
  queue.push(a);
  for (let taken = 0; taken < 2; taken += 1) {
    queue.peek();
    queue.take();
  }
  queue.peek(); // a2 was looked at already, and stays first
  queue.putBack({ run: a, place: 1 });
  queue.putBack({ run: a, place: 0 });
  expect(drain(queue)).toEqual(["a2", "a1", "a0", "a3"]);
});

test("counts the bytes of what is in memory until nothing of it is open", () => {
  const queue = lane();
  const a = run("a", 1);
  queue.push(a);
  queue.push(run("b", 1));
  expect(queue.waitingRuns).toBe(2);
  expect(queue.residentBytes).toBe(2 * a.reader.byteLength);
  drain(queue);
  expect(queue.waitingRuns).toBe(0);
  expect(queue.holds(a)).toBe(true);
  queue.forget(a);
  queue.forget(a);
  expect(queue.holds(a)).toBe(false);
  expect(queue.residentBytes).toBe(a.reader.byteLength);
});

test("after a drop nothing of before comes back", () => {
  const queue = lane();
  const a = run("a", 3);
  queue.push(a);
  queue.peek();
  queue.take();
  queue.peek();
  queue.drop();
  queue.putBack({ run: a, place: 0 });
  expect(drain(queue)).toEqual([]);
  expect(queue.residentBytes).toBe(0);
  queue.push(run("b", 1));
  expect(drain(queue)).toEqual(["b0"]);
});

test("knows when the first batch on disk is due, also when more is stored while others are fetched", () => {
  const queue = lane();
  expect(queue.diskDueAtMs).toBeUndefined();
  queue.storedOnDisk(500);
  queue.storedOnDisk(300);
  queue.storedOnDisk(400);
  expect(queue.diskDueAtMs).toBe(300);
  queue.beginClaim();
  expect(queue.isClaiming).toBe(true);
  queue.storedOnDisk(600);
  queue.endClaim(undefined);
  expect([queue.isClaiming, queue.diskDueAtMs]).toEqual([false, 600]);
  queue.beginClaim();
  queue.endClaim(undefined);
  expect(queue.diskDueAtMs).toBeUndefined();
  queue.beginClaim();
  queue.storedOnDisk(900);
  queue.endClaim(700);
  expect(queue.diskDueAtMs).toBe(700);
});
