import { expect, test } from "vitest";
import { ManualClock } from "./bench.test-support.ts";
import { TurnClock } from "./turn-clock.ts";

test("the time stands still for the turn of the event loop in which it was asked for, and no longer", async () => {
  const clock = new ManualClock();
  const turn = new TurnClock(clock);
  const before = { now: clock.now(), monotonic: clock.monotonic() };
  expect(turn.monotonic()).toBe(before.monotonic);
  clock.jump(5);
  expect(turn.now()).toBe(before.now);
  await Promise.resolve();
  expect(turn.now()).toBe(before.now + 5);
});
