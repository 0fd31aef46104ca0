import { readDer, readObjectIdentifier } from "@carillon/apns/credentials";
import fc from "fast-check";
import { expect, test } from "vitest";
import { derObjectIdentifier, derValue } from "./der-writer.ts";

const read = (hex: string) => readDer(Buffer.from(hex, "hex"));

test("values are read one after the other, with short and long lengths", () => {
  expect(readDer(Buffer.alloc(0))).toEqual([]);
  expect(read("0500 0c0161".replaceAll(" ", ""))).toEqual([
    { tag: 5, content: Buffer.alloc(0) },
    { tag: 12, content: Buffer.from("a") },
  ]);
  expect(read(`048180${"00".repeat(128)}`)?.[0]?.content).toHaveLength(128);
  expect(read("0484000000016a")?.[0]?.content.toString()).toBe("j");
});

test.each([
  ["a tag without length", "05"],
  ["a length beyond the end", "0402aa"],
  ["a cut long length", "0482ff"],
  ["an indefinite length", "3080050000 00".replace(" ", "")],
  ["a length of five bytes", "048500000000016a"],
  ["a tag of several bytes", "1f8101 00".replace(" ", "")],
])("%s is not well-formed", (_, hex) => {
  expect(read(hex)).toBeUndefined();
});

test("4,096 values in a row are read, and no more", () => {
  expect(readDer(Buffer.alloc(8192, "0500", "hex"))).toHaveLength(4096);
  expect(readDer(Buffer.alloc(8194, "0500", "hex"))).toBeUndefined();
});

test("what was written is read, and arbitrary bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
      const node = readDer(derValue(4, content))?.[0];
      expect(node?.content.equals(Buffer.from(content))).toBe(true);
      readDer(Buffer.from(content));
    }),
  );
});

test("object identifiers: round trip, and faults", () => {
  const arcs = fc.array(fc.integer({ min: 0, max: 2 ** 45 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom("0.9", "1.2", "2.5", "2.999"), arcs, (front, rest) => {
      const dotted = [front, ...rest].join(".");
      expect(readObjectIdentifier(derObjectIdentifier(dotted).subarray(2))).toBe(dotted);
    }),
  );
  for (const wrong of ["", "2a86", `2a${"ff".repeat(9)}7f`]) {
    expect(readObjectIdentifier(Buffer.from(wrong, "hex"))).toBeUndefined();
  }
});
