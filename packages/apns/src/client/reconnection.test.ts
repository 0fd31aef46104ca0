import { expect, test } from "vitest";
import { type ConnectFailure, Reconnection } from "./reconnection.ts";

/** Tries as soon as it may for `seconds`, and always in vain. */
function attempts(failure: ConnectFailure, seconds: number, random: () => number): number[] {
  const reconnection = new Reconnection(random);
  const at: number[] = [];
  for (let now = 0; now < seconds * 1000; now += 10) {
    if (!reconnection.isAllowed(now)) continue;
    at.push(now);
    reconnection.failed(failure, now);
  }
  return at;
}

test("row 6: a peer that answers nothing for a minute sees about 20 connections, 5 s apart at the end", () => {
  const times = attempts("useless", 60, () => 0.5);
  expect(times.length).toBeLessThanOrEqual(21);
  expect(times.at(-1)! - times.at(-2)!).toBeLessThanOrEqual(5000);
  expect(attempts("useless", 60, () => 0).length).toBeLessThan(30);
});

test("row 17: a peer that cannot be reached is tried about once a second, so that sending goes on within one", () => {
  const times = attempts("unreachable", 60, () => 0.999);
  expect(times.length).toBeLessThan(70);
  for (let each = 1; each < times.length; each += 1)
    expect(times[each]! - times[each - 1]!).toBeLessThanOrEqual(1010);
});

test("the first attempt after something worked waits least", () => {
  const reconnection = new Reconnection(() => 0.999);
  for (let each = 0; each < 10; each += 1) reconnection.failed("useless", 0);
  expect(reconnection.isAllowed(4000)).toBe(false);
  reconnection.worked();
  reconnection.failed("useless", 0);
  expect(reconnection.isAllowed(260)).toBe(true);
});
