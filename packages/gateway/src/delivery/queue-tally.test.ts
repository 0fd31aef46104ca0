import { expect, test } from "vitest";
import { QueueTally } from "./queue-tally.ts";

const limits = { maxQueued: 100, maxQueuedBytes: 1_000, maxQueuedPerApp: 60 };

test("refuses what one app, all apps or the bytes have no room for, and says which", () => {
  const tally = new QueueTally();
  tally.add("a", 60, 100);
  expect(tally.refusal("a", 1, 1, limits)).toBe("The queue of this app is full (60 notifications).");
  expect(tally.refusal("b", 40, 900, limits)).toBeUndefined();
  expect(tally.refusal("b", 41, 1, limits)).toBe("The queue is full (100 notifications).");
  expect(tally.refusal("b", 1, 901, limits)).toBe("The queue is full (1000 bytes).");
});

test("has room again for what left", () => {
  const tally = new QueueTally();
  tally.add("a", 60, 1_000);
  tally.add("a", -30, -500);
  expect(tally.notifications).toBe(30);
  expect(tally.refusal("a", 30, 500, limits)).toBeUndefined();
  expect(tally.refusal("a", 31, 1, limits)).toBeDefined();
});
