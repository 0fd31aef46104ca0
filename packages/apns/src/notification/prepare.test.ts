import { expect, test } from "vitest";
import type { Notification } from "./notification.ts";
import { prepareNotification } from "./prepare.ts";

const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const hello = { aps: { alert: "Hello" } };

function problemFields(
  change: Partial<Record<keyof Notification, unknown>>,
  mode?: "strict" | "lenient",
): string[] {
  const prepared = prepareNotification({ deviceToken, payload: hello, ...change } as Notification, {
    topic: "com.example.app",
    mode,
  });
  return prepared.kind === "refused" ? prepared.problems.map(({ field }) => field) : [];
}

function prepare(change: Partial<Notification>) {
  const prepared = prepareNotification(
    { deviceToken, payload: hello, ...change },
    { topic: "com.example.app" },
  );
  if (prepared.kind === "refused") throw new Error(JSON.stringify(prepared.problems));
  return prepared.notification;
}

test("what a sender leaves out is derived, and nothing more is sent than APNs needs", () => {
  expect(prepare({})).toMatchObject({
    deviceToken,
    payload: '{"aps":{"alert":"Hello"}}',
    payloadBytes: 25,
    topic: "com.example.app",
    pushType: "alert",
    priority: undefined,
    expirationSeconds: undefined,
    collapseId: undefined,
    delivery: "at-least-once",
  });
  expect(prepare({}).apnsId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  expect(prepare({}).apnsId).not.toBe(prepare({}).apnsId);
});

test.each([
  [{ payload: { aps: { "content-available": 1 } } }, "background", "com.example.app", 5],
  [{ payload: { aps: { "content-available": 1, alert: "Hello" } } }, "alert", "com.example.app", undefined],
  [{ payload: { mdm: "PushMagic" } }, "mdm", "com.example.app", undefined],
  [{ pushType: "voip" }, "voip", "com.example.app.voip", undefined],
  [{ pushType: "liveactivity" }, "liveactivity", "com.example.app.push-type.liveactivity", undefined],
  [{ topic: "com.other.voip" }, "voip", "com.other.voip", undefined],
  [{ pushType: "future" }, "future", "com.example.app", undefined],
])("%j is a %s push to %s", (change, pushType, topic, priority) => {
  expect(prepare(change as Partial<Notification>)).toMatchObject({ pushType, topic, priority });
});

test("a device token is 8 to 200 hexadecimal digits, an even number", () => {
  for (const good of ["abcd1234", "ABCDEF01", "a".repeat(200)])
    expect(problemFields({ deviceToken: good })).toEqual([]);
  for (const bad of [
    "",
    "abcdef",
    "a".repeat(7),
    "a".repeat(9),
    "a".repeat(202),
    "zz".repeat(32),
    "../../..",
    "ab cd123",
    5,
  ]) {
    expect(problemFields({ deviceToken: bad })).toEqual(["deviceToken"]);
  }
});

test("the payload's limit is counted in bytes, 4096, and 5120 for VoIP", () => {
  const bytes = (count: number): string => `"${"€".repeat((count - 2) / 3)}${"x".repeat((count - 2) % 3)}"`;
  expect(Buffer.byteLength(bytes(4096))).toBe(4096);
  expect(problemFields({ payload: bytes(4096) })).toEqual([]);
  expect(problemFields({ payload: bytes(4097) })).toEqual(["payload"]);
  expect(problemFields({ payload: Buffer.alloc(5120, 0x20), pushType: "voip" })).toEqual([]);
  expect(problemFields({ payload: Buffer.alloc(5121, 0x20), pushType: "voip" })).toEqual(["payload"]);
  expect(problemFields({ payload: { aps: { alert: "😀".repeat(1100) } } })).toEqual(["payload"]);
});

test("strings and bytes are passed through as they are", () => {
  const text = '{ "aps" : {"alert":"Hello"}, "n": 1.0 }';
  expect(prepare({ payload: text }).payload).toBe(text);
  const bytes = Buffer.from(text);
  expect(prepare({ payload: bytes }).payload).toBe(bytes);
});

test("a payload that is empty or cannot be written is refused", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  for (const bad of [
    "",
    new Uint8Array(0),
    circle,
    { n: 1n },
    null,
    5,
    ["aps"],
    { toJSON: () => undefined },
  ]) {
    expect(problemFields({ payload: bad })).toEqual(["payload"]);
  }
  expect(problemFields({ payload: {} })).toEqual([]);
});

test("header values cannot carry another header", () => {
  for (const bad of ["a\r\nb: c", "a\nb", "a\0", "a b", "ä", "", "x".repeat(1025)]) {
    expect(problemFields({ topic: bad })).toContain("topic");
    expect(problemFields({ pushType: bad })).toContain("pushType");
  }
  for (const bad of ["a\r\nb: c", "ä", "", " a", "x".repeat(65)])
    expect(problemFields({ collapseId: bad })).toEqual(["collapseId"]);
  expect(problemFields({ collapseId: "x".repeat(64) })).toEqual([]);
  for (const bad of [
    "",
    "1234",
    "g23e4567-e89b-12d3-a456-426614174000",
    "123e4567-e89b-12d3-a456-426614174000\r\n",
  ]) {
    expect(problemFields({ apnsId: bad })).toEqual(["apnsId"]);
  }
  expect(prepare({ apnsId: "D917CA4B-AE9F-4549-45F7-126FB07D027D" }).apnsId).toBe(
    "D917CA4B-AE9F-4549-45F7-126FB07D027D",
  );
});

test("expirations are dates or whole seconds; zero is a value", () => {
  expect(prepare({ expiration: 0 }).expirationSeconds).toBe(0);
  expect(prepare({ expiration: new Date(1_800_000_000_999) }).expirationSeconds).toBe(1_800_000_000);
  for (const bad of [-1, 1.5, Number.NaN, new Date(Number.NaN), 1_800_000_000_000]) {
    expect(problemFields({ expiration: bad })).toEqual(["expiration"]);
  }
});

test("what APNs would refuse is refused before sending, unless the mode is lenient", () => {
  const background = { pushType: "background" as const, payload: { aps: { "content-available": 1 } } };
  expect(problemFields({ ...background, priority: 10 })).toEqual(["priority"]);
  expect(problemFields({ ...background, priority: 5 })).toEqual([]);
  expect(problemFields({ pushType: "background" })).toEqual(["payload"]);
  expect(problemFields({ pushType: "voip", topic: "com.example.app" })).toEqual(["topic"]);
  expect(problemFields({ pushType: "background", priority: 10, topic: "a.b" }, "lenient")).toEqual([]);
  expect(problemFields({ priority: 7 }, "lenient")).toEqual(["priority"]);
});

test("all problems are told at once, each with a cure", () => {
  const prepared = prepareNotification({ deviceToken: "x", payload: "", priority: 3 as 5, collapseId: "é" });
  expect(prepared.kind).toBe("refused");
  if (prepared.kind === "refused") {
    expect(prepared.problems.map(({ field }) => field)).toEqual([
      "deviceToken",
      "payload",
      "priority",
      "collapseId",
    ]);
  }
});
