import { expect, test } from "vitest";
import { readNumber } from "./number-text.ts";

function read(text: string | undefined, form?: "decimal"): number | string | undefined {
  let refusal: string | undefined;
  const range = { least: 0, most: 100, ...(form === undefined ? {} : { form }) };
  const value = readNumber(text, range, (detail) => {
    refusal = detail;
  });
  return refusal ?? value;
}

test("a whole number in its range is read; absence stays absence", () => {
  expect([read("0"), read("100"), read("007"), read(undefined)]).toEqual([0, 100, 7, undefined]);
});

test.each(["", " ", "-1", "101", "1.5", "1e1", "0x1", "ten", "NaN", "Infinity", "9".repeat(30), "١"])(
  "%j is refused, with the range",
  (text) => {
    expect(read(text)).toBe("must be a whole number from 0 to 100.");
  },
);

test("a decimal form takes fractions", () => {
  expect([read("2.5", "decimal"), read("2", "decimal")]).toEqual([2.5, 2]);
  expect([read(".5", "decimal"), read("2.", "decimal")]).toEqual(
    Array(2).fill("must be a number from 0 to 100."),
  );
});
