import fc from "fast-check";
import { expect, test } from "vitest";
import type { PushFacts } from "./push.ts";
import { PushLog, slot } from "./push-log.ts";

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const optional = fc.option(latin1, { nil: undefined });

/** Few shapes and few values, so that entries have much in common; and now and then something else. */
const field = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(":method", "POST", "a", "") }, latin1);
const facts: fc.Arbitrary<PushFacts> = fc.record({
  kind: fc.constantFrom("push", "broadcast", "channels"),
  protocol: fc.constantFrom("http/2", "binary"),
  atMs: fc.double({ noNaN: true }),
  apnsId: latin1,
  deviceToken: optional,
  topic: optional,
  pushType: optional,
  channelId: optional,
  status: fc.integer({ min: 0, max: 999 }),
  // A scenario's reason may be any text.
  reason: fc.option(fc.constantFrom("BadTopic", "Grüße 🔔", ""), { nil: undefined }),
  answer: fc.constantFrom("sent", "withheld"),
  fields: fc.oneof(
    fc.array(field, { minLength: 6, maxLength: 6 }),
    fc.array(field, { minLength: 20, maxLength: 20 }),
    fc.array(latin1, { maxLength: 4 }),
  ),
  payload: fc.oneof(fc.constant(Buffer.from("{}")), fc.uint8Array({ maxLength: 8192 }).map(Buffer.from)),
  connection: fc.integer({ min: 1, max: 0xffff_ffff }),
  stream: fc.integer({ min: 1, max: 0x7fff_ffff }),
});

test("what was written is read, entry by entry and text by text, while the oldest are dropped", () => {
  fc.assert(
    fc.property(fc.array(facts, { maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (all, most) => {
      const log = new PushLog();
      for (const each of all) {
        log.append(each);
        if (log.kept > most) log.dropOldest();
      }
      const kept = all.slice(-most);
      expect(log.kept).toBe(kept.length);
      for (const [index, each] of kept.entries()) {
        const sequence = log.oldest + index;
        expect(log.read(sequence)).toEqual(each);
        expect(log.text(sequence, slot.apnsId)).toBe(each.apnsId);
        expect(log.text(sequence, slot.channelId)).toBe(each.channelId);
        expect([log.status(sequence), log.reason(sequence)]).toEqual([each.status, each.reason]);
        expect([log.connection(sequence), log.protocol(sequence)]).toEqual([each.connection, each.protocol]);
      }
    }),
    { numRuns: 200 },
  );
});

const usual: PushFacts = {
  ...{
    kind: "push",
    atMs: 0,
    apnsId: "a",
    deviceToken: "00",
    topic: "t",
    pushType: "alert",
    channelId: undefined,
  },
  ...{ status: 200, reason: undefined, answer: "sent", fields: [":method", "POST", ":path", "/3/device/00"] },
  ...{ payload: Buffer.alloc(100), connection: 1, stream: 1, protocol: "http/2" },
};

test("a payload that was read stays as it was when its place is used again", () => {
  const log = new PushLog();
  log.append({ ...usual, payload: Buffer.from("first") });
  const { payload } = log.read(1);
  for (let each = 0; each < 10_000; each++) {
    log.append(usual);
    log.dropOldest();
  }
  expect(payload.toString()).toBe("first");
});

test("pushes of one sender cost little beside what differs", () => {
  const log = new PushLog();
  const fields = [...usual.fields, "authorization", "bearer ".padEnd(250, "x")];
  for (let each = 0; each < 10_000; each++)
    log.append({ ...usual, fields, apnsId: String(each).padStart(36) });
  expect(log.bytes / 10_000).toBeLessThan(100 + 36 + 40);
});

test("dropping and forgetting give all bytes back", () => {
  const log = new PushLog();
  for (let each = 0; each < 5000; each++) log.append({ ...usual, fields: [String(each)] });
  while (log.kept > 0) log.dropOldest();
  expect(log.bytes).toBe(0);
  log.append(usual);
  log.clear();
  expect([log.bytes, log.kept, log.oldest]).toEqual([0, 0, 5002]);
});
