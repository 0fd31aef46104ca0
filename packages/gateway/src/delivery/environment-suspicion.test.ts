import type { Outcome } from "@carillon/apns";
import { expect, test } from "vitest";
import { EnvironmentSuspicion, isMismatch } from "./environment-suspicion.ts";

const about = { apnsId: "", attempts: 1 };
const accepted: Outcome = { ...about, kind: "accepted" };
const bad: Outcome = { ...about, kind: "rejected", status: 400, reason: "BadDeviceToken" };
const notForTopic: Outcome = { ...about, kind: "rejected", status: 400, reason: "DeviceTokenNotForTopic" };
const gone: Outcome = { ...about, kind: "rejected", status: 410, reason: "Unregistered" };
const busy: Outcome = { ...about, kind: "rejected", status: 503, reason: "ServiceUnavailable" };

function after(...counted: readonly (readonly [number, Outcome])[]): EnvironmentSuspicion {
  const suspicion = new EnvironmentSuspicion();
  for (const [count, outcome] of counted)
    for (let each = 0; each < count; each += 1) suspicion.judge(outcome);
  return suspicion;
}

test("an app whose first ten device tokens are all bad is set up wrongly", () => {
  expect(after([9, bad]).isSuspect).toBe(false);
  expect(after([10, bad]).isSuspect).toBe(true);
  expect(after([5, bad], [5, notForTopic]).isSuspect).toBe(true);
});

test("one good device token in twenty may be among them, more may not", () => {
  expect(after([1, accepted], [18, bad]).isSuspect).toBe(false);
  expect(after([1, accepted], [19, bad]).isSuspect).toBe(true);
  expect(after([10, accepted], [100, bad]).isSuspect).toBe(false);
});

test("a token that was registered once belongs here, and an answer that judges no token says nothing", () => {
  expect(after([1, gone], [10, bad]).isSuspect).toBe(false);
  expect(after([1_000, busy], [10, bad]).isSuspect).toBe(true);
});

test("an app that was well for long is suspected soon after it is set up wrongly, and cleared after the cure", () => {
  const suspicion = after([1_000_000, accepted], [5_000, bad]);
  expect(suspicion.isSuspect).toBe(true);
  for (let each = 0; each < 100; each += 1) suspicion.judge(accepted);
  expect(suspicion.isSuspect).toBe(false);
});

test("only what may be good elsewhere is a mismatch", () => {
  expect([bad, notForTopic].map(isMismatch)).toEqual([true, true]);
  expect([accepted, gone, busy].map(isMismatch)).toEqual([false, false, false]);
});
