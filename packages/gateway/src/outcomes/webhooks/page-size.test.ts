import fc from "fast-check";
import { expect, test } from "vitest";
import { PageSize } from "./page-size.ts";

const limits = { batchBytes: 1_000, mostBatchBytes: 4_000 };

/** Takes full pages, each after so long. */
function takeFull(size: PageSize, ...latenciesMs: readonly number[]): number[] {
  return latenciesMs.map((latencyMs) => {
    size.takenFull(size.bytes, latencyMs);
    return size.bytes;
  });
}

test("full pages that are taken quickly become larger, up to the most", () => {
  expect(takeFull(new PageSize(limits), 50, 50, 50, 50)).toEqual([2_000, 4_000, 4_000, 4_000]);
});

test("a receiver that takes its time keeps what it has, and a slow one gets less again", () => {
  expect(takeFull(new PageSize(limits), 50, 50, 2_000, 6_000, 6_000, 6_000)).toEqual([
    2_000, 4_000, 4_000, 2_000, 1_000, 1_000,
  ]);
});

test("a page grows only beyond what was taken", () => {
  const size = new PageSize(limits);
  takeFull(size, 50);
  size.takenFull(1_000, 50);
  expect(size.bytes).toBe(2_000);
});

test("who has caught up or failed gets the usual size", () => {
  const size = new PageSize(limits);
  takeFull(size, 50, 50);
  size.reset();
  expect(size.bytes).toBe(1_000);
});

test("whatever happens the size stays between the usual and the most", () => {
  const happening = fc.record({ body: fc.nat(10_000), latencyMs: fc.nat(20_000), fails: fc.boolean() });
  fc.assert(
    fc.property(fc.array(happening), (all) => {
      const size = new PageSize(limits);
      for (const { body, latencyMs, fails } of all) {
        if (fails) size.reset();
        else size.takenFull(body, latencyMs);
        expect(size.bytes).toBeGreaterThanOrEqual(limits.batchBytes);
        expect(size.bytes).toBeLessThanOrEqual(limits.mostBatchBytes);
      }
    }),
  );
});
