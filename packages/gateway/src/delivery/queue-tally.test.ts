import { expect, test } from "vitest";
import { QueueTally } from "./queue-tally.ts";

const limits = {
  maxQueued: 1_000,
  maxQueuedBytes: 10_000,
  maxQueuedPerApp: 600,
  maxQueuedBytesPerApp: 7_000,
};

test("refuses what one app, all apps or the bytes have no room for, and says which", () => {
  const tally = new QueueTally();
  tally.add("a", 600, 1_000);
  expect(tally.refusal("a", 1, 1, limits)).toBe("The queue of this app is full (600 notifications).");
  expect(tally.refusal("b", 1, 7_001, limits)).toBe("The queue of this app is full (7000 bytes).");
  expect(tally.refusal("b", 300, 1, limits)).toBeUndefined();
  expect(tally.refusal("b", 401, 1, limits)).toBe("The queue is full (1000 notifications).");
  tally.add("c", 1, 4_000);
  expect(tally.refusal("b", 1, 5_001, limits)).toBe("The queue is full (10000 bytes).");
});

test("apps whose queues are full and stuck leave the last tenth to those that hold little", () => {
  const tally = new QueueTally();
  tally.add("stuck-1", 500, 1_000);
  tally.add("stuck-2", 395, 1_000);
  expect(tally.refusal("stuck-2", 5, 1, limits)).toBeUndefined();
  expect(tally.refusal("stuck-2", 6, 1, limits)).toMatch("the last tenth is kept");
  tally.add("stuck-2", 5, 1);
  expect(tally.refusal("well-0", 11, 1, limits)).toMatch("the last tenth is kept");
  for (let app = 0; app < 10; app += 1) {
    expect(tally.refusal(`well-${app}`, 10, 1, limits)).toBeUndefined();
    tally.add(`well-${app}`, 10, 1);
  }
  expect(tally.refusal("one-too-many", 1, 1, limits)).toBe("The queue is full (1000 notifications).");
});

test("has room again for what left", () => {
  const tally = new QueueTally();
  tally.add("a", 600, 5_000);
  tally.add("a", -300, -3_000);
  expect(tally.notifications).toBe(300);
  expect(tally.of("a")).toEqual({ notifications: 300, bytes: 2_000 });
  expect(tally.refusal("a", 300, 5_000, limits)).toBeUndefined();
  expect(tally.refusal("a", 301, 1, limits)).toBeDefined();
});
