import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../byte-writer.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { LiteralMemo } from "./literal-memo.ts";

const providerToken = Buffer.from(`bearer ${"eyJhbGciOiJFUzI1NiJ9".repeat(8)}`);

test("finds a literal from its third coming on, under the same name and in the same code only", () => {
  const memo = new LiteralMemo();
  const length = providerToken.length;
  const find = (name = 23, huffman = false) => memo.find(name, providerToken, 0, length, huffman);
  const learn = () => memo.learn(23, providerToken, 0, length, false, "token");
  learn();
  expect(find()).toBeUndefined();
  learn();
  expect(find()).toBe("token");
  expect(find(22)).toBeUndefined();
  expect(find(23, true)).toBeUndefined();
});

test("a literal that differs in one byte is another one", () => {
  const memo = new LiteralMemo();
  memo.learn(23, providerToken, 0, providerToken.length, false, "token");
  memo.learn(23, providerToken, 0, providerToken.length, false, "token");
  for (let at = 0; at < providerToken.length; at++) {
    const other = Buffer.from(providerToken);
    other[at]! ^= 1;
    expect(memo.find(23, other, 0, other.length, false)).toBeUndefined();
  }
  expect(memo.find(23, providerToken, 0, providerToken.length - 1, false)).toBeUndefined();
});

test("keeps a copy: the bytes it was shown may change", () => {
  const memo = new LiteralMemo();
  const shown = Buffer.from(providerToken);
  for (let times = 0; times < 2; times++) memo.learn(23, shown, 0, shown.length, false, "token");
  shown.fill(0);
  expect(memo.find(23, providerToken, 0, providerToken.length, false)).toBe("token");
  expect(memo.find(23, shown, 0, shown.length, false)).toBeUndefined();
});

test("takes up neither what is short nor what is very long", () => {
  const memo = new LiteralMemo();
  for (const length of [23, 1025]) {
    const bytes = Buffer.alloc(length, 0x61);
    for (let times = 0; times < 3; times++) memo.learn(4, bytes, 0, length, false, "text");
    expect(memo.find(4, bytes, 0, length, false)).toBeUndefined();
  }
});

test("blocks decode to what was encoded, however values recur", () => {
  const value = fc.constantFrom(...["a", "b", "c"].map((each) => each.repeat(40)), "short");
  const name = fc.constantFrom("authorization", ":path", "apns-id", "x");
  const huffman = fc.constantFrom("always" as const, "stable" as const, "never" as const);
  fc.assert(
    fc.property(huffman, fc.array(fc.array(fc.tuple(name, value), { maxLength: 6 })), (code, blocks) => {
      const encoder = new HpackEncoder({ huffman: code });
      const decoder = new HpackDecoder();
      for (const block of blocks) {
        const out = new ByteWriter();
        encoder.encode(out, block.flat());
        const bytes = out.take();
        expect(decoder.decode(bytes, 0, bytes.length)).toEqual({ kind: "decoded", fields: block.flat() });
      }
    }),
  );
});
