import { type Outcome, type RejectionReason, rejectionReasons } from "@carillon/apns";
import { describe, expect, test } from "vitest";
import { reportOutcome } from "./outcome-report.ts";

const sent = { apnsId: "123e4567-e89b-12d3-a456-426614174000", attempts: 1 };
const report = (outcome: object) => reportOutcome({ ...sent, ...outcome } as Outcome, "3f1c09ab");

test.each(Object.keys(rejectionReasons) as RejectionReason[])(
  "%s is explained, for people and programs",
  (reason) => {
    const { status, means, remedy, fault } = rejectionReasons[reason];
    const { lines, record, status: exit } = report({ kind: "rejected", status, reason });
    expect(exit).toBe(1);
    expect(lines.slice(0, 3)).toEqual([`${status} ${reason}`, means, remedy]);
    expect(record).toMatchObject({ outcome: "rejected", status, reason, means, remedy, fault });
  },
);

describe("what is not known is never called unsent", () => {
  const notWritten = { kind: "unprocessed", cause: "not-written", detail: "localhost:1: refused" };

  test("nothing that Apple may have seen: unreachable", () => {
    expect(report({ ...notWritten, attempts: 0 })).toMatchObject({
      status: 3,
      word: "unreachable",
      record: { outcome: "unprocessed", cause: "not-written", detail: "localhost:1: refused" },
    });
  });

  test("an earlier attempt that got no answer: unknown", () => {
    expect(report({ ...notWritten, attempts: 2 })).toMatchObject({
      status: 3,
      word: "unknown",
      record: { outcome: "indeterminate", attempts: 2 },
    });
  });

  test.each(["socket-closed", "reset", "timeout", "protocol"])("written, then %s: unknown", (cause) => {
    const { status, word, lines } = report({ kind: "indeterminate", cause });
    expect({ status, word }).toEqual({ status: 3, word: "unknown" });
    expect(lines[0]).toMatch(/^sent, and no answer came: the /);
    expect(lines.at(-1)).toBe(`apns-id ${sent.apnsId}`);
  });
});

test("what a server says cannot steer the terminal", () => {
  const { lines } = report({ kind: "unrecognized", status: 400, reason: "a\u001b[2J\u202eb\r\nc" });
  expect(lines[0]).toBe("400 a [2J b c");
});

test("an answer without a reason says so", () => {
  expect(report({ kind: "unrecognized", status: 502, reason: "" }).lines[0]).toBe("502 (no reason given)");
});

test("JSON leaves out what is absent", () => {
  const { record } = report({ kind: "accepted" });
  expect(JSON.stringify(record)).toBe(
    `{"to":"3f1c09ab","outcome":"accepted","apnsId":"${sent.apnsId}","attempts":1}`,
  );
});
