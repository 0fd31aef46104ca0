import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkPayload } from "./payload-rules.ts";
import { pushTypes } from "./push-type.ts";

function paths(pushType: string, payload: object): string[] {
  const found: string[] = [];
  checkPayload(payload, pushType, (path) => found.push(path));
  return found;
}

const update = { event: "update", timestamp: 1_800_000_000, "content-state": {} };
const start = {
  ...update,
  ...{ event: "start", "attributes-type": "Order", attributes: {}, alert: { title: "a", body: "b" } },
};

test.each([
  ["alert", { alert: 5 }, "alert"],
  ["alert", { alert: null }, "alert"],
  ["alert", { alert: { "loc-key": "A", "loc-args": [1] } }, "alert"],
  ["alert", { badge: -1 }, "badge"],
  ["alert", { badge: "1" }, "badge"],
  ["alert", { sound: { critical: true } }, "sound"],
  ["alert", { sound: { critical: 1, name: 5 } }, "sound"],
  ["alert", { sound: { critical: 1, volume: 1.1 } }, "sound"],
  ["alert", { sound: { critical: 1, volume: -0.1 } }, "sound"],
  ["alert", { "content-available": true, alert: "a" }, "content-available"],
  ["alert", { "mutable-content": "1" }, "mutable-content"],
  ["alert", { "interruption-level": "loud" }, "interruption-level"],
  ["alert", { "relevance-score": 75 }, "relevance-score"],
  ["alert", { "relevance-score": Number.NaN }, "relevance-score"],
  ["alert", { "thread-id": 5 }, "thread-id"],
  ["alert", { "url-args": ["a", 1] }, "url-args"],
  ["alert", { "content-changed": true }, "content-changed"],
  ["widgets", { "content-changed": 1 }, "content-changed"],
  ["widgets", {}, "content-changed"],
  ["widgets", { "content-changed": true, alert: "a" }, "alert"],
  ["controls", {}, "content-changed"],
  ["background", {}, "content-available"],
  ["background", { "content-available": 0 }, "content-available"],
  ["background", { "content-available": 1, badge: 1 }, "badge"],
  ["liveactivity", { ...update, event: undefined }, "event"],
  ["liveactivity", { ...update, event: "stop" }, "event"],
  ["liveactivity", { ...update, timestamp: undefined }, "timestamp"],
  ["liveactivity", { ...update, timestamp: 1_800_000_000_000 }, "timestamp"],
  ["liveactivity", { ...update, "content-state": undefined }, "content-state"],
  ["liveactivity", { ...update, "content-state": [] }, "content-state"],
  ["liveactivity", { ...update, "dismissal-date": 1 }, "dismissal-date"],
  ["liveactivity", { ...update, attributes: {} }, "attributes"],
  ["liveactivity", { ...update, "stale-date": 1.5 }, "stale-date"],
  ["liveactivity", { ...start, "attributes-type": undefined }, "attributes-type"],
  ["liveactivity", { ...start, attributes: undefined }, "attributes"],
  ["liveactivity", { ...start, alert: undefined }, "alert"],
  ["liveactivity", { ...start, "content-state": undefined }, "content-state"],
  ["liveactivity", { ...start, "input-push-token": true }, "input-push-token"],
  ["liveactivity", { ...start, "input-push-token": 1, "input-push-channel": "a" }, "input-push-token"],
])("%s: %j is told at %s", (pushType, aps, key) => {
  expect(paths(pushType, { aps })).toEqual([`aps.${key}`]);
});

test.each([
  ["alert", {}],
  ["alert", { aps: { alert: "a", badge: 0, sound: "default", "relevance-score": 1, mine: [null] } }],
  ["alert", { aps: { alert: { title: "a" }, sound: { critical: 1, name: "a", volume: 0 } }, mine: 1 }],
  ["alert", { aps: { alert: undefined, badge: 1, "mutable-content": 0 } }],
  ["background", { aps: { "content-available": 1, "thread-id": "a" }, mine: 1 }],
  ["liveactivity", { aps: start }],
  ["liveactivity", { aps: { ...start, "input-push-channel": "a" } }],
  ["liveactivity", { aps: { ...update, "relevance-score": -75 } }],
  ["liveactivity", { aps: { event: "end", timestamp: 1, "dismissal-date": 0 } }],
  ["mdm", { mdm: "magic" }],
  ["fileprovider", { "container-identifier": "a", domain: "b" }],
  ["voip", { aps: {}, call: 1 }],
  ["future", { aps: { event: "party" } }],
])("%s: %j has nothing to tell", (pushType, payload) => {
  expect(paths(pushType, payload)).toEqual([]);
});

test("what stands outside aps is told by its own path", () => {
  expect(paths("mdm", { mdm: 5 })).toEqual(["mdm"]);
  expect(paths("mdm", { mdm: "magic", aps: {} })).toEqual(["mdm"]);
  expect(paths("fileprovider", {})).toEqual(["container-identifier"]);
  expect(paths("alert", { aps: "Hello" })).toEqual(["aps"]);
  expect(paths("alert", { aps: [] })).toEqual(["aps"]);
});

test("arbitrary JSON under any push type is told about, never an exception", () => {
  const pushType = fc.constantFrom(...Object.keys(pushTypes), "future");
  const aps = fc.dictionary(
    fc.constantFrom("alert", "badge", "sound", "event", "timestamp", "content-state", "url-args", "x"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(pushType, fc.oneof(aps, fc.jsonValue()), (type, value) => {
      for (const path of paths(type, { aps: value })) expect(path).toMatch(/^(aps|mdm|container-identifier)/);
    }),
  );
});
