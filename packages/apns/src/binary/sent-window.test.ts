import fc from "fast-check";
import { expect, test } from "vitest";
import { SentWindow } from "./sent-window.ts";

/** A window with jobs that are called as their identifiers. */
function sent(count: number): SentWindow<number> {
  const window = new SentWindow<number>();
  for (let identifier = 1; identifier <= count; identifier += 1)
    expect(window.add(identifier)).toBe(identifier);
  return window;
}

const none = { accepted: [], rejected: undefined, discarded: [], unknown: [] };

test("the one that is named is rejected, those before it are accepted, those behind it discarded", () => {
  const window = sent(5);
  const settlement = window.settle({ status: 8, identifier: 3 });
  expect(settlement).toEqual({ accepted: [1, 2], rejected: 3, discarded: [4, 5], unknown: [] });
  expect(window.size).toBe(0);
});

test("a shutdown names the last one that was sent on: it is accepted", () => {
  const settlement = sent(5).settle({ status: 10, identifier: 3 });
  expect(settlement).toEqual({ ...none, accepted: [1, 2, 3], discarded: [4, 5] });
});

test("the error of the probe proves all before it, under its identifier or under 0 as the gateway answered it", () => {
  for (const response of [
    { status: 2, identifier: 4 },
    { status: 2, identifier: 0 },
    { status: 8, identifier: 4 },
  ]) {
    const window = sent(3);
    expect(window.addProbe()).toBe(4);
    expect(window.settle(response)).toEqual({ ...none, accepted: [1, 2, 3] });
  }
});

test("an identifier of nobody says nothing: 0, one never given out, one of another connection", () => {
  for (const identifier of [0, 4, 4_000_000_000])
    expect(sent(3).settle({ status: 8, identifier })).toEqual({ ...none, unknown: [1, 2, 3] });
  const window = sent(3);
  window.addProbe();
  expect(window.settle({ status: 8, identifier: 0 })).toEqual({ ...none, unknown: [1, 2, 3] });
});

test("of one that left the window before, it is known that all that is left came behind it", () => {
  const window = sent(5);
  expect(window.leave(3)).toEqual([1, 2, 3]);
  expect(window.settle({ status: 8, identifier: 2 })).toEqual({ ...none, discarded: [4, 5] });
  const other = sent(5);
  other.leave(3);
  expect(other.settle({ status: 8, identifier: 4 })).toMatchObject({ rejected: 4, discarded: [5] });
});

test("an end without an error response leaves all unknown", () => {
  expect(sent(2).end()).toEqual({ ...none, unknown: [1, 2] });
});

test("whatever is said, each job is settled once, in order", () => {
  const response = fc.record({ status: fc.nat({ max: 255 }), identifier: fc.nat({ max: 40 }) });
  fc.assert(
    fc.property(
      fc.nat({ max: 30 }),
      fc.nat({ max: 30 }),
      fc.boolean(),
      response,
      (count, left, probed, said) => {
        const window = sent(count);
        const gone = window.leave(left);
        if (probed) window.addProbe();
        const { accepted, rejected, discarded, unknown } = window.settle(said);
        const all = [
          ...gone,
          ...accepted,
          ...(rejected === undefined ? [] : [rejected]),
          ...discarded,
          ...unknown,
        ];
        expect(all).toEqual(Array.from({ length: count }, (_, at) => at + 1));
      },
    ),
  );
});
