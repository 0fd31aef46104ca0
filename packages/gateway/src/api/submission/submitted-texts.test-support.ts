import fc from "fast-check";
import type { App } from "../../apps/index.ts";
import { BatchEncoder } from "../../delivery/batch/encoder.ts";
import type { DraftRun, NotificationDraft } from "../../delivery/index.ts";
import { demoConfig } from "../api.test-support.ts";

export const app: App = { config: demoConfig, environments: ["production", "sandbox"] };
export const nowMs = 1_700_000_000_250;

/** The batches that drafts and runs go into, byte for byte. */
export function batchesOf(drafts: readonly (NotificationDraft | DraftRun)[]): readonly string[] {
  const encoders = new Map<string, BatchEncoder>();
  const encoderFor = ({ lane, delivery, environment, dueAtMs }: DraftRun["shared"]): BatchEncoder => {
    const name = `${lane} ${delivery} ${environment} ${dueAtMs}`;
    const encoder = encoders.get(name) ?? new BatchEncoder(delivery);
    encoders.set(name, encoder);
    return encoder;
  };
  for (const draft of drafts)
    if ("spans" in draft) {
      const encoder = encoderFor(draft.shared);
      for (let recipient = 0; recipient < draft.recipients; recipient += 1)
        encoder.addFromRun(draft, recipient);
    } else
      for (const deviceToken of draft.deviceTokens)
        encoderFor(draft).add(deviceToken, { ...draft, settings: draft });
  const batches = [...encoders].map(
    ([name, encoder]) => `${name} ${Buffer.from(encoder.finish()).toString("hex")}`,
  );
  return batches.sort();
}

const token = fc
  .tuple(fc.integer({ min: 3, max: 101 }), fc.string({ unit: fc.constantFrom(..."019afAF"), minLength: 4 }))
  .map(([bytes, digits]) => `"${digits.repeat(bytes).slice(0, bytes * 2)}"`);
const usualToken = fc
  .bigInt({ min: 0n, max: (1n << 256n) - 1n })
  .map((n) => `"${n.toString(16).padStart(64, "0")}"`);
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 40 }).map((value) => JSON.stringify(value)) },
  fc.string({ unit: "binary", maxLength: 20 }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '""',
    '"\\u0041"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\x"',
    '"a\tb"',
    '"tab\\t\\/"',
    '"',
    "7",
  ),
);
const number = fc.oneof(
  { weight: 3, arbitrary: fc.nat().map(String) },
  fc.constantFrom(
    "0",
    "-0",
    "007",
    "-1",
    "2.5",
    "1e3",
    "1e400",
    "9".repeat(15),
    "9".repeat(16),
    "9".repeat(310),
    "+1",
    "",
    "true",
    "null",
    "[]",
  ),
);
const mostlyToken = fc.oneof({ weight: 6, arbitrary: usualToken }, token, text);

/** Texts with holes for values: many lines of each are alike but for what stands in the holes. */
export const shapes = [
  '{"to":{"token":T},"payload":{"aps":{"alert":{"title":S,"body":S},"sound":"default"},"order":N}}',
  '{"to":{"token":T},"payload":{"aps":{"alert":S,"badge":N,"sound":S,"thread-id":S}},"reference":S}',
  '{"reference": S, "payload": {"a": [N, {"b": S}], "aps": {"alert": S, "category": S}}, "to": {"token": T}}',
  ' { "to" : { "tokens" : [ T , T,T ] } , "payload" : { "aps" : { "alert" : S } } , "ttl" : 60 } ',
  '{"to":{"tokens":[T,T]},"payload":{"aps":{"content-available":1},"id":S},"priority":5,"lane":"bulk"}',
  '{"to":{"token":T},"payload":{"aps":{"content-available":N,"interruption-level":S}},"priority":N}',
  '{"to":{"token":T},"payload":{"aps":{"relevance-score":N,"timestamp":N,"event":S,"content-state":{"a":N,"b":S}}},"registeredAt":"2023-11-14T20:00:00Z"}',
  '{"to":{"token":T},"reference":S,"registeredAt":"2023-11-14T20:00:00.5Z","payload":{"aps":{"alert":S}}}',
  '{"to":{"token":T},"alert":{"title":S,"body":S},"badge":N,"data":{"order":N}}',
  '{"to":{"token":T},"payload":{"aps":{"sound":{"critical":1,"name":S,"volume":N},"badge":N}},"collapseId":S}',
  '{"to":{"token":T},"payload":{"aps":{"alert":{"loc-key":S,"loc-args":[S,S]},"other":S},"x":{S:N}},"delivery":"at-most-once"}',
  '{"to":{"token":T},"payload":{"mdm":S},"reference":S,"expiresAt":"2023-11-14T22:13:21Z"}',
  '{"to":{"token":T},"payload":{S:S,"aps":S},"sendAt":"2023-11-15T00:00:00Z","environment":"production"}',
  '{"to":{"token":T},"payload":{"aps":{"alert":S},"constructor":{"k":S}},"apnsId":"01234567-89ab-cdef-0123-456789abcdef"}',
] as const;

/** A text of this shape, right or wrong. */
export const textOf = (shape: string): fc.Arbitrary<Buffer> => {
  const parts = shape.split(/([TSN](?=[\]},: ]))/);
  const values = parts.map((part) =>
    part === "T" ? mostlyToken : part === "S" ? text : part === "N" ? number : fc.constant(part),
  );
  const whole = fc.tuple(...values).map((each) => Buffer.from(each.join("")));
  const broken = fc
    .tuple(whole, fc.nat(), fc.nat(255), fc.constantFrom("set", "insert", "delete", "cut", "twice"))
    .map(([bytes, at, byte, how]) => mutate(bytes, at % bytes.length, byte, how));
  return fc.oneof({ weight: 5, arbitrary: whole }, broken);
};

function mutate(bytes: Buffer, at: number, byte: number, how: string): Buffer {
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (how === "set") return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
  if (how === "insert") return Buffer.concat([before, Buffer.of(byte), after]);
  if (how === "delete") return Buffer.concat([before, after.subarray(1)]);
  return how === "cut" ? before : Buffer.concat([before, after.subarray(0, 9), after]);
}
