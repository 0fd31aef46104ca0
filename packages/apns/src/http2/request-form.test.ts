import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.ts";
import { flag } from "./frame-types.ts";
import { writeHeaders } from "./frame-writer.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { RequestForm } from "./request-form.ts";

const path = "/3/device/";
const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const id = fc.uuid();

function fieldsOf(topic: string, pathEnd: string, apnsId: string): string[] {
  return [
    ...[":method", "POST", ":scheme", "https", ":authority", "localhost", ":path", path + pathEnd],
    ...["authorization", `bearer ${"a.b".repeat(50)}`, "apns-topic", topic, "apns-id", apnsId],
    ...["apns-priority", "10"],
  ];
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ form: fc.nat(1), pathEnd: hex(64), id, end: fc.boolean() }) },
  fc.record({ form: fc.nat(1), pathEnd: fc.oneof(hex(8), hex(63)), id, end: fc.constant(false) }),
  fc.record({ topic: fc.constantFrom("com.example.0", "com.other", "com.third"), pathEnd: hex(64), id }),
  fc.record({ tableBytes: fc.constantFrom(0, 60, 100, 200, 4096) }),
);

test("whatever is written between, a form becomes the fields that it stands for", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, sameAgain) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      const out = new ByteWriter();
      const forms = [0, 1].map((n) => new RequestForm(fieldsOf(`com.example.${n}`, "", ""), path, "apns-id"));
      let streamId = 1;
      for (const each of sameAgain ? steps.flatMap((one) => [one, one]) : steps) {
        if ("tableBytes" in each) {
          encoder.setMaxTableSize(each.tableBytes);
          continue;
        }
        streamId += 2;
        const flags = "end" in each && each.end ? flag.endStream : 0;
        let topic: string;
        if ("form" in each) {
          topic = `com.example.${each.form}`;
          forms[each.form]?.write(out, encoder, streamId, each.pathEnd, each.id, flags, 16_384);
        } else {
          topic = each.topic;
          writeHeaders(out, encoder, streamId, fieldsOf(topic, each.pathEnd, each.id), flags, 16_384);
        }
        const frame = out.take();
        expect(frame.readUIntBE(0, 3)).toBe(frame.length - 9);
        expect([frame[3], frame[4], frame.readUInt32BE(5)]).toEqual([1, flags | flag.endHeaders, streamId]);
        const fields = fieldsOf(topic, each.pathEnd, each.id);
        expect(decoder.decode(frame, 9, frame.length)).toEqual({ kind: "decoded", fields });
      }
    }),
    { numRuns: 400 },
  );
});

test("a request beyond the peer's frame size is continued", () => {
  const form = new RequestForm(fieldsOf("com.example.app", "", ""), path, "apns-id");
  const out = new ByteWriter();
  const encoder = new HpackEncoder();
  const write = (digit: number, mostBytes: number): Buffer => {
    form.write(out, encoder, 1, `a${digit}`, `123e4567-e89b-12d3-a456-42661417400${digit}`, 0, mostBytes);
    return out.take();
  };
  for (let digit = 0; digit < 5; digit++) expect(write(digit, 16_384)[4]).toBe(flag.endHeaders);
  expect(write(5, 64)[4]).toBe(0);
});
