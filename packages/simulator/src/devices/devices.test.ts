import { expect, test } from "vitest";
import { bundleIdOf } from "./bundle-id.ts";
import { Devices } from "./devices.ts";
import type { AcceptedPush } from "./mailbox.ts";

test("every device is registered until it is marked, and again when the mark is taken off", () => {
  const devices = new Devices();
  expect(devices.find("aabbccdd")).toBeUndefined();
  devices.unregister("AABBccdd", 5);
  expect(devices.find("aabbccdd")).toMatchObject({
    deviceToken: "aabbccdd",
    gone: { sinceMs: 5, reason: "Unregistered" },
  });
  devices.register("aaBBccdd");
  expect(devices.find("aabbccdd")).toBeUndefined();
});

test("the last mark counts, and all marks can be taken off at once", () => {
  const devices = new Devices();
  devices.unregister("aabbccdd", 5);
  devices.unregister("aabbccdd", 6, "ExpiredToken");
  devices.unregister("00ff00ff", 7);
  expect(devices.unregistered).toEqual([
    { deviceToken: "aabbccdd", sinceMs: 6, reason: "ExpiredToken" },
    { deviceToken: "00ff00ff", sinceMs: 7, reason: "Unregistered" },
  ]);
  devices.clear();
  expect(devices.unregistered).toEqual([]);
});

const push = (about: Partial<AcceptedPush> = {}): AcceptedPush => ({
  apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B",
  topic: "com.example.demo",
  collapseId: undefined,
  expirationSeconds: undefined,
  payload: Buffer.from("{}"),
  atMs: 0,
  ...about,
});

test("only devices with something special keep what came", () => {
  const devices = new Devices();
  devices.accept("aabbccdd", push());
  expect(devices.find("aabbccdd")).toBeUndefined();
  const { mailbox } = devices.describe("AABBCCDD", {});
  devices.accept("aabbccdd", push());
  expect(mailbox.received).toHaveLength(1);
  expect(mailbox.has(push().apnsId.toLowerCase())).toBe(true);
});

test("what is left out of a description stays as it was", () => {
  const devices = new Devices();
  devices.describe("aabbccdd", { topic: "com.example.demo", reach: "offline" });
  devices.describe("aabbccdd", { environment: "sandbox" });
  expect(devices.find("aabbccdd")).toMatchObject({
    topic: "com.example.demo",
    reach: "offline",
    environment: "sandbox",
  });
});

test("offline, the newest push of each app waits, and is delivered unless it expired", () => {
  let nowMs = 0;
  const devices = new Devices(() => nowMs);
  const { mailbox } = devices.describe("aabbccdd", { reach: "offline" });
  const topics = ["com.example.a", "com.example.a.voip", "com.example.b", "com.example.c", "com.example.d"];
  const expirations = [undefined, 10, 9, 0, 10_000_000];
  for (const [at, topic] of topics.entries()) {
    devices.accept("aabbccdd", push({ topic, expirationSeconds: expirations[at], apnsId: topic }));
  }
  expect(mailbox.stored.map(({ topic }) => topic)).toEqual([topics[1], topics[2], topics[4]]);
  nowMs = 9_500;
  devices.describe("aabbccdd", { reach: "online" });
  expect(mailbox.received.map(({ topic }) => topic)).toEqual([topics[1], topics[4]]);
  expect(mailbox.stored).toEqual([]);
});

test("nothing waits longer than 30 days", () => {
  let nowMs = 0;
  const devices = new Devices(() => nowMs);
  const { mailbox } = devices.describe("aabbccdd", { reach: "offline" });
  devices.accept("aabbccdd", push({ expirationSeconds: 10_000_000 }));
  nowMs = 30 * 86_400_000;
  devices.describe("aabbccdd", { reach: "online" });
  expect(mailbox.received).toEqual([]);
});

test("of pushes with one collapse id the newest is shown", () => {
  const devices = new Devices();
  const { mailbox } = devices.describe("aabbccdd", {});
  for (const [apnsId, collapseId] of [
    ["1", "score"],
    ["2", undefined],
    ["3", "score"],
    ["4", "news"],
  ] as const) {
    devices.accept("aabbccdd", push({ apnsId, collapseId }));
  }
  expect(mailbox.shown.map(({ apnsId }) => apnsId)).toEqual(["2", "3", "4"]);
});

test("a device keeps its newest 100 pushes", () => {
  const devices = new Devices();
  const { mailbox } = devices.describe("aabbccdd", {});
  for (let id = 1; id <= 150; id++) devices.accept("aabbccdd", push({ apnsId: String(id) }));
  expect(mailbox.received).toHaveLength(100);
  expect(mailbox.received[0]?.apnsId).toBe("51");
});

test("a pace counts the pushes of its last milliseconds", () => {
  let nowMs = 0;
  const devices = new Devices(() => nowMs);
  const device = devices.describe("aabbccdd", { pace: { most: 2, withinMs: 1000 } });
  const takes = [0, 500, 999, 1000, 1100, 1500].map((atMs) => {
    nowMs = atMs;
    return devices.isInPace(device);
  });
  expect(takes).toEqual([true, true, false, true, false, true]);
});

test.each([
  ["com.example.demo", "com.example.demo"],
  ["com.example.demo.voip", "com.example.demo"],
  ["com.example.demo.voip-ptt", "com.example.demo"],
  ["com.example.demo.push-type.liveactivity", "com.example.demo"],
  ["com.example.demo.other", "com.example.demo.other"],
])("the app of topic %s is %s", (topic, bundleId) => {
  expect(bundleIdOf(topic)).toBe(bundleId);
});
