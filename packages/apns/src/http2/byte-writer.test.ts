import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.ts";

test("writes integers big-endian, the low bits of them", () => {
  const out = new ByteWriter();
  out.u8(0x101);
  out.u16(0x1_0203);
  out.u24(0x104_0506);
  out.u32(0x8708_090a);
  expect(out.length).toBe(10);
  expect(out.take().toString("hex")).toBe("0102030405068708090a");
});

test("writes text short and long", () => {
  const out = new ByteWriter();
  const long = "é".repeat(100);
  out.latin1("é");
  out.latin1(long);
  expect(out.take().equals(Buffer.from(`é${long}`, "latin1"))).toBe(true);
  expect(out.utf8("aé€😀\ud800")).toBe(13);
  expect(out.take().toString()).toBe("aé€😀\ufffd");
});

test("patches and cuts what was not taken yet", () => {
  const out = new ByteWriter();
  out.bytes(Buffer.from("taken"));
  out.take();
  out.bytes(Buffer.from("abcdef"));
  out.patchU8(0, 0x58);
  out.patchU24(1, 0x59_5a_31);
  expect(out.cut(5).toString()).toBe("f");
  expect(out.take().toString()).toBe("XYZ1e");
});

test("never changes what was taken, whatever is written later", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (writes) => {
      const out = new ByteWriter(64);
      const taken = writes.map((bytes) => {
        out.bytes(bytes);
        out.u8(7);
        const chunk = out.take();
        return { chunk, hex: chunk.toString("hex") };
      });
      out.bytes(Buffer.alloc(1000, 0xff));
      for (const { chunk, hex } of taken) expect(chunk.toString("hex")).toBe(hex);
    }),
  );
});

test("grows to any length and gives back exactly what was written", () => {
  const operation = fc.oneof(
    fc.nat(0xffff_ffff),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50 }), (operations) => {
      const out = new ByteWriter(64);
      const expected: Buffer[] = [];
      for (const each of operations) {
        if (typeof each === "number") {
          out.u32(each);
          const word = Buffer.alloc(4);
          word.writeUInt32BE(each);
          expected.push(word);
        } else if (typeof each === "string") {
          out.latin1(each);
          expected.push(Buffer.from(each, "latin1"));
        } else {
          out.bytes(each);
          expected.push(Buffer.from(each));
        }
      }
      expect(out.take().equals(Buffer.concat(expected))).toBe(true);
      expect(out.length).toBe(0);
    }),
  );
});
