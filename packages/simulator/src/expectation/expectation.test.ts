import { expect, test } from "vitest";
import { History } from "../history/index.ts";
import { expectNoPush, expectPush } from "./expectation.ts";

const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

function record(history: History, payload: unknown, more: object = {}): void {
  history.record({
    ...{ atMs: 0, apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B", deviceToken, topic: "com.example.demo" },
    kind: "push",
    ...{ pushType: "alert", channelId: undefined, status: 200, reason: undefined, answer: "sent" },
    fields: [":method", "POST", "apns-priority", "5"],
    payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    ...{ protocol: "http/2", connection: 1, stream: 1 },
    ...more,
  });
}

const messageOf = (error: unknown): string => (error as Error).message;

test("a push that came already is found, by any of its parts", async () => {
  const history = new History();
  record(history, { aps: { alert: { title: "Bell", body: "rings" }, badge: 1 }, orderId: 7 });
  const found = await expectPush(history, {
    deviceToken: deviceToken.toUpperCase(),
    apnsId: "eabeae54-14a8-11e5-b60b-1697f925ec7b",
    topic: "com.example.demo",
    headers: { "apns-priority": "5" },
    payload: { aps: { alert: { title: "Bell" } } },
  });
  expect(found.sequence).toBe(1);
});

test("a push that comes later is waited for", async () => {
  const history = new History();
  record(history, { aps: { alert: "first" } });
  const waiting = expectPush(history, { payload: { aps: { alert: "second" } } });
  record(history, { aps: { alert: "second" } });
  expect((await waiting).sequence).toBe(2);
});

test("what was refused is no push, unless it is asked for", async () => {
  const history = new History();
  record(history, {}, { status: 410, reason: "Unregistered" });
  await expect(expectPush(history, { deviceToken }, { timeoutMs: 1 })).rejects.toThrow("status");
  expect(await expectPush(history, { reason: "Unregistered" })).toMatchObject({ status: 410 });
});

test("the error shows how the nearest push differs, and no whole device token", async () => {
  const history = new History();
  record(history, { aps: { alert: "x" } }, { topic: "com.example.other", pushType: "voip" });
  record(history, { aps: { alert: { title: "Hello" }, badge: 2 } });
  const expectation = {
    deviceToken,
    topic: "com.example.demo",
    payload: { aps: { alert: { title: "Hi" } } },
  };
  const message = messageOf(await expectPush(history, expectation, { timeoutMs: 1 }).catch((error) => error));
  expect(message.split("\n")).toEqual([
    "No push came within 1 ms that has",
    "  deviceToken: 00fc13ad…e8f0",
    '  topic: "com.example.demo"',
    '  payload: {"aps":{"alert":{"title":"Hi"}}}',
    "  status: 200",
    "2 pushes came. The nearest, number 2, differs:",
    '  payload.aps.alert.title: expected "Hi", found "Hello"',
  ]);
  expect(message).not.toContain(deviceToken);
});

test("the error says when nothing came at all, and when a payload is no JSON", async () => {
  const history = new History();
  const fail = async () =>
    messageOf(await expectPush(history, { payload: { a: 1 } }, { timeoutMs: 1 }).catch((error) => error));
  expect(await fail()).toMatch(/No push came at all\.$/);
  record(history, "junk");
  expect(await fail()).toMatch(/payload: expected \{"a":1\}, found "junk"$/);
});

test("lists are compared whole, members that are there and not expected are not", async () => {
  const history = new History();
  record(history, { aps: { alert: { "loc-args": ["a", "b"] } } });
  await expectPush(history, { payload: { aps: { alert: { "loc-args": ["a", "b"] } } } });
  const shorter = { payload: { aps: { alert: { "loc-args": ["a"] } } } };
  await expect(expectPush(history, shorter, { timeoutMs: 1 })).rejects.toThrow(
    'payload.aps.alert.loc-args: expected ["a"], found ["a","b"]',
  );
});

test("a push that should not be there is shown", () => {
  const history = new History();
  expectNoPush(history, {});
  record(history, { aps: { alert: "Hello" } });
  expectNoPush(history, { pushType: "voip" });
  expect(() => expectNoPush(history, { deviceToken })).toThrow(
    /no push like this, and number 1 is:\n {2}deviceToken: 00fc13ad…e8f0\n {2}status: 200\n {2}payload: .*Hello/,
  );
});
