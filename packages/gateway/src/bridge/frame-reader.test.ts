import type { ReceivedFrame } from "@carillon/apns/binary";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader } from "./frame-reader.ts";
import { PayloadForm } from "./payload-form.ts";

const topic = "com.example.demo";

function received(payload: Buffer): ReceivedFrame {
  const numbers = { identifier: 1, expirationSeconds: undefined, priority: undefined };
  return {
    kind: "notification",
    command: 1,
    notification: { deviceToken: Buffer.alloc(32, 0xab), payload, ...numbers },
  };
}

function read(reader: FrameReader, payload: Buffer) {
  const frame = reader.read(received(payload));
  return frame.kind === "push"
    ? { pushType: frame.pushType, topic: frame.topic, priority: frame.priority }
    : { status: frame.status, detail: frame.detail };
}

/** Payloads whose push types hang on one key, one number or one letter. */
const bases = [
  '{"aps":{"alert":"Hello","badge":1}}',
  '{"aps":{"alert":{"title":"A","body":"B\\n"},"sound":"default"},"order":17}',
  '{"aps":{"content-available":1}}',
  '{"aps":{"content-available":1,"category":"x"},"id":12}',
  '{ "aps" : { "content-available" : 1 , "thread-id" : "t" } , "list" : [ 1, "content-available", 10 ] }',
  '{"aps":{"content\\u002davailable":1},"a":"b"}',
  '{"aps":{"event":"update","timestamp":1700000000,"content-state":{"a":1}}}',
  '{"mdm":"magic"}',
  '{"container-identifier":"a","domain":"b"}',
  '{"aps":{},"a":{"content-available":1},"b":2.5,"c":-1,"d":1e3,"e":true,"f":null}',
];
const pieces = [
  '"',
  "\\",
  "\\u0041",
  '","badge":"',
  "0",
  "1",
  "12",
  "a",
  "ü",
  "",
  "-",
  ",",
  "{",
  "}",
  " ",
  "\n",
];

/** One of the bases with one to three changes, each of which leaves it right or breaks it. */
const payloads = fc
  .tuple(
    fc.constantFrom(...bases),
    fc.array(fc.tuple(fc.nat(120), fc.nat(3), fc.constantFrom(...pieces)), { maxLength: 3 }),
  )
  .map(([base, changes]) =>
    Buffer.from(
      changes.reduce((text, [at, cut, piece]) => {
        const place = at % text.length;
        return `${text.slice(0, place)}${piece}${text.slice(place + cut)}`;
      }, base),
    ),
  );

test("what was read before changes nothing: a payload is judged as if it were the first", () => {
  fc.assert(
    fc.property(fc.array(payloads, { minLength: 2, maxLength: 12 }), (sequence) => {
      const reader = new FrameReader(topic, undefined);
      for (const payload of sequence)
        expect(read(reader, payload), payload.toString()).toEqual(
          read(new FrameReader(topic, undefined), payload),
        );
    }),
    { numRuns: 2_000 },
  );
});

test("a payload with any byte changed is judged as if it were the first", () => {
  for (const base of bases)
    for (let at = 0; at < base.length; at += 1)
      for (const byte of [0x00, 0x22, 0x30, 0x31, 0x39, 0x5c, 0x61, 0x7d, 0x80, 0xff]) {
        const reader = new FrameReader(topic, undefined);
        read(reader, Buffer.from(base));
        const payload = Buffer.from(base);
        payload[at] = byte;
        expect(read(reader, payload), payload.toString("latin1")).toEqual(
          read(new FrameReader(topic, undefined), payload),
        );
      }
});

test.each([
  [
    "other texts and numbers",
    '{"aps":{"alert":"Hello","badge":1}}',
    '{"aps":{"alert":"é \\n","badge":305}}',
    true,
  ],
  ["an empty text", '{"aps":{"alert":""},"id":1}', '{"aps":{"alert":"a"},"id":0}', true],
  ["another key", '{"aps":{"alert":"Hello","badge":1}}', '{"aps":{"alert":"Hello","hedge":1}}', false],
  ["one key more", '{"aps":{"alert":"Hello"}}', '{"aps":{"alert":"Hello","badge":1}}', false],
  ["another content-available", '{"aps":{"content-available":1}}', '{"aps":{"content-available":2}}', false],
  ["something behind", '{"a":"b"}', '{"a":"b"} ', false],
  ["a number that may not be", '{"a":1}', '{"a":01}', false],
  ["a cut", '{"a":"bc"}', '{"a":"bc', false],
])("a form with %s", (_what, learned, other, isFit) => {
  const form = PayloadForm.of(Buffer.from(learned));
  expect(form?.fits(Buffer.from(learned))).toBe(true);
  expect(form?.fits(Buffer.from(other))).toBe(isFit);
});

test("what is long has no form: its length counts", () => {
  const textOf = (length: number): Buffer => Buffer.from(`{"a":"${"b".repeat(length - 8)}"}`);
  expect(PayloadForm.of(textOf(4_097))).toBeUndefined();
  const form = PayloadForm.of(textOf(100));
  expect(form?.fits(textOf(4_096))).toBe(true);
  expect(form?.fits(textOf(4_097))).toBe(false);
  const reader = new FrameReader(topic, undefined);
  read(reader, textOf(100));
  expect(read(reader, textOf(4_097))).toMatchObject({ status: 7 });
});
