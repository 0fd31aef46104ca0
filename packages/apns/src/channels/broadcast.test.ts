import { expect, test } from "vitest";
import { liveActivityPayload } from "../notification/index.ts";
import { ApnsError } from "../runtime/index.ts";
import { type Broadcast, prepareBroadcast } from "./broadcast.ts";
import { channelFields } from "./channel-request.ts";

const channelId = "dHN0LXNyY2gtY2hubA==";
const payload = liveActivityPayload.update({ timestamp: 1_800_000_000, contentState: { score: 1 } });
const requestId = "eabeae54-14a8-11e5-b60b-1697f925ec7b";

function prepare(change: Partial<Record<keyof Broadcast, unknown>>, mode: "strict" | "lenient" = "strict") {
  const broadcast = { channelId, payload, ...change } as Broadcast;
  return prepareBroadcast(broadcast, { topic: "com.example.app", mode });
}

function problemFields(change: Partial<Record<keyof Broadcast, unknown>>, mode?: "lenient"): string[] {
  try {
    prepare(change, mode);
  } catch (error) {
    if (error instanceof ApnsError) return error.problems.map(({ field }) => field);
    throw error;
  }
  return [];
}

test("a broadcast is Apple's request: plain bundle id, no topic, an expiration in any case", () => {
  const request = prepare({ requestId, priority: 5, expiration: new Date(1_800_000_000_000) });
  expect(channelFields(request, "api.push.apple.com", "bearer a.b.c")).toEqual([
    ...[":method", "POST", ":scheme", "https", ":authority", "api.push.apple.com"],
    ...[":path", "/4/broadcasts/apps/com.example.app", "authorization", "bearer a.b.c"],
    ...["apns-channel-id", channelId, "apns-request-id", requestId, "apns-push-type", "liveactivity"],
    ...["apns-expiration", "1800000000", "apns-priority", "5"],
  ]);
  expect(prepare({})).toMatchObject({ expirationSeconds: 0, priority: undefined, delivery: "at-least-once" });
});

test("the bundle id is the client's topic without a push type's suffix, unless one is named", () => {
  const path = (topic: string | undefined, bundleId?: string) => {
    const broadcast = { channelId, payload, ...(bundleId === undefined ? {} : { bundleId }) };
    return prepareBroadcast(broadcast, { topic, mode: "strict" }).path;
  };
  expect(path("com.example.app.push-type.liveactivity")).toBe("/4/broadcasts/apps/com.example.app");
  expect(path("com.example.app", "com.other")).toBe("/4/broadcasts/apps/com.other");
  expect(() => path(undefined)).toThrow(/bundleId must be/);
});

test("what APNs would refuse is refused before sending, with every problem", () => {
  for (const bad of ["", "a b", "../x", "a\r\nb: c", 5, undefined])
    expect(problemFields({ channelId: bad })).toEqual(["channelId"]);
  for (const bad of ["com.example/app", "a b", "", 5])
    expect(problemFields({ bundleId: bad })).toEqual(["bundleId"]);
  for (const bad of [1, 7, "10"]) expect(problemFields({ priority: bad })).toEqual(["priority"]);
  for (const bad of [-1, 1.5, 1_800_000_000_000])
    expect(problemFields({ expiration: bad })).toEqual(["expiration"]);
  expect(problemFields({ requestId: "x", delivery: "sometimes", payload: 5 })).toEqual([
    "requestId",
    "delivery",
    "payload",
  ]);
});

test("the payload is one of a Live Activity, an update or an end, of 5120 bytes at most", () => {
  const start = {
    ...payload.aps,
    event: "start",
    "attributes-type": "A",
    attributes: {},
    alert: { title: "a" },
  };
  expect(problemFields({ payload: { aps: start } })).toEqual(["payload"]);
  expect(problemFields({ payload: { aps: start } }, "lenient")).toEqual([]);
  expect(problemFields({ payload: { aps: { alert: "Hello" } } })).toEqual(["payload", "payload"]);
  expect(problemFields({ payload: "x".repeat(5120) })).toEqual([]);
  expect(problemFields({ payload: "x".repeat(5121) }, "lenient")).toEqual(["payload"]);
  expect(problemFields({ payload: "" })).toEqual(["payload"]);
});
