import fc from "fast-check";
import { expect, test } from "vitest";
import { Awaited } from "./awaited.ts";

test("what is awaited for two seconds is overdue, and what is younger than one is not", () => {
  const awaited = new Awaited();
  awaited.departed(10_900);
  awaited.departed(11_000);
  expect([awaited.fresh(11_899), awaited.overdue(11_899)]).toEqual([2, 0]);
  expect([awaited.fresh(12_900), awaited.overdue(12_900)]).toEqual([1, 1]);
  expect([awaited.fresh(13_000), awaited.overdue(13_000)]).toEqual([0, 2]);
  awaited.answered(10_900);
  awaited.departed(99_000);
  expect([awaited.fresh(99_500), awaited.overdue(99_500), awaited.count]).toEqual([1, 1, 2]);
});

test("whatever leaves, is answered and looked at when: it counts what a list of departures would", () => {
  const step = fc.record({
    passMs: fc.oneof(fc.constant(0), fc.nat(1_500), fc.nat(10_000)),
    kind: fc.constantFrom("departed", "answered", "look"),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const awaited = new Awaited();
      const out: number[] = [];
      let nowMs = 5_000;
      for (const { passMs, kind, which } of steps) {
        nowMs += passMs;
        if (kind === "departed") {
          out.push(nowMs);
          awaited.departed(nowMs);
        } else if (kind === "answered") {
          const [leftAtMs] = out.splice(which % Math.max(out.length, 1), 1);
          if (leftAtMs !== undefined) awaited.answered(leftAtMs);
        }
        const fresh = out.filter((leftAtMs) => Math.floor(leftAtMs / 1_000) >= Math.floor(nowMs / 1_000) - 1);
        expect(awaited.count).toBe(out.length);
        if (kind !== "look") continue;
        expect(awaited.fresh(nowMs)).toBe(fresh.length);
        expect(awaited.overdue(nowMs)).toBe(out.length - fresh.length);
      }
    }),
  );
});
