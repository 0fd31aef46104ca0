import { expect, test } from "vitest";
import { prepareNotification } from "./prepare.ts";
import { requestFields } from "./request-fields.ts";

test("the header list is the one of Apple's sample request", () => {
  const prepared = prepareNotification({
    deviceToken: "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0",
    payload: { aps: { alert: "Hello" } },
    apnsId: "eabeae54-14a8-11e5-b60b-1697f925ec7b",
    expiration: 0,
    priority: 10,
    topic: "com.example.MyApp",
    collapseId: "score",
  });
  if (prepared.kind === "refused") throw new Error("refused");
  expect(requestFields(prepared.notification, "api.sandbox.push.apple.com", "bearer a.b.c")).toEqual([
    ...[":method", "POST", ":scheme", "https", ":authority", "api.sandbox.push.apple.com"],
    ...[":path", "/3/device/00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"],
    ...["authorization", "bearer a.b.c", "apns-topic", "com.example.MyApp", "apns-push-type", "alert"],
    ...["apns-id", "eabeae54-14a8-11e5-b60b-1697f925ec7b", "apns-expiration", "0", "apns-priority", "10"],
    ...["apns-collapse-id", "score"],
  ]);
});

test("with a certificate there is no authorization, and absent values write no header", () => {
  const prepared = prepareNotification({ deviceToken: "abcd1234", payload: "{}" });
  if (prepared.kind === "refused") throw new Error("refused");
  const fields = requestFields(prepared.notification, "localhost:8443", undefined);
  const names = fields.filter((_, at) => at % 2 === 0);
  expect(names).toEqual([":method", ":scheme", ":authority", ":path", "apns-push-type", "apns-id"]);
});
