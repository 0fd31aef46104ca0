import { expect, test } from "vitest";
import { Push } from "./push.ts";

const push = (payload: Buffer): Push =>
  new Push(7, {
    protocol: "http/2",
    atMs: Date.UTC(2026, 0, 1),
    apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B",
    deviceToken: "aabbccdd",
    topic: "com.example.demo",
    pushType: undefined,
    kind: "push",
    channelId: undefined,
    status: 410,
    reason: "Unregistered",
    answer: "sent",
    fields: [":method", "POST", "cookie", "a", "cookie", "b", "__proto__", "x"],
    payload,
    connection: 2,
    stream: 5,
  });

test("is shown in JSON with its headers by name and its payload as it came", () => {
  expect(JSON.parse(JSON.stringify(push(Buffer.from('{"aps":{}}'))))).toEqual({
    sequence: 7,
    kind: "push",
    protocol: "http/2",
    at: "2026-01-01T00:00:00.000Z",
    apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B",
    deviceToken: "aabbccdd",
    topic: "com.example.demo",
    status: 410,
    reason: "Unregistered",
    answer: "sent",
    headers: JSON.parse('{":method":"POST","cookie":"a, b","__proto__":"x"}'),
    payload: '{"aps":{}}',
    connection: 2,
    stream: 5,
  });
});

test("a payload that is no UTF-8 is shown in base64", () => {
  expect(JSON.parse(JSON.stringify(push(Buffer.from([0xff, 0xfe]))))).toMatchObject({
    payloadBase64: "//4=",
  });
});
