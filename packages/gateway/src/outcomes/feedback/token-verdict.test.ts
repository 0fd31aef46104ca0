import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hashToken, SignsOfLife, seedOf } from "./signs-of-life.ts";
import { judgeToken } from "./token-verdict.ts";

const nowMs = 1_700_000_000_000;
const hourMs = 3_600_000;

test("row 61: only a 410 with a timestamp later than the registration makes a device token gone", () => {
  const registeredMs = nowMs - hourMs;
  const kindFor = (goneSinceMs?: number): string =>
    judgeToken({
      ...{ reason: "Unregistered", goodAtMs: registeredMs, nowMs },
      ...(goneSinceMs === undefined ? {} : { goneSinceMs }),
    }).kind;
  expect({
    before: kindFor(registeredMs - 1),
    equal: kindFor(registeredMs),
    after: kindFor(registeredMs + 1),
    absent: kindFor(),
    inTheFuture: kindFor(nowMs + hourMs),
    // The client reads seconds as what they are; here they are a time long before.
    inSeconds: kindFor(nowMs / 1_000),
  }).toEqual({
    ...{ before: "outdated", equal: "outdated", after: "gone" },
    ...{ absent: "suspect", inTheFuture: "suspect", inSeconds: "outdated" },
  });
});

test("without any sign of life the timestamp alone decides", () => {
  const sinceMs = nowMs - 1;
  expect(judgeToken({ reason: "ExpiredToken", goneSinceMs: sinceMs, nowMs })).toEqual({
    kind: "gone",
    sinceMs,
  });
});

test("a bad device token is suspect, never gone, and other reasons say nothing of it", () => {
  for (const reason of ["BadDeviceToken", "DeviceTokenNotForTopic"])
    expect(judgeToken({ reason, goneSinceMs: nowMs - 1, nowMs })).toEqual({ kind: "suspect" });
  for (const reason of ["BadTopic", "TopicDisallowed", "PayloadTooLarge", "Forbidden", "", "__proto__"])
    expect(judgeToken({ reason, goneSinceMs: nowMs - 1, nowMs })).toEqual({ kind: "nothing" });
});

test("whatever the times are, gone means later than every sign of life and not in the future", () => {
  const time = fc.option(fc.integer({ min: nowMs - 2 * hourMs, max: nowMs + 2 * hourMs }), {
    nil: undefined,
  });
  fc.assert(
    fc.property(
      fc.constantFrom("Unregistered", "ExpiredToken", "BadDeviceToken"),
      time,
      time,
      (reason, since, good) => {
        const verdict = judgeToken({
          ...{ reason, nowMs },
          ...(since === undefined ? {} : { goneSinceMs: since }),
          ...(good === undefined ? {} : { goodAtMs: good }),
        });
        if (verdict.kind !== "gone") return;
        expect(reason).not.toBe("BadDeviceToken");
        expect(verdict.sinceMs).toBe(since);
        expect(verdict.sinceMs).toBeGreaterThan(good ?? 0);
        expect(verdict.sinceMs).toBeLessThanOrEqual(nowMs + 300_000);
      },
    ),
  );
});

test("row 62: a registration that races a 410 keeps its device token, 10,000 random interleavings", () => {
  type Step = "register" | "accept" | "answer";
  const steps = fc.shuffledSubarray<Step>(["register", "accept", "answer", "answer", "register"], {
    minLength: 1,
  });
  // A device leaves at some moment and may come back at another; the gateway hears of it in any order.
  const run = fc.record({ leftMs: fc.nat(1_000), backMs: fc.nat(1_000), comesBack: fc.boolean(), steps });
  fc.assert(
    fc.property(run, ({ leftMs, backMs, comesBack, steps }) => {
      const signs = new SignsOfLife();
      const hash = hashToken(seedOf("demo", "sandbox"), "ab".repeat(32));
      const leftAtMs = nowMs + leftMs * 1_000;
      const backAtMs = leftAtMs + 1_000 + backMs * 1_000;
      let isKnownToBeBack = false;
      let isGone = false;
      for (const step of steps) {
        // What only a device that came back can cause does not happen without it.
        if (step !== "answer" && !comesBack) continue;
        if (step === "answer") {
          const goodAtMs = signs.latest(hash);
          const known = goodAtMs === undefined ? {} : { goodAtMs };
          const at = { goneSinceMs: leftAtMs, nowMs: backAtMs + 10_000_000 };
          if (judgeToken({ reason: "Unregistered", ...at, ...known }).kind === "gone") isGone = true;
        } else {
          signs.note(hash, step === "register" ? backAtMs : backAtMs + 1);
          isKnownToBeBack = true;
          // A verdict that stands is taken back by what came after it.
          isGone = false;
        }
        if (isKnownToBeBack) expect(isGone).toBe(false);
      }
      if (!comesBack && steps.includes("answer")) expect(isGone).toBe(true);
    }),
    { numRuns: 10_000 },
  );
});
