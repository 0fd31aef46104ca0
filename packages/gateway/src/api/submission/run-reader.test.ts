import { Readable } from "node:stream";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { App } from "../../apps/index.ts";
import { BatchEncoder } from "../../delivery/batch/encoder.ts";
import { type DraftRun, type NotificationDraft, NotificationIds } from "../../delivery/index.ts";
import { demoConfig } from "../api.test-support.ts";
import { LineSummary } from "./line-answers.ts";
import { LineIntake, type ReadLines } from "./line-intake.ts";
import { readLine } from "./submission.ts";

const app: App = { config: demoConfig, environments: ["production", "sandbox"] };
const nowMs = 1_700_000_000_250;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  return () => vi.useRealTimers();
});

/** What the lines come to: the bytes of the batches, and the answer. */
interface Outcome {
  readonly batches: readonly string[];
  readonly answer: unknown;
}

function outcomeOf(lines: readonly ReadLines[]): Outcome {
  const encoders = new Map<string, BatchEncoder>();
  const encoderFor = ({ lane, delivery, environment, dueAtMs }: DraftRun["shared"]): BatchEncoder => {
    const name = `${lane} ${delivery} ${environment} ${dueAtMs}`;
    const encoder = encoders.get(name) ?? new BatchEncoder(delivery);
    encoders.set(name, encoder);
    return encoder;
  };
  const enter = (draft: NotificationDraft | DraftRun): void => {
    if ("spans" in draft) {
      const encoder = encoderFor(draft.shared);
      for (let recipient = 0; recipient < draft.recipients; recipient += 1)
        encoder.addFromRun(draft, recipient);
    } else
      for (const deviceToken of draft.deviceTokens)
        encoderFor(draft).add(deviceToken, { ...draft, settings: draft });
  };
  const summary = new LineSummary();
  for (const each of lines)
    if (each.kind === "run") enter(each.run);
    else if (each.entry.kind === "valid") enter(each.entry.draft);
  summary.add({ lines, ids: new NotificationIds() });
  let answer: unknown;
  try {
    answer = summary.answer();
  } catch (error) {
    answer = error;
  }
  const batches = [...encoders].map(
    ([name, encoder]) => `${name} ${Buffer.from(encoder.finish()).toString("hex")}`,
  );
  return { batches: batches.sort(), answer };
}

async function readTogether(body: readonly Buffer[]): Promise<readonly ReadLines[]> {
  const read: ReadLines[] = [];
  const intake = new LineIntake({
    app,
    submit: async () => new NotificationIds(),
    stored: ({ lines }) => void read.push(...lines),
  });
  await intake.take(Readable.from(body));
  return read;
}

/** Each line by the rules, as if it were the only one. */
function readAlone(body: Buffer): readonly ReadLines[] {
  const lines: ReadLines[] = [];
  let start = 0;
  for (let line = 1; start < body.length; line += 1) {
    const newline = body.indexOf("\n", start);
    const bytes = body.subarray(start, newline < 0 ? body.length : newline);
    start += bytes.length + 1;
    if (!/^[ \t\r]*$/.test(bytes.toString("latin1")))
      lines.push({ kind: "entry", line, entry: readLine(bytes, app, nowMs) });
  }
  return lines;
}

function runsIn(lines: readonly ReadLines[]): number[] {
  return lines.flatMap((each) => (each.kind === "run" ? [each.count] : []));
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
const shapes = [
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

const line = (shape: string): fc.Arbitrary<Buffer> => {
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

const bodies = fc
  .tuple(fc.subarray([...shapes], { minLength: 1, maxLength: 3 }), fc.integer({ min: 2, max: 14 }))
  .chain(([chosen, length]) =>
    fc.array(fc.oneof(...chosen.map(line)), { minLength: length, maxLength: length }),
  )
  .map((lines) => Buffer.concat(lines.flatMap((each) => [each, Buffer.from("\n")])));

describe("lines that are read by the form of those before them", () => {
  test("come to the same batches, byte for byte, and to the same answer as each by itself", async () => {
    await fc.assert(
      fc.asyncProperty(bodies, fc.array(fc.nat(), { maxLength: 3 }), async (body, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % body.length).sort((a, b) => a - b), body.length];
        const chunks = places.slice(1).map((end, index) => body.subarray(places[index], end));
        expect(outcomeOf(await readTogether(chunks))).toEqual(outcomeOf(readAlone(body)));
      }),
      { numRuns: 1_500 },
    );
  });

  const like = (shape: string, values: readonly Record<"T" | "S" | "N", string>[]): Buffer => {
    const lines = values.map((each) =>
      shape.replaceAll(/[TSN](?=[\]},: ])/g, (hole) => each[hole as "T" | "S" | "N"]),
    );
    return Buffer.from(`${lines.join("\n")}\n`);
  };
  const values = Array.from({ length: 5 }, (_, index) => ({
    T: `"${String(index).repeat(64)}"`,
    S: `"ä${index}\\n"`,
    N: String(index),
  }));

  test.each(shapes.slice(0, 3))("are taken together where only values change: %s", async (shape) => {
    const plain = values.map((each) => ({ ...each, S: each.S.replace("\\n", "") }));
    const read = await readTogether([like(shape, plain)]);
    expect(runsIn(read)).toEqual([4]);
    expect(outcomeOf(read).answer).toMatchObject({ accepted: 5, rejected: 0 });
  });

  const aps = (content: string, more = ""): string =>
    `{"to":{"token":"${"ab".repeat(32)}"},"payload":{"aps":{${content}}}${more}}`;
  test.each([
    ["an interruption level", aps('"interruption-level":"active"'), aps('"interruption-level":"loud"')],
    ["a relevance score", aps('"relevance-score":1'), aps('"relevance-score":2')],
    ["a flag", aps('"alert":"a","content-available":1'), aps('"alert":"a","content-available":2')],
    ["what makes a background push", aps('"content-available":1'), aps('"content-available":0')],
    ["a time", aps('"stale-date":1'), aps('"stale-date":999999999999999')],
    ["a volume", aps('"sound":{"volume":1}'), aps('"sound":{"volume":2}')],
    ["a payload's length", aps('"alert":"a"'), aps(`"alert":"${"a".repeat(4_096)}"`)],
    ["a reference's length", aps("", ',"reference":"a"'), aps("", `,"reference":"${"a".repeat(257)}"`)],
    ["an empty reference", aps("", ',"reference":"a"'), aps("", ',"reference":""')],
    ["a number with a zero before it", aps('"badge":10'), aps('"badge":010')],
    ["a number without a digit", aps('"badge":10'), aps('"badge":')],
    ["a badge beyond all counting", aps('"badge":10'), aps(`"badge":${"9".repeat(20)}`)],
    ["a device token's length", aps(""), aps("").replace("ab".repeat(32), "abc")],
    ["bytes that are no UTF-8", aps('"alert":"a"'), aps('"alert":"\xff"')],
    ["half a surrogate pair", aps('"alert":"a"'), aps('"alert":"\\ud800"')],
    ["a control character", aps('"alert":"a"'), aps('"alert":"\t"')],
    ["another topic", aps("", ',"topic":"com.a"'), aps("", ',"topic":"a b"')],
    [
      "an id of the caller's",
      aps("", `,"apnsId":"${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}"`),
      aps("", ',"apnsId":"0"'),
    ],
    ["something behind it", aps(""), `${aps("")}}`],
  ])("are held against the rules where these look: %s", async (_what, good, other) => {
    const body = Buffer.from(`${good}\n${good}\n${other}\n${good}\n`, "latin1");
    const read = await readTogether([body]);
    expect(outcomeOf(read)).toEqual(outcomeOf(readAlone(body)));
    expect(read.flatMap((each) => (each.kind === "entry" ? [each.line] : []))).toContain(3);
  });

  test("are read by the rules when their time is over within the second", async () => {
    const soon = Buffer.from(`${aps("", ',"expiresAt":"2023-11-14T22:13:20.500Z"')}\n`);
    const later = soon.toString();
    const lines: ReadLines[] = [];
    const intake = new LineIntake({
      app,
      submit: async () => {
        vi.setSystemTime(nowMs + 500);
        return new NotificationIds();
      },
      stored: (stored) => void lines.push(...stored.lines),
    });
    await intake.take(Readable.from([soon, Buffer.from(later)]));
    expect(lines).toMatchObject([{ entry: { kind: "valid" } }, { entry: { kind: "invalid" } }]);
  });

  test("are a run each where they have several recipients", async () => {
    const read = await readTogether([like(shapes[3], values)]);
    expect(runsIn(read)).toEqual([1, 1, 1, 1]);
    expect(outcomeOf(read).answer).toMatchObject({ accepted: 15, rejected: 0 });
  });

  test("may take turns between a few forms", async () => {
    const lines = values.flatMap((each) => [
      like(shapes[0], [each]),
      like(shapes[1], [{ ...each, S: '"x"' }]),
    ]);
    const read = await readTogether([Buffer.concat(lines)]);
    expect(runsIn(read)).toHaveLength(8);
  });

  test("are read by the rules again when the second is over", async () => {
    const expirations: unknown[] = [];
    const intake = new LineIntake({
      app,
      submit: async (drafts) => {
        for (const draft of drafts)
          expirations.push("spans" in draft ? draft.shared.expirationSeconds : draft.expirationSeconds);
        vi.setSystemTime(nowMs + 1_000);
        return new NotificationIds();
      },
      stored: () => undefined,
    });
    await intake.take(Readable.from([like(shapes[3], values), like(shapes[3], values)]));
    expect(new Set(expirations)).toEqual(new Set([1_700_000_061, 1_700_000_062]));
  });
});
