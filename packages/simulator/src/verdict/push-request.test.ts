import { expect, test } from "vitest";
import { readPushRequest } from "./push-request.ts";

const request = (fields: readonly string[]) =>
  readPushRequest({ streamId: 1, fields, body: Buffer.alloc(0), bodyBytes: 7 });

test("Apple's sample request is sorted out", () => {
  const path = "/3/device/00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
  const fields = [":method", "POST", ":path", path, "authorization", "bearer x"];
  fields.push("apns-id", "eabeae54-14a8-11e5-b60b-1697f925ec7b", "apns-push-type", "alert");
  fields.push("apns-expiration", "0", "apns-priority", "10", "apns-topic", "com.example.MyApp");
  fields.push("apns-collapse-id", "score", "content-type", "application/json");
  expect(request(fields)).toEqual({
    method: "POST",
    path,
    deviceToken: "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0",
    authorization: "bearer x",
    apnsId: "eabeae54-14a8-11e5-b60b-1697f925ec7b",
    expiration: "0",
    priority: "10",
    collapseId: "score",
    pushType: "alert",
    topic: "com.example.MyApp",
    duplicate: undefined,
    payloadBytes: 7,
    payload: Buffer.alloc(0),
  });
});

test.each([
  "authorization",
  "apns-id",
  "apns-expiration",
  "apns-priority",
  "apns-collapse-id",
  "apns-push-type",
  "apns-topic",
])("%s twice is a duplicate, even when empty, and the first counts", (name) => {
  expect(request([name, "1", name, "2"]).duplicate).toBe(name);
  expect(request([name, "", name, ""]).duplicate).toBe(name);
  expect(Object.values(request([name, "1", name, "2"]))).toContain("1");
});

test("fields that APNs does not know may come as often as they like", () => {
  expect(request(["x-trace", "1", "x-trace", "2", "cookie", "a", "cookie", "b"]).duplicate).toBeUndefined();
});

test.each([
  ["/3/device/aabb", "aabb"],
  ["/3/device/", ""],
  ["/3/device", ""],
  ["/3/device/..%2f", "..%2f"],
  ["/3/device/aa/bb", undefined],
  ["/3/devices/aa", undefined],
  ["/2/device/aa", undefined],
  ["/3/device?aa", undefined],
  ["/", undefined],
  ["", undefined],
])("the device token in %j is %j", (path, text) => {
  expect(request([":path", path]).deviceToken).toBe(text);
});
