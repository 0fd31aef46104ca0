import fc from "fast-check";
import { expect, test } from "vitest";
import { LaneShares, lanes, type Waiting } from "./lane-shares.ts";

function serve(
  shares: LaneShares,
  turns: number,
  hasWork: (lane: Waiting) => boolean,
): Record<Waiting, number> {
  const served: Record<Waiting, number> = { urgent: 0, normal: 0, bulk: 0, unanswered: 0 };
  for (let turn = 0; turn < turns; turn += 1) {
    const lane = shares.next(hasWork);
    if (lane !== undefined) served[lane] += 1;
  }
  return served;
}

test("while all lanes have something they leave as 16 to 4 to 1, and 1 of those that were never answered", () => {
  expect(serve(new LaneShares(), 2_200, () => true)).toEqual({
    urgent: 1_600,
    normal: 400,
    bulk: 100,
    unanswered: 100,
  });
});

test("a lane alone has everything, and no lane has anything where there is none", () => {
  expect(serve(new LaneShares(), 50, (lane) => lane === "bulk")).toEqual({
    urgent: 0,
    normal: 0,
    bulk: 50,
    unanswered: 0,
  });
  expect(new LaneShares().next(() => false)).toBeUndefined();
});

test("the two others share alone what the third leaves", () => {
  expect(serve(new LaneShares(), 500, (lane) => lane === "normal" || lane === "bulk")).toEqual({
    urgent: 0,
    normal: 400,
    bulk: 100,
    unanswered: 0,
  });
});

test("an urgent one that comes after a million others leaves next", () => {
  const shares = new LaneShares();
  serve(shares, 1_000_000, (lane) => lane === "bulk");
  expect(shares.next(() => true)).toBe("urgent");
});

test("a lane that had nothing for long does not keep the others waiting for it", () => {
  const shares = new LaneShares();
  serve(shares, 100_000, (lane) => lane === "urgent");
  const { urgent, bulk } = serve(shares, 170, (lane) => lane === "urgent" || lane === "bulk");
  expect(bulk).toBeLessThanOrEqual(11);
  expect(urgent).toBeGreaterThanOrEqual(159);
});

test("no lane waits longer than its weight allows, whatever the others do", () => {
  const turn = fc.record({
    urgent: fc.boolean(),
    normal: fc.boolean(),
    bulk: fc.boolean(),
    unanswered: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(turn, { minLength: 50, maxLength: 400 }), (turns) => {
      const shares = new LaneShares();
      const waited: Record<Waiting, number> = { urgent: 0, normal: 0, bulk: 0, unanswered: 0 };
      for (const hasWork of turns) {
        const chosen = shares.next((lane) => hasWork[lane]);
        for (const lane of lanes) waited[lane] = hasWork[lane] && lane !== chosen ? waited[lane] + 1 : 0;
        expect(waited.urgent).toBeLessThanOrEqual(3);
        expect(waited.normal).toBeLessThanOrEqual(8);
        expect(waited.bulk).toBeLessThanOrEqual(24);
        expect(waited.unanswered).toBeLessThanOrEqual(24);
      }
    }),
  );
});
