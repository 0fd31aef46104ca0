import { expect, test } from "vitest";
import { Growth, type Load } from "./growth.ts";

/** Lets a pool live for `seconds`: `perSecond(connections)` answers come in, and `queued` always wait. */
function live(
  seconds: number,
  perSecond: (connections: number) => number,
  queued: number,
  most = 40,
): number {
  const growth = new Growth();
  let usable = 1;
  let answers = 0;
  for (let tick = 1; tick <= seconds * 10; tick += 1) {
    answers += perSecond(usable) / 10;
    const load: Load = { nowMs: tick * 100, queued, usable, opening: 0, most, answers };
    usable += growth.advise(load);
  }
  return usable;
}

test("row 44: grows to the bound while each connection adds its share", () => {
  expect(live(30, (connections) => connections * 300, 20_000)).toBe(40);
});

test("stays at one connection while what waits is gone in a moment", () => {
  expect(live(30, () => 200_000, 9_000)).toBe(1);
});

test("stops when more connections bring nothing", () => {
  expect(live(9, () => 10_000, 100_000)).toBeLessThanOrEqual(2);
});

test("does not grow before the first answer, however much waits", () => {
  expect(live(10, () => 0, 1_000_000)).toBe(1);
});
