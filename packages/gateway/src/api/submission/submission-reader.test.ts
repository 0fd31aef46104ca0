import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiProblem } from "../problems/api-problem.ts";
import { Results } from "./results.ts";
import { readSubmission } from "./submission.ts";
import { draftsIn, SubmissionReader, type SubmittedEntry } from "./submission-reader.ts";
import { app, batchesOf, nowMs, shapes, textOf } from "./submitted-texts.test-support.ts";

/** What a body comes to: the bytes of the batches and the results, or the refusal. */
function outcomeOf(read: () => readonly SubmittedEntry[]): object {
  try {
    const entries = read();
    return { batches: batchesOf(draftsIn(entries)), results: Results.of(entries, nowMs).validated() };
  } catch (error) {
    if (error instanceof ApiProblem) return error.body;
    throw error;
  }
}

function runsIn(entries: readonly SubmittedEntry[]): number[] {
  return entries.flatMap((entry) => (entry.kind === "run" ? [entry.count] : []));
}

const space = fc.constantFrom("", "", "", " ", "\n", "\t ");
const list = (items: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(items, { maxLength: 6 }),
      fc.array(space, { minLength: 8, maxLength: 8 }),
      fc.constantFrom("}", "}", "}", "", "}}", ',"notifications":[]}', "]}"),
      fc.constantFrom(
        "notifications",
        "notifications",
        "notifications",
        "notification",
        "notific\\u0061tions",
      ),
    )
    .map(([texts, spaces, end, key]) => {
      const [a, b, c, d, e, f, g, h] = spaces;
      const between = Buffer.from(`${e},${f}`);
      const joined = texts.flatMap((text, index) => (index === 0 ? [text] : [between, text]));
      const [head, tail] = [`${a}{${b}"${key}"${c}:${d}[`, `${g}]${h}${end}${a}`];
      return Buffer.concat([Buffer.from(head), ...joined, Buffer.from(tail)]);
    });

const bodies = fc.subarray([...shapes], { minLength: 1, maxLength: 3 }).chain((chosen) => {
  const text = fc.oneof(...chosen.map(textOf));
  return fc.array(fc.oneof(text, list(text)), { minLength: 2, maxLength: 10 });
});

describe("bodies that are read by the form of those before them", () => {
  test("come to the same batches, byte for byte, and to the same answer as each by itself", () => {
    fc.assert(
      fc.property(bodies, (each) => {
        const reader = new SubmissionReader();
        for (const body of each)
          expect(outcomeOf(() => reader.read(body, app, nowMs).entries)).toEqual(
            outcomeOf(() => readSubmission(body, app, nowMs).entries),
          );
      }),
      { numRuns: 700 },
    );
  });

  const one = (digit: string): string =>
    `{"to":{"token":"${digit.repeat(64)}"},"payload":{"aps":{"alert":"${digit}"}}}`;
  const read = (reader: SubmissionReader, body: string): readonly SubmittedEntry[] =>
    reader.read(Buffer.from(body), app, nowMs).entries;

  test("are runs from the second on, whether they are lists or single ones", () => {
    const reader = new SubmissionReader();
    expect(runsIn(read(reader, one("1")))).toEqual([]);
    expect(runsIn(read(reader, one("2")))).toEqual([1]);
    const listed = `{"notifications": [${one("3")},${one("4")} , ${one("5")}]}\n`;
    expect(runsIn(read(reader, listed))).toEqual([3]);
  });

  test("teach the form of the first that was not known", () => {
    const reader = new SubmissionReader();
    const other = one("6").replace('"aps":', '"x":1,"aps":');
    const mixed = `{"notifications":[${one("1")},${other}]}`;
    expect([1, 2, 3].map(() => runsIn(read(reader, mixed)))).toEqual([[], [], [1, 1]]);
  });

  test("are refused as a whole where one list holds too many", () => {
    const reader = new SubmissionReader();
    const tokens = (count: number): string =>
      `{"to":{"tokens":[${Array(count)
        .fill(`"${"a".repeat(64)}"`)
        .join(",")}]},"payload":{"aps":{}}}`;
    const refused = (items: readonly string[]) =>
      outcomeOf(() => read(reader, `{"notifications":[${items.join(",")}]}`));
    expect(runsIn(read(reader, tokens(2)))).toEqual([]);
    expect(runsIn(read(reader, tokens(10_000)))).toEqual([1]);
    expect(refused([tokens(10_001)])).toMatchObject({ status: 422 });
    const most = `{"notifications":[${Array(10).fill(tokens(10_000)).join(",")}]}`;
    expect(runsIn(read(reader, most))).toHaveLength(10);
    expect(refused([...Array(10).fill(tokens(10_000)), tokens(1)])).toMatchObject({ status: 422 });
    expect(refused(Array(10_001).fill(tokens(1)))).toMatchObject({ status: 422 });
  });

  test("may be nested as deep in a list as the rules allow, and no deeper", () => {
    const deep = (levels: number): string =>
      `{"to":{"token":"${"a".repeat(64)}"},"payload":{"x":${"[".repeat(levels)}1${"]".repeat(levels)}}}`;
    const reader = new SubmissionReader();
    expect(read(reader, deep(30))).toHaveLength(1);
    const body = Buffer.from(`{"notifications":[${deep(30)}]}`);
    expect(outcomeOf(() => reader.read(body, app, nowMs).entries)).toMatchObject({ status: 400 });
  });
});
