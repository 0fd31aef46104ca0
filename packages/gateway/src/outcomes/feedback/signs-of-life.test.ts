import { expect, test } from "vitest";
import { hashToken, SignsOfLife, seedOf, TokenFilter } from "./signs-of-life.ts";

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
