import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { flag, frameType } from "./frame-types.ts";
import {
  writeData,
  writeGoaway,
  writeHeaderBlock,
  writeHeaders,
  writePing,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "./frame-writer.ts";
import { HpackEncoder } from "./hpack/encoder.ts";

test.each([
  // The SETTINGS that APNs sent in 2016 (apns-protocol.md §10).
  [
    "SETTINGS",
    (out: ByteWriter) =>
      writeSettings(out, [
        [1, 4096],
        [3, 452],
        [5, 16_384],
        [6, 8000],
      ]),
    "000018040000000000" + "000100001000" + "0003000001c4" + "000500004000" + "000600001f40",
  ],
  ["SETTINGS acknowledgement", (out: ByteWriter) => writeSettingsAck(out), "000000040100000000"],
  [
    "PING",
    (out: ByteWriter) => writePing(out, Buffer.from("deadbeef"), flag.ack),
    "000008060100000000" + "6465616462656566",
  ],
  [
    "GOAWAY",
    (out: ByteWriter) => writeGoaway(out, 30, 9, Buffer.from("hpack is broken")),
    "0000170700000000000000001e00000009687061636b2069732062726f6b656e",
  ],
  [
    "GOAWAY without debug data",
    (out: ByteWriter) => writeGoaway(out, 0x7fff_ffff, 0),
    "0000080700000000007fffffff00000000",
  ],
  ["RST_STREAM", (out: ByteWriter) => writeRstStream(out, 5, 8), "00000403000000000500000008"],
  ["WINDOW_UPDATE", (out: ByteWriter) => writeWindowUpdate(out, 50, 1000), "000004080000000032000003e8"],
  ["DATA", (out: ByteWriter) => writeData(out, 1, Buffer.from("abc"), 1), "000003000100000001616263"],
])("writes %s", (_, write, hex) => {
  const out = new ByteWriter();
  write(out);
  expect(out.take().toString("hex")).toBe(hex);
});

test("writes an empty header block as one frame", () => {
  const out = new ByteWriter();
  writeHeaderBlock(out, 1, Buffer.alloc(0), flag.endStream, 16_384);
  expect(out.take().toString("hex")).toBe("000000010500000001");
});

test("splits a header block into HEADERS and CONTINUATION, whatever its size", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.integer({ min: 1, max: 40 }), (blockBytes, maxFrameSize) => {
      const out = new ByteWriter();
      const block = Buffer.alloc(blockBytes, "block");
      writeHeaderBlock(out, 3, block, flag.endStream, maxFrameSize);
      const frames = read(out.take());
      expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(block)).toBe(true);
      frames.forEach(({ type, flags, payload }, i) => {
        expect(type).toBe(i === 0 ? frameType.headers : frameType.continuation);
        expect((flags & flag.endHeaders) !== 0).toBe(i === frames.length - 1);
        expect((flags & flag.endStream) !== 0).toBe(i === 0);
        expect(payload.length).toBeLessThanOrEqual(maxFrameSize);
      });
    }),
  );
});

test("writes headers straight into the output as the encoder and the splitter would", () => {
  for (const length of [0, 100, 16_000, 17_000, 40_000]) {
    const fields = [":status", "200", "x", "v".repeat(length)];
    const direct = new ByteWriter();
    direct.u8(0xee);
    writeHeaders(direct, new HpackEncoder(), 5, fields, flag.endStream, 16_384);
    const block = new ByteWriter();
    new HpackEncoder().encode(block, fields);
    const split = new ByteWriter();
    split.u8(0xee);
    writeHeaderBlock(split, 5, block.take(), flag.endStream, 16_384);
    expect(direct.take().equals(split.take())).toBe(true);
  }
});

function read(bytes: Buffer): { type: number; flags: number; payload: Buffer }[] {
  const frames: { type: number; flags: number; payload: Buffer }[] = [];
  new FrameDecoder().receive(bytes, (type, flags, _id, buffer, start, end) => {
    frames.push({ type, flags, payload: Buffer.from(buffer.subarray(start, end)) });
    return undefined;
  });
  return frames;
}
