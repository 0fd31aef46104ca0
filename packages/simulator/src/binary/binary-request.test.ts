import { expect, test } from "vitest";
import { asPushRequest, frameFields } from "./binary-request.ts";

const topic = "com.example.demo";
const notification = (payload: string | object, more: object = {}) => ({
  deviceToken: Buffer.from("00AAff", "hex"),
  payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
  ...more,
});

test("a frame means the request that says the same: its token in lower case, expiration and priority as texts", () => {
  const payload = '{"aps":{"alert":"ä"}}';
  const more = { identifier: 9, expirationSeconds: 4_000_000_000, priority: 5 };
  expect(asPushRequest(notification(payload, more), topic)).toMatchObject({
    ...{ path: "/3/device/00aaff", deviceToken: "00aaff", topic, pushType: "alert" },
    ...{ expiration: "4000000000", priority: "5", payloadBytes: 22 },
    payload: Buffer.from(payload),
  });
  expect(asPushRequest(notification("{}", { expirationSeconds: 0 }), topic).expiration).toBe("0");
});

test("what a frame says nothing about, its request does not have", () => {
  const request = asPushRequest(notification("{}"), undefined);
  for (const name of ["expiration", "priority", "apnsId", "collapseId", "authorization", "topic"] as const)
    expect(request[name]).toBeUndefined();
});

test.each<[type: string, topic: string | undefined, payload: string | object]>([
  ["voip", "com.example.demo.voip", { aps: { "content-available": 1 } }],
  ["voip", "com.example.demo.voip", "no JSON"],
  ["mdm", "com.apple.mgmt.External.1", { mdm: "magic" }],
  ["background", topic, { aps: { "content-available": 1 } }],
  ["background", undefined, { aps: { "content-available": 1 }, data: 1 }],
  ["alert", topic, { aps: { "content-available": 1, alert: "x" } }],
  ["alert", topic, { aps: { "content-available": 1, badge: 0 } }],
  ["alert", topic, { aps: { "content-available": 1, sound: "x" } }],
  ["alert", topic, { aps: { "content-available": 0 } }],
  ["alert", topic, { aps: [] }],
  ["alert", topic, "[1]"],
  ["alert", topic, "null"],
  ["alert", topic, "no JSON"],
])("the push type is %s for the topic %s and the payload %j", (type, of, payload) => {
  expect(asPushRequest(notification(payload), of).pushType).toBe(type);
});

test("the history's fields name the command, and of the rest what there is", () => {
  expect(frameFields(0, notification("{}"))).toEqual(["binary-command", "0"]);
  const all = { identifier: 0, expirationSeconds: 0, priority: 10 };
  expect(frameFields(2, notification("{}", all))).toEqual([
    ...["binary-command", "2", "binary-identifier", "0"],
    ...["apns-expiration", "0", "apns-priority", "10"],
  ]);
});
