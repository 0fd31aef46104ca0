import { expect, test } from "vitest";
import type { Notification } from "./notification.ts";
import { type PrepareOptions, prepareNotification } from "./prepare.ts";
import { type PushType, pushTypes } from "./push-type.ts";

const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const hello = { aps: { alert: "Hello" } };
const started = {
  aps: {
    ...{ event: "start", timestamp: 1_800_000_000, alert: { title: "Go", body: "On the way" } },
    ...{ "content-state": { minutes: 5 }, "attributes-type": "Order", attributes: {} },
  },
};

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
  [{ payload: started }, "liveactivity", "com.example.app.push-type.liveactivity", undefined],
  [
    { payload: { "container-identifier": "a" } },
    "fileprovider",
    "com.example.app.pushkit.fileprovider",
    undefined,
  ],
  [{ payload: { aps: { "content-available": 0 } } }, "alert", "com.example.app", undefined],
  [{ topic: "pass.com.example", payload: {} }, undefined, "pass.com.example", undefined],
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

const suffixes: Readonly<Record<PushType, string>> = {
  alert: "",
  background: "",
  complication: ".complication",
  controls: ".push-type.controls",
  fileprovider: ".pushkit.fileprovider",
  liveactivity: ".push-type.liveactivity",
  location: ".location-query",
  mdm: "",
  pushtotalk: ".voip-ptt",
  voip: ".voip",
  widgets: ".push-type.widgets",
};

const payloads: Partial<Record<PushType, object>> = {
  background: { aps: { "content-available": 1 } },
  controls: { aps: { "content-changed": true } },
  fileprovider: { "container-identifier": "a" },
  liveactivity: started,
  mdm: { mdm: "PushMagic" },
  widgets: { aps: { "content-changed": true } },
};

function problemsWith(change: Partial<Notification>, options: PrepareOptions): string[] {
  const prepared = prepareNotification({ deviceToken, payload: hello, ...change }, options);
  return prepared.kind === "refused"
    ? prepared.problems.map(({ field, detail }) => `${field} ${detail}`)
    : [];
}

test("each of the eleven push types gets its suffix, its default priority and its limit in bytes", () => {
  const types = Object.keys(pushTypes) as PushType[];
  expect(types).toHaveLength(11);
  for (const pushType of types) {
    expect(prepare({ pushType, payload: payloads[pushType] ?? hello })).toMatchObject({
      pushType,
      topic: `com.example.app${suffixes[pushType]}`,
      priority: pushType === "background" ? 5 : undefined,
    });
    const limit = pushType === "voip" ? 5120 : 4096;
    expect(problemFields({ pushType, payload: Buffer.alloc(limit, 0x20) })).toEqual([]);
    expect(problemFields({ pushType, payload: Buffer.alloc(limit + 1, 0x20) }, "lenient")).toEqual([
      "payload",
    ]);
  }
});

test("push types that APNs takes with a provider token only are refused for a certificate, and the reverse", () => {
  const certificate = { kind: "certificate", topics: [] } as const;
  const refused = (sender: PrepareOptions["sender"], mode?: "lenient") =>
    (Object.keys(pushTypes) as PushType[]).filter((pushType) => {
      const payload = payloads[pushType] ?? hello;
      return problemsWith({ pushType, payload }, { topic: "com.example.app", sender, mode }).length > 0;
    });
  expect(refused(certificate)).toEqual(["controls", "fileprovider", "location", "widgets"]);
  expect(refused({ kind: "token" })).toEqual(["mdm"]);
  expect(refused(undefined)).toEqual([]);
  expect(refused(certificate, "lenient")).toEqual([]);
});

test("a topic that the certificate does not list, or none where it lists several, is refused", () => {
  const topics = ["com.example.app", "com.example.app.voip"];
  const sender = { kind: "certificate", topics } as const;
  expect(problemsWith({ topic: "com.example.app" }, { sender })).toEqual([]);
  expect(problemsWith({ topic: "com.other" }, { sender })[0]).toMatch(
    /com\.other.*lists com\.example\.app, /,
  );
  expect(problemsWith({}, { sender })[0]).toMatch(/^topic is missing/);
  expect(problemsWith({}, { sender: { kind: "certificate", topics: ["com.example.app"] } })).toEqual([]);
  expect(problemsWith({}, { sender: { kind: "token" } })[0]).toMatch(/^topic is missing/);
  expect(problemsWith({ topic: "com.other" }, { sender, mode: "lenient" })).toEqual([]);
});

test("an unknown push type is sent as it is, with a warning for the log", () => {
  const options = { topic: "com.example.app" };
  const future = prepareNotification({ deviceToken, payload: hello, pushType: "future" }, options);
  expect(future).toMatchObject({ kind: "prepared", warning: expect.stringContaining("future") });
  expect(prepareNotification({ deviceToken, payload: hello }, options)).not.toHaveProperty("warning");
});

test("values of a wrong type are problems, never exceptions", () => {
  for (const bad of [5, null, {}, [], true]) {
    for (const field of [
      "deviceToken",
      "topic",
      "pushType",
      "priority",
      "expiration",
      "collapseId",
      "apnsId",
    ])
      if (!(bad === 5 && field === "priority") && !(bad === 5 && field === "expiration"))
        if (bad !== null || field === "deviceToken") expect(problemFields({ [field]: bad })).toContain(field);
  }
});
