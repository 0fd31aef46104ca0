import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter, mostLineBytes } from "./line-splitter.ts";

function split(chunks: readonly string[]): (string | number)[] {
  const splitter = new LineSplitter();
  const lines: (string | number)[] = [];
  const note = (): void => {
    const { number, isTooLong, bytes, start, end } = splitter;
    lines.push(number, isTooLong ? "too-long" : bytes.toString("utf8", start, end));
  };
  for (const chunk of chunks) {
    splitter.push(Buffer.from(chunk));
    while (splitter.next()) note();
  }
  if (splitter.last()) note();
  return lines;
}

test("gives each line its number, blank ones counted and left out", () => {
  expect(split(["a\n\n \t\r\nb\r\nc"])).toEqual([1, "a", 4, "b\r", 5, "c"]);
  expect(split([])).toEqual([]);
  expect(split(["\n"])).toEqual([]);
});

test("makes no difference in what chunks the lines come", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", "\n", " "), maxLength: 60 }),
      fc.array(fc.nat(60), { maxLength: 5 }),
      (text, cuts) => {
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
          text.length,
        ];
        const chunks = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(split(chunks)).toEqual(split([text]));
      },
    ),
  );
});

test("lets go of a line that is too long, and goes on with the next", () => {
  const part = "x".repeat(mostLineBytes / 2);
  expect(split([part, part, "\nb\n"])).toEqual([1, `${part}${part}`, 2, "b"]);
  expect(split([part, part, "y", part, "z\nb\n"])).toEqual([1, "too-long", 2, "b"]);
  expect(split([part, part, "y"])).toEqual([1, "too-long"]);
});
