import { Readable } from "node:stream";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type DraftRun, type NotificationDraft, NotificationIds } from "../../delivery/index.ts";
import { LineSummary } from "./line-answers.ts";
import { LineIntake, type ReadLines } from "./line-intake.ts";
import { readLine } from "./submission.ts";
import { app, batchesOf, nowMs, shapes, textOf } from "./submitted-texts.test-support.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  return () => vi.useRealTimers();
});

/** What the lines come to: the bytes of the batches, and the answer. */
function outcomeOf(lines: readonly ReadLines[]): {
  readonly batches: readonly string[];
  readonly answer: unknown;
} {
  const drafts: (NotificationDraft | DraftRun)[] = [];
  for (const each of lines)
    if (each.kind === "run") drafts.push(each.run);
    else if (each.entry.kind === "valid") drafts.push(each.entry.draft);
  const batches = batchesOf(drafts);
  const summary = new LineSummary();
  summary.add({ lines });
  try {
    return { batches, answer: summary.answer() };
  } catch (error) {
    return { batches, answer: error };
  }
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

const bodies = fc
  .tuple(fc.subarray([...shapes], { minLength: 1, maxLength: 3 }), fc.integer({ min: 2, max: 14 }))
  .chain(([chosen, length]) =>
    fc.array(fc.oneof(...chosen.map(textOf)), { minLength: length, maxLength: length }),
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
