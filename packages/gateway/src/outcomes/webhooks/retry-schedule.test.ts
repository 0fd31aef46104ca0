import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallResult } from "./receiver.ts";
import { readRetryAfter } from "./retry-after.ts";
import { judgeCall, type Standing, defaultSchedule as schedule } from "./retry-schedule.ts";

const hour = 3_600_000;
const startMs = 1_700_000_000_000;
const answered = (status: number, retryAfterMs?: number): CallResult => ({
  kind: "answered",
  status,
  latencyMs: 5,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const failed: CallResult = { kind: "failed", detail: "nobody listens there", latencyMs: 5 };
const refused: CallResult = { kind: "refused", detail: "10.0.0.1 is a private network", latencyMs: 5 };
const well: Standing = { kind: "well" };

/** Fails again and again, each time when it is due; gives the pauses and how it ended. */
function failUntilDisabled(result: CallResult, random = () => 0.5) {
  const pausesMs: number[] = [];
  let standing: Standing = well;
  let nowMs = startMs;
  for (let tries = 0; tries < 10_000; tries++) {
    const judgement = judgeCall(standing, result, { schedule, nowMs, random });
    if (judgement.kind !== "retry") return { pausesMs, judgement, afterMs: nowMs - startMs };
    standing = judgement.standing;
    pausesMs.push(standing.nextTryAtMs - nowMs);
    nowMs = standing.nextTryAtMs;
  }
  throw new Error("it never ends");
}

test("only 2xx is a delivery", () => {
  for (let status = 100; status < 600; status++) {
    const { kind } = judgeCall(well, answered(status), { schedule, nowMs: startMs, random: () => 0 });
    expect(kind === "delivered").toBe(status >= 200 && status < 300);
  }
});

test("410 disables at once, also in the middle of other failures", () => {
  const failing: Standing = { kind: "failing", sinceMs: startMs, tries: 3, nextTryAtMs: startMs };
  for (const standing of [well, failing])
    expect(judgeCall(standing, answered(410), { schedule, nowMs: startMs, random: () => 0 })).toEqual({
      kind: "disable",
      cause: "gone",
    });
});

test.each([failed, refused, answered(500), answered(301)])(
  "other failures are tried for three days, every half a minute in the first hours: %j",
  (result) => {
    const { pausesMs, judgement, afterMs } = failUntilDisabled(result);
    expect(judgement).toEqual({ kind: "disable", cause: "failing" });
    expect(pausesMs.slice(0, 5)).toEqual([5_000, 15_000, 30_000, 30_000, 30_000]);
    expect(pausesMs.at(-1)).toBe(600_000);
    expect(afterMs).toBeGreaterThanOrEqual(72 * hour);
    expect(afterMs).toBeLessThan(73 * hour);
  },
);

test("a receiver that is back within twelve hours is tried within 36 s", () => {
  const { pausesMs } = failUntilDisabled(failed, () => 0.999_999);
  let passedMs = 0;
  for (const pauseMs of pausesMs) {
    if (passedMs < 12 * hour) expect(pauseMs).toBeLessThanOrEqual(36_000);
    passedMs += pauseMs;
  }
});

test("pauses have a jitter of a fifth, and never less", () => {
  expect(failUntilDisabled(failed, () => 0).pausesMs[0]).toBe(4_000);
  expect(failUntilDisabled(failed, () => 0.999_999).pausesMs[0]).toBe(6_000);
});

test("after days in which nothing was tried one failure disables nobody", () => {
  const standing: Standing = { kind: "failing", sinceMs: startMs, tries: 1, nextTryAtMs: startMs };
  const nowMs = startMs + 100 * hour;
  expect(judgeCall(standing, failed, { schedule, nowMs, random: () => 0 }).kind).toBe("retry");
});

test("Retry-After is obeyed, within a second and an hour", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 10 ** 12 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (askedMs, chance) => {
        const judgement = judgeCall(well, answered(503, askedMs), {
          schedule,
          nowMs: startMs,
          random: () => chance,
        });
        const pauseMs = judgement.kind === "retry" ? judgement.standing.nextTryAtMs - startMs : 0;
        expect(pauseMs).toBeGreaterThanOrEqual(Math.min(Math.max(askedMs, 1_000), hour));
        expect(pauseMs).toBeLessThanOrEqual(hour * 1.1);
      },
    ),
  );
});

test.each([
  ["120", 120_000],
  ["0", 0],
  [" 7 ", 7_000],
  ["Tue, 14 Nov 2023 22:14:20 GMT", 60_000],
  ["Tue, 14 Nov 2000 22:14:20 GMT", 0],
  ["-1", undefined],
  ["soon", undefined],
  ["1e9", undefined],
  ["", undefined],
  [undefined, undefined],
])("Retry-After: %s", (text, expected) => {
  expect(readRetryAfter(text, startMs)).toBe(expected);
});
