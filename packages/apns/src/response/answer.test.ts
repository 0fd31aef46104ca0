import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readAnswer } from "./answer.ts";
import { type RejectionReason, rejectionReasons } from "./rejection-reason.ts";

const now = Date.UTC(2026, 10, 24);

function read(status: number, body: string, fields: readonly string[] = []) {
  return readAnswer(status, fields, Buffer.from(body), now);
}

test("200 is accepted, whatever else it says", () => {
  expect(read(200, "")).toEqual({ kind: "accepted" });
  expect(read(200, "nonsense", ["apns-unique-id", "u-1"])).toEqual({ kind: "accepted", uniqueId: "u-1" });
});

test("every documented reason is read back under its own status", () => {
  for (const reason of Object.keys(rejectionReasons) as RejectionReason[]) {
    const { status } = rejectionReasons[reason];
    expect(read(status, JSON.stringify({ reason }))).toEqual({ kind: "rejected", status, reason });
  }
});

test("every reason of the table says what it means and what to do", () => {
  for (const { status, means, remedy } of Object.values(rejectionReasons)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(means).toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
  }
});

test("the time of a 410 is in milliseconds; one in seconds is understood", () => {
  const gone = (timestamp: unknown) => read(410, JSON.stringify({ reason: "Unregistered", timestamp }));
  expect(gone(1_700_000_000_123)).toMatchObject({ goneSinceMs: 1_700_000_000_123 });
  expect(gone(1_700_000_000)).toMatchObject({ goneSinceMs: 1_700_000_000_000 });
  for (const bad of [undefined, null, "soon", -1, 0]) expect(gone(bad)).not.toHaveProperty("goneSinceMs");
  expect(read(400, '{"reason":"BadTopic","timestamp":1700000000123}')).not.toHaveProperty("goneSinceMs");
});

test("a reason that is newer than the table is passed on", () => {
  expect(read(400, '{"reason":"TooCold"}')).toEqual({ kind: "unrecognized", status: 400, reason: "TooCold" });
  expect(read(400, '{"reason":"toString"}')).toEqual({
    kind: "unrecognized",
    status: 400,
    reason: "toString",
  });
});

test.each([
  ["", ""],
  ["{", "{"],
  ["<html>Bad Request</html>", "<html>Bad Request</html>"],
  ['{"__proto__":{"reason":"BadTopic"}}', '{"__proto__":{"reason":"BadTopic"}}'],
  ['{"reason":5}', '{"reason":5}'],
  ["null", "null"],
  ["x".repeat(1_000_000), "x".repeat(200)],
])("a body that is no APNs answer is shown, cut: %#", (body, reason) => {
  expect(read(400, body)).toEqual({ kind: "unrecognized", status: 400, reason });
});

test("a byte order mark and repeated keys do no harm", () => {
  expect(read(400, '\uFEFF{"reason":"BadTopic"}')).toMatchObject({ kind: "rejected", reason: "BadTopic" });
  expect(read(400, '{"reason":"BadTopic","reason":"BadPriority"}')).toMatchObject({ reason: "BadPriority" });
});

test.each([
  ["2", 2000],
  [new Date(now + 90_000).toUTCString(), 90_000],
  [new Date(now - 90_000).toUTCString(), undefined],
  ["1000000000", 86_400_000],
  ["-5", undefined],
  ["soon", undefined],
  ["0", undefined],
])("retry-after: %s is a wait of %s ms", (text, wait) => {
  const answer = read(503, '{"reason":"ServiceUnavailable"}', ["retry-after", text]);
  expect("retryAfterMs" in answer ? answer.retryAfterMs : undefined).toBe(wait);
});

test("arbitrary answers give one of three kinds and never throw", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999 }), fc.uint8Array({ maxLength: 300 }), (status, body) => {
      const { kind } = readAnswer(status, [], body, now);
      expect(["accepted", "rejected", "unrecognized"]).toContain(kind);
    }),
  );
});
