import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MassBreaker } from "./mass-breaker.ts";

/** Feeds `count` of them; the number at which it tripped. */
function feed(breaker: MassBreaker, count: number, isBad: (at: number) => boolean): number | undefined {
  for (let at = 0; at < count; at += 1) {
    if (!isBad(at)) breaker.good();
    else if (breaker.bad(`${count}-${at}`)) return at + 1;
  }
  return undefined;
}

test("trips within 100 answers when all are bad, or most", () => {
  expect(feed(new MassBreaker(), 10_000, () => true)).toBe(40);
  expect(feed(new MassBreaker(), 10_000, (at) => at % 5 !== 0)).toBeLessThanOrEqual(100);
  const busy = new MassBreaker();
  feed(busy, 100_000, () => false);
  expect(feed(busy, 10_000, () => true)).toBeLessThanOrEqual(100);
});

test("leaves an app alone whose list is old: half of it may be dead", () => {
  expect(feed(new MassBreaker(), 10_000, (at) => at % 2 === 0)).toBeUndefined();
});

test("one bad device token is one, however often it is sent to", () => {
  const breaker = new MassBreaker();
  for (let at = 0; at < 1_000; at += 1) expect(breaker.bad("same")).toBe(false);
});

test("is calm again when four in five are good", () => {
  const breaker = new MassBreaker();
  feed(breaker, 200, () => true);
  expect(breaker.state).toBe("tripped");
  let good = 0;
  while (!breaker.good()) good += 1;
  expect(good).toBeGreaterThan(70);
  expect(good).toBeLessThan(161);
  expect(breaker.state).toBe("calm");
});

test("holds at most 100 and trips only from calm, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(200), { nil: undefined }), { maxLength: 600 }), (answers) => {
      const breaker = new MassBreaker();
      for (const answer of answers) {
        const before = breaker.state;
        const tripped = answer === undefined ? false : breaker.bad(String(answer));
        if (answer === undefined) breaker.good();
        if (tripped) expect(before).toBe("calm");
        expect(breaker.counts.bad).toBeLessThanOrEqual(breaker.counts.of);
        expect(breaker.counts.of).toBeLessThanOrEqual(100);
        expect(new Set(breaker.suspects).size).toBe(breaker.counts.bad);
      }
    }),
  );
});
