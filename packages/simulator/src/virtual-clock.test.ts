import { expect, test } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

test("timers fire in order, each at its own moment, also those that timers set", () => {
  const clock = new VirtualClock(1000);
  const fired: [string, number, number][] = [];
  const note = (name: string): void => void fired.push([name, clock.now(), clock.monotonic()]);
  clock.setTimer(() => note("late"), 20);
  clock.setTimer(() => {
    note("early");
    clock.setTimer(() => note("nested"), 5);
  }, 10);
  clock.setTimer(() => note("never"), 15).cancel();
  clock.setTimer(() => note("beyond"), 31);
  clock.advance(30);
  expect(fired).toEqual([
    ["early", 1010, 10],
    ["nested", 1015, 15],
    ["late", 1020, 20],
  ]);
  expect([clock.now(), clock.monotonic()]).toEqual([1030, 30]);
});

test("a jump of the time of day makes nothing due", () => {
  const clock = new VirtualClock(1000);
  let isFired = false;
  clock.setTimer(() => {
    isFired = true;
  }, 10);
  clock.jumpTo(0);
  expect([clock.now(), clock.monotonic(), isFired]).toEqual([0, 0, false]);
  clock.advance(10);
  expect([clock.now(), isFired]).toEqual([10, true]);
});
