import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameDecoder } from "./frame-decoder.ts";
import { errorCode } from "./frame-types.ts";

/** SETTINGS, PING, DATA on stream 1, an unknown type with the reserved bit set: bytes by RFC 9113 §4.1. */
const wire = Buffer.from(
  [
    "000006" + "04" + "00" + "00000000" + "000300000064",
    "000008" + "06" + "00" + "00000000" + "0102030405060708",
    "000003" + "00" + "01" + "00000001" + "616263",
    "000000" + "fa" + "ff" + "ffffffff",
  ].join(""),
  "hex",
);
const frames = [
  [4, 0, 0, "000300000064"],
  [6, 0, 0, "0102030405060708"],
  [0, 1, 1, "616263"],
  [0xfa, 0xff, 0x7fff_ffff, ""],
];

test("reads frames that come in one chunk", () => {
  expect(decode([wire])).toEqual(frames);
});

test("reads the same frames split at every point, and at every two points", () => {
  for (let first = 0; first <= wire.length; first++) {
    for (let second = first; second <= wire.length; second++) {
      const pieces = [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)];
      expect(decode(pieces)).toEqual(frames);
    }
  }
});

test("reads the same frames byte by byte", () => {
  expect(decode([...wire].map((byte) => Buffer.from([byte])))).toEqual(frames);
});

test("does not copy a frame that is whole in its chunk", () => {
  new FrameDecoder().receive(wire, (_type, _flags, _id, bytes) => {
    expect(bytes).toBe(wire);
    return undefined;
  });
});

test("takes a frame of the largest size and refuses one byte more, at its header", () => {
  const largest = Buffer.concat([Buffer.from("004000000000000001", "hex"), Buffer.alloc(16_384)]);
  expect(decode([largest])).toHaveLength(1);
  const decoder = new FrameDecoder();
  const error = decoder.receive(Buffer.from("004001000000000001", "hex"), () => undefined);
  expect(error?.code).toBe(errorCode.frameSizeError);
});

test("refuses a large frame whose header comes in pieces", () => {
  const decoder = new FrameDecoder(16_384);
  expect(decoder.receive(Buffer.from("0040", "hex"), () => undefined)).toBeUndefined();
  expect(decoder.receive(Buffer.from("01000000000001", "hex"), () => undefined)?.code).toBe(
    errorCode.frameSizeError,
  );
});

test("stops at the listener's error, says it again, and delivers nothing more", () => {
  const refusal = { code: 1, detail: "no" };
  for (const pieces of [[wire], [...wire].map((byte) => Buffer.from([byte]))]) {
    const decoder = new FrameDecoder();
    let calls = 0;
    const refuse = () => {
      calls += 1;
      return calls === 2 ? refusal : undefined;
    };
    let last: unknown;
    for (const piece of pieces) last = decoder.receive(piece, refuse);
    expect(last).toBe(refusal);
    expect(decoder.receive(wire, refuse)).toBe(refusal);
    expect(calls).toBe(2);
  }
});

test("gives the same frames for any bytes in any pieces, and never throws", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(40), fc.nat(255), fc.nat(255), fc.nat(0xffff_ffff)), { maxLength: 20 }),
      fc.uint8Array({ maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
      (headers, junk, sizes) => {
        const whole = Buffer.concat([
          ...headers.map(([length, type, flags, id]) => {
            const frame = Buffer.alloc(9 + length, 0xab);
            frame.writeUIntBE(length, 0, 3);
            frame[3] = type;
            frame[4] = flags;
            frame.writeUInt32BE(id, 5);
            return frame;
          }),
          junk,
        ]);
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          pieces.push(whole.subarray(at, at + size));
          at += size;
        }
        const inOne = decode([whole]);
        expect(decode(pieces)).toEqual(inOne);
        expect(inOne.length).toBeGreaterThanOrEqual(headers.length);
      },
    ),
  );
});

function decode(pieces: readonly Buffer[]): unknown[] {
  const decoder = new FrameDecoder();
  const seen: unknown[] = [];
  for (const piece of pieces) {
    decoder.receive(piece, (type, flags, streamId, bytes, start, end) => {
      seen.push([type, flags, streamId, bytes.toString("hex", start, end)]);
      return undefined;
    });
  }
  return seen;
}
