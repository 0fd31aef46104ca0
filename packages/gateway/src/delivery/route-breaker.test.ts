import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RouteBreaker } from "./route-breaker.ts";
import type { HoldCause } from "./settlement.ts";

/** In the middle of its spread a pause has three quarters of its length. */
const middle = 0.5;

const states = {
  open: () => new RouteBreaker(),
  paused: () => {
    const breaker = new RouteBreaker();
    breaker.failed(breaker.epoch, "unreachable", "down", 1_000, middle);
    return breaker;
  },
  probing: () => {
    const breaker = states.paused();
    breaker.leaves();
    return breaker;
  },
} as const;

function phaseOf(breaker: RouteBreaker): string {
  if (breaker.detail === undefined) return "open";
  return breaker.untilMs === undefined ? "probing" : "paused";
}

const events: Record<string, (breaker: RouteBreaker, epoch: number) => void> = {
  leaves: (breaker) => breaker.leaves(),
  answered: (breaker, epoch) => breaker.answered(epoch),
  unanswered: (breaker, epoch) => breaker.unanswered(epoch, 2_000, middle),
  withdrawn: (breaker, epoch) => breaker.withdrawn(epoch, 2_000),
  unreachable: (breaker, epoch) => breaker.failed(epoch, "unreachable", "down", 2_000, middle),
  refused: (breaker, epoch) => breaker.failed(epoch, "refused", "goaway", 2_000, middle),
  credential: (breaker, epoch) => breaker.failed(epoch, "credential", "BadKey", 2_000, middle),
  reset: (breaker) => breaker.reset(),
};

describe.each([
  ["open", "leaves", "open"],
  ["open", "answered", "open"],
  ["open", "unanswered", "open"],
  ["open", "withdrawn", "open"],
  ["open", "unreachable", "paused"],
  ["open", "refused", "open"], // until there are 2,000 in a row
  ["open", "credential", "paused"],
  ["open", "reset", "open"],
  ["paused", "leaves", "probing"],
  ["paused", "answered", "open"],
  ["paused", "unanswered", "paused"],
  ["paused", "withdrawn", "paused"],
  ["paused", "unreachable", "paused"],
  ["paused", "refused", "paused"],
  ["paused", "credential", "paused"],
  ["paused", "reset", "open"],
  ["probing", "leaves", "probing"],
  ["probing", "answered", "open"],
  ["probing", "unanswered", "paused"],
  ["probing", "withdrawn", "paused"],
  ["probing", "unreachable", "paused"],
  ["probing", "refused", "paused"],
  ["probing", "credential", "paused"],
  ["probing", "reset", "open"],
] as const)("%s, then %s", (state, event, after) => {
  test(`is ${after}`, () => {
    const breaker = states[state]();
    events[event]?.(breaker, breaker.epoch);
    expect(phaseOf(breaker)).toBe(after);
  });

  if (event !== "leaves" && event !== "reset")
    test("is as before when the news is old", () => {
      const breaker = states[state]();
      const { epoch, untilMs } = breaker;
      events[event]?.(breaker, epoch - 1);
      // An open route gets its first pause from the present epoch only.
      expect([phaseOf(breaker), breaker.epoch, breaker.untilMs]).toEqual([state, epoch, untilMs]);
    });
});

test("admits all while open, one when a pause is over, and none while that one is under way", () => {
  const breaker = new RouteBreaker();
  expect(breaker.admits(0)).toBe(true);
  breaker.failed(breaker.epoch, "unreachable", "down", 1_000, middle);
  expect(breaker.detail).toBe("down");
  const untilMs = breaker.untilMs ?? 0;
  expect(breaker.admits(untilMs - 0.5)).toBe(false);
  expect(breaker.admits(untilMs)).toBe(true);
  breaker.leaves();
  expect(breaker.admits(untilMs + 1e9)).toBe(false);
  breaker.withdrawn(breaker.epoch, untilMs);
  expect(breaker.admits(untilMs)).toBe(true);
});

test.each([
  ["unreachable", [50, 100, 200, 400, 800, 800, 800]],
  ["credential", [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]],
] as const)(
  "pauses of a route that is %s grow to their limit, each spread over its upper half",
  (cause, lengths) => {
    for (const [random, share] of [
      [0, 0.5],
      [1, 1],
    ] as const) {
      const breaker = new RouteBreaker();
      const pauses = lengths.map(() => {
        breaker.failed(breaker.epoch, cause, "x", 0, random);
        const { untilMs } = breaker;
        breaker.leaves();
        return untilMs;
      });
      expect(pauses).toEqual(lengths.map((length) => length * share));
      breaker.answered(breaker.epoch);
      breaker.failed(breaker.epoch, cause, "x", 0, random);
      expect(breaker.untilMs, "begins anew after an answer").toBe((lengths[0] ?? 0) * share);
    }
  },
);

test("knows since when it is at a stop, however often it was asked in between", () => {
  const breaker = new RouteBreaker();
  expect(breaker.sinceMs).toBeUndefined();
  for (const nowMs of [1_000, 2_000]) {
    breaker.failed(breaker.epoch, "unreachable", "down", nowMs, middle);
    breaker.leaves();
  }
  expect(breaker.sinceMs).toBe(1_000);
  breaker.answered(breaker.epoch);
  expect(breaker.sinceMs).toBeUndefined();
  breaker.failed(breaker.epoch, "unreachable", "down", 3_000, middle);
  expect(breaker.sinceMs).toBe(3_000);
});

test("takes 2,000 refusals in a row for a peer that is not there", () => {
  const breaker = new RouteBreaker();
  const refuse = () => breaker.failed(breaker.epoch, "refused", "goaway", 0, middle);
  for (let refusal = 0; refusal < 1_999; refusal += 1) refuse();
  expect(phaseOf(breaker)).toBe("open");
  breaker.answered(breaker.epoch);
  for (let refusal = 0; refusal < 1_999; refusal += 1) refuse();
  expect(phaseOf(breaker)).toBe("open");
  refuse();
  expect(phaseOf(breaker)).toBe("paused");
});

test("whatever happens, what was admitted and is answered leads back to open", () => {
  const causes: readonly HoldCause[] = ["unreachable", "refused", "credential"];
  const step = fc.record({
    event: fc.constantFrom("leave", "answer", "fail", "withdraw", "silence", "reset"),
    pick: fc.nat(),
    passMs: fc.integer({ min: 0, max: 100_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const breaker = new RouteBreaker();
      let nowMs = 0;
      const flying: number[] = [];
      for (const { event, pick, passMs } of steps) {
        nowMs += passMs;
        if (event === "reset") breaker.reset();
        else if (event === "leave") {
          if (!breaker.admits(nowMs)) continue;
          breaker.leaves();
          flying.push(breaker.epoch);
        } else if (flying.length > 0) {
          const [epoch = 0] = flying.splice(pick % flying.length, 1);
          if (event === "answer") breaker.answered(epoch);
          if (event === "fail") breaker.failed(epoch, causes[pick % 3] ?? "refused", "x", nowMs, middle);
          if (event === "withdraw") breaker.withdrawn(epoch, nowMs);
          if (event === "silence") breaker.unanswered(epoch, nowMs, middle);
        }
        // A probe that is under way is one of those that fly: somebody will tell of it.
        if (phaseOf(breaker) === "probing") expect(flying).toContain(breaker.epoch);
        if (breaker.untilMs !== undefined) expect(breaker.untilMs - nowMs).toBeLessThanOrEqual(60_000);
      }
      for (const epoch of flying) breaker.answered(epoch);
      if (phaseOf(breaker) !== "open") {
        nowMs += 60_000;
        expect(breaker.admits(nowMs)).toBe(true);
        breaker.leaves();
        breaker.answered(breaker.epoch);
      }
      expect(phaseOf(breaker)).toBe("open");
    }),
    { numRuns: 500 },
  );
});
