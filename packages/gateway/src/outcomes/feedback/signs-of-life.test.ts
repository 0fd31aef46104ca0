import fc from "fast-check";
import { expect, test } from "vitest";
import { hashToken, SignsOfLife, seedOf, TokenFilter, TokenHashes } from "./signs-of-life.ts";

const seed = seedOf("demo", "sandbox");
const token = (number: number): string => number.toString(16).padStart(64, "0");

test("remembers the latest moment, never earlier than it was", () => {
  const signs = new SignsOfLife();
  const hash = hashToken(seed, token(1));
  expect(signs.latest(hash)).toBeUndefined();
  signs.note(hash, 5_001);
  signs.note(hash, 2_000);
  expect(signs.latest(hash)).toBe(6_000);
});

test("noting many at once is noting each", () => {
  const tokens = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 });
  const rounds = fc.array(fc.record({ tokens, atMs: fc.integer({ min: 1, max: 90_000 }) }), { maxLength: 5 });
  fc.assert(
    fc.property(rounds, (given) => {
      const [each, all] = [new SignsOfLife(), new SignsOfLife()];
      const hashes = new TokenHashes(30);
      for (const { tokens: some, atMs } of given) {
        for (const number of some) {
          each.note(hashToken(seed, token(number)), atMs);
          hashes.add(seed, token(number));
        }
        expect(hashes.isFull).toBe(some.length === 30);
        all.noteAll(hashes, atMs);
        hashes.count = 0;
      }
      for (let number = 1; number <= 40; number += 1) {
        const hash = hashToken(seed, token(number));
        expect(all.latest(hash)).toBe(each.latest(hash));
      }
    }),
    { numRuns: 30 },
  );
});

test("tells apps, environments and 100,000 device tokens apart", () => {
  const routes = [seed, seedOf("demo", "production"), seedOf("other", "sandbox")];
  const hashes = routes.flatMap((route) =>
    Array.from({ length: 100_000 }, (_, number) => hashToken(route, token(number))),
  );
  expect(new Set(hashes.map(({ low, high }) => low * 2 ** 20 + (high >>> 12))).size).toBe(300_000);
});

test("forgets most of a million device tokens, and takes none for another", () => {
  const signs = new SignsOfLife();
  for (let number = 0; number < 1_000_000; number += 1) signs.note(hashToken(seed, token(number)), 1_000);
  for (let number = 1_000_000; number < 1_100_000; number += 1)
    expect(signs.latest(hashToken(seed, token(number)))).toBeUndefined();
});

test("the filter never misses one that it was told, and rarely names another", () => {
  const filter = new TokenFilter();
  for (let number = 0; number < 20_000; number += 1) filter.add(hashToken(seed, token(number)));
  let wrong = 0;
  for (let number = 0; number < 40_000; number += 1) {
    const mayHave = filter.mayHave(hashToken(seed, token(number)));
    if (number < 20_000) expect(mayHave).toBe(true);
    else if (mayHave) wrong += 1;
  }
  expect(wrong).toBeLessThan(20);
});
