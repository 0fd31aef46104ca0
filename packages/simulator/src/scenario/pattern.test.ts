import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesPattern } from "./pattern.ts";

test.each<[string, string, boolean]>([
  ["aabb", "aabb", true],
  ["aabb", "aabbcc", false],
  ["aa*", "aabb", true],
  ["*bb", "aabb", true],
  ["a*b", "ab", true],
  ["a*a", "a", false],
  ["*", "", true],
  ["a**b", "axb", true],
  ["*a*b*", "xxaxxbxx", true],
  ["*a*b*", "xxbxxaxx", false],
  [".", "x", false],
])("%s fits %s: %s", (pattern, text, fits) => {
  expect(matchesPattern(pattern, text)).toBe(fits);
});

test("says what a regular expression says", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (stars, letters) => {
      expect(matchesPattern(stars, letters)).toBe(
        new RegExp(`^${stars.replaceAll("*", ".*")}$`).test(letters),
      );
    }),
    { numRuns: 2000 },
  );
});
