import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

/** When each of those that ask all the time passes, looking every `stepMs`. */
function passes(limit: RateLimit, fromMs: number, untilMs: number, stepMs: number): number[] {
  const times: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += stepMs)
    while (limit.admits(nowMs)) {
      limit.take(nowMs);
      times.push(nowMs);
    }
  return times;
}

test("over ten seconds the rate is met to one in a hundred, however seldom it is asked", () => {
  for (const perSecond of [7, 100, 2_000, 50_000])
    for (const stepMs of [1, 4, 10]) {
      const count = passes(new RateLimit(perSecond), 0, 10_000, stepMs).length;
      expect(count).toBeGreaterThan(perSecond * 10 * 0.985);
      expect(count).toBeLessThanOrEqual(perSecond * 10 * 1.006 + 1);
    }
});

test("after an idle hour no more leave at once than belong to 50 ms, and one", () => {
  for (const [perSecond, atOnce] of [
    [1_000, 51],
    [100, 6],
    [10, 1],
    [0.5, 1],
  ] as const) {
    const limit = new RateLimit(perSecond);
    limit.take(0);
    expect(passes(limit, 3_600_000, 3_600_001, 1)).toHaveLength(atOnce);
  }
});

test("whenever it is asked, no stretch of time sees more than its share and the burst", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }),
      (perSecond, pausesMs) => {
        const limit = new RateLimit(perSecond);
        const times: number[] = [];
        let nowMs = 0;
        for (const pauseMs of pausesMs) {
          nowMs += pauseMs;
          times.push(...passes(limit, nowMs, nowMs + 1, 1));
        }
        for (let first = 0; first < times.length; first += 97) {
          const spanMs = (times.at(-1) ?? 0) - (times[first] ?? 0);
          expect(times.length - first).toBeLessThanOrEqual((perSecond * (spanMs + 50)) / 1_000 + 1.001);
        }
      },
    ),
  );
});

test("says when the next one may pass, and it may then", () => {
  const limit = new RateLimit(10);
  limit.take(5_000);
  expect(limit.opensAtMs).toBe(5_050);
  expect(limit.admits(5_049)).toBe(false);
  expect(limit.admits(5_050)).toBe(true);
});
