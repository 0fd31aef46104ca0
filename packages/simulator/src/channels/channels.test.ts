import { expect, test } from "vitest";
import { Channels } from "./channels.ts";

const app = "com.example.demo";
const nowMs = 1_800_000_000_000;
const broadcast = (requestId: string, more: object = {}) => ({
  ...{ requestId, payload: Buffer.from("{}"), expirationSeconds: nowMs / 1000 + 60, atMs: nowMs },
  ...more,
});

test("an app has 10,000 channels at most, and other apps have theirs", () => {
  const channels = new Channels();
  for (let each = 0; each < 10_000; each++) channels.create(app, "none");
  expect(channels.hasRoom(app)).toBe(false);
  expect(() => channels.create(app, "none")).toThrow(/an app may have 10000/);
  expect(channels.hasRoom("com.example.other")).toBe(true);
  channels.delete(app, channels.list(app)[0] ?? "");
  expect(channels.hasRoom(app)).toBe(true);
});

test("ids are base64 of 16 bytes, and never the same", () => {
  const channels = new Channels();
  const ids = Array.from({ length: 100 }, () => channels.create(app, "none").channelId);
  expect(ids.every((id) => /^[A-Za-z0-9+/]{22}==$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(100);
  expect(channels.list(app)).toEqual(ids);
});

test("a channel belongs to its app, and leaves a trace when it is deleted", () => {
  const channels = new Channels();
  const { channelId } = channels.create(app, "none");
  expect(channels.find("com.example.other", channelId)).toBeUndefined();
  expect(channels.delete("com.example.other", channelId)).toBe(false);
  expect(channels.wasDeleted(app, channelId)).toBe(false);
  expect([channels.delete(app, channelId), channels.delete(app, channelId)]).toEqual([true, false]);
  expect(channels.wasDeleted(app, channelId)).toBe(true);
  expect(channels.find(app, channelId)).toBeUndefined();
});

test("a channel that stores keeps the newest broadcast until it expires, for 8 hours at most", () => {
  let now = nowMs;
  const channels = new Channels(() => now);
  const { channelId } = channels.create(app, "most-recent");
  const stored = () => channels.find(app, channelId)?.stored?.requestId;
  channels.accept(app, channelId, broadcast("first"));
  channels.accept(app, channelId, broadcast("second"));
  channels.accept(app, channelId, broadcast("not kept", { expirationSeconds: 0 }));
  expect(stored()).toBe("second");
  now += 60_000;
  expect(stored()).toBeUndefined();
  channels.accept(app, channelId, broadcast("long", { expirationSeconds: 9e9, atMs: now }));
  now += 8 * 3_600_000 - 1;
  expect(stored()).toBe("long");
  now += 1;
  expect(stored()).toBeUndefined();
  expect(channels.find(app, channelId)?.broadcasts).toBe(4);
});

test("a channel that does not store keeps nothing", () => {
  const channels = new Channels(() => nowMs);
  const { channelId } = channels.create(app, "none");
  channels.accept(app, channelId, broadcast("first"));
  expect(channels.find(app, channelId)).toMatchObject({ broadcasts: 1, stored: undefined });
});

test("an app without the capability loses its channels, and may have it back", () => {
  const channels = new Channels();
  const { channelId } = channels.create(app, "none");
  channels.setCapability(app, "off");
  expect([channels.isCapable(app), channels.list(app)]).toEqual([false, []]);
  expect(channels.wasDeleted(app, channelId)).toBe(true);
  channels.setCapability(app, "on");
  expect(channels.isCapable(app)).toBe(true);
});

test("of deleted channels the newest are remembered", () => {
  const channels = new Channels();
  const first = channels.create(app, "none").channelId;
  channels.delete(app, first);
  for (let each = 0; each < 20_000; each++) channels.delete(app, channels.create(app, "none").channelId);
  expect(channels.wasDeleted(app, first)).toBe(false);
});
