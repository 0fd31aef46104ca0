import fc from "fast-check";
import { expect, test } from "vitest";
import { Residency } from "./residency.ts";

const limits = { maxResidentBytes: 1_000, maxAppBytes: 600, maxLaneBytes: 300 };

test("a lane, an app and all together have their bounds, and a lane with nothing always gets something", () => {
  const residency = new Residency(limits);
  residency.add("a", 300);
  expect(residency.admits("a", 299)).toBe(true);
  expect(residency.admits("a", 300)).toBe(false);
  residency.add("a", 300);
  expect(residency.admits("a", 299)).toBe(false);
  expect(residency.admits("a", 0)).toBe(true);
  residency.add("b", 500);
  expect(residency.admits("b", 100)).toBe(false);
  residency.add("a", -500);
  expect(residency.admits("b", 100)).toBe(true);
});

test("apps that hold all of it and get nothing away keep an equal share from nobody", () => {
  const residency = new Residency(limits);
  residency.add("parked-1", 600);
  residency.add("parked-2", 600);
  residency.add("well", 100);
  // A third of 1,000.
  residency.add("well", 233);
  expect(residency.admits("well", 1)).toBe(true);
  residency.add("well", 1);
  expect(residency.admits("well", 1)).toBe(false);
  expect(residency.admits("parked-1", 1)).toBe(false);
});

test("whatever is fetched and leaves, the sum stays below twice the bound and one fetch for each app", () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 50 }), fc.boolean()),
    {
      maxLength: 400,
    },
  );
  fc.assert(
    fc.property(steps, (given) => {
      const residency = new Residency(limits);
      const held = new Map<string, number>();
      for (const [name, bytes, leaves] of given) {
        const app = String(name);
        const before = held.get(app) ?? 0;
        const change = leaves ? -Math.min(bytes, before) : residency.admits(app, before) ? bytes : 0;
        residency.add(app, change);
        held.set(app, before + change);
        const sum = [...held.values()].reduce((total, each) => total + each, 0);
        expect(sum).toBeLessThan(2 * limits.maxResidentBytes + 10 * 50);
      }
    }),
  );
});
