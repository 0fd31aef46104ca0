import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHuffman, encodeHuffman, huffmanLength, mostDecodedBytes } from "./huffman.ts";

/** Strings and their code from RFC 7541 appendix C.4 and C.6. */
const vectors = [
  ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
  ["no-cache", "a8eb10649cbf"],
  ["custom-key", "25a849e95ba97d7f"],
  ["custom-value", "25a849e95bb8e8b4bf"],
  ["302", "6402"],
  ["private", "aec3771a4b"],
  ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
  ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
  ["307", "640eff"],
  ["gzip", "9bd9ab"],
  [
    "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ],
] as const;

test.each(vectors)("encodes and decodes %s as RFC 7541 appendix C does", (text, hex) => {
  expect(encode(text)).toBe(hex);
  expect(huffmanLength(text)).toBe(hex.length / 2);
  expect(decode(hex)).toBe(text);
});

test("encodes each of the 256 symbols so that it decodes again, alone and behind another", () => {
  for (let symbol = 0; symbol < 256; symbol++) {
    const text = String.fromCharCode(symbol);
    expect(decode(encode(text))).toBe(text);
    expect(decode(encode(`a${text}~${text}`))).toBe(`a${text}~${text}`);
  }
});

test("refuses EOS inside a string", () => {
  expect(decode("ffffffff")).toBeUndefined(); // EOS, 30 ones, then padding
  expect(decode("fffffffc")).toBeUndefined();
  expect(decode("1ffffffffd")).toBeUndefined(); // "a" and EOS
});

test("refuses padding of 8 bits and more", () => {
  expect(decode("1fff")).toBeUndefined(); // "a" (00011), 11 ones
  expect(decode("ff")).toBeUndefined();
  expect(decode("1f")).toBe("a");
});

test("refuses padding that is not all ones", () => {
  expect(decode("1e")).toBeUndefined();
  expect(decode("18")).toBeUndefined();
});

test("decodes nothing from nothing", () => {
  expect(decode("")).toBe("");
});

test("returns any bytes it encoded", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = Buffer.from(bytes).toString("latin1");
      expect(decode(encode(text))).toBe(text);
    }),
  );
});

test("decodes a device path wherever it stands, and looks at nothing around it", () => {
  const hexDigit = fc.constantFrom(..."0123456789abcdef");
  fc.assert(
    fc.property(fc.string({ unit: hexDigit, maxLength: 80 }), fc.nat(255), (digits, around) => {
      const text = `/3/device/${digits}`;
      const length = huffmanLength(text);
      const bytes = Buffer.alloc(length + 7, around);
      encodeHuffman(text, bytes, 3);
      const target = new Uint8Array(mostDecodedBytes(length));
      const decoded = decodeHuffman(bytes, 3, 3 + length, target);
      expect(Buffer.from(target.subarray(0, decoded)).toString("latin1")).toBe(text);
    }),
  );
});

test("decodes arbitrary bytes to a string or to a refusal, within the room it asks for", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const target = new Uint8Array(mostDecodedBytes(bytes.length));
      const decoded = decodeHuffman(bytes, 0, bytes.length, target);
      expect(decoded).toBeLessThanOrEqual(target.length);
      if (decoded < 0) return;
      // The code is unique: what decodes is exactly what encodes.
      const text = Buffer.from(target.subarray(0, decoded)).toString("latin1");
      expect(encode(text)).toBe(Buffer.from(bytes).toString("hex"));
    }),
    { numRuns: 2000 },
  );
});

function encode(text: string): string {
  const target = Buffer.alloc(text.length * 4 + 4);
  return target.subarray(0, encodeHuffman(text, target, 0)).toString("hex");
}

function decode(hex: string): string | undefined {
  const bytes = Buffer.from(hex, "hex");
  const target = Buffer.alloc(mostDecodedBytes(bytes.length));
  const length = decodeHuffman(bytes, 0, bytes.length, target);
  return length < 0 ? undefined : target.toString("latin1", 0, length);
}
