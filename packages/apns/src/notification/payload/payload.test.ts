import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ApnsError } from "../../runtime/index.ts";
import type { ApnsPayload } from "../apns-payload.ts";
import { prepareNotification } from "../prepare.ts";
import { type AlertPayloadOptions, alertPayload } from "./alert.ts";
import { liveActivityPayload } from "./live-activity.ts";
import {
  backgroundPayload,
  contentChangedPayload,
  dataPayload,
  fileProviderPayload,
  mdmPayload,
  safariPayload,
  walletPayload,
} from "./special.ts";

function problems(make: () => unknown): Record<string, string> {
  try {
    make();
  } catch (error) {
    if (!(error instanceof ApnsError)) throw error;
    expect(error.code).toBe("bad-notification");
    for (const { field, detail } of error.problems) expect(error.message).toContain(`${field} ${detail}`);
    return Object.fromEntries(error.problems.map(({ field, detail }) => [field, detail]));
  }
  return {};
}

test("every option of an alert becomes Apple's key", () => {
  const payload = alertPayload({
    title: "Order 7",
    subtitle: { locKey: "SUBTITLE" },
    body: { locKey: "LEFT", locArgs: ["Ann", "5"] },
    launchImage: "start.png",
    badge: 3,
    sound: { critical: true, name: "alarm.caf", volume: 0.5 },
    threadId: "orders",
    category: "ORDER",
    contentAvailable: true,
    mutableContent: true,
    targetContentId: "window",
    interruptionLevel: "time-sensitive",
    relevanceScore: 0.7,
    filterCriteria: "work",
    data: { orderId: 7 },
  });
  expect(payload).toEqual({
    aps: {
      alert: {
        title: "Order 7",
        "subtitle-loc-key": "SUBTITLE",
        "loc-key": "LEFT",
        "loc-args": ["Ann", "5"],
        "launch-image": "start.png",
      },
      badge: 3,
      sound: { critical: 1, name: "alarm.caf", volume: 0.5 },
      "thread-id": "orders",
      category: "ORDER",
      "content-available": 1,
      "mutable-content": 1,
      "target-content-id": "window",
      "interruption-level": "time-sensitive",
      "relevance-score": 0.7,
      "filter-criteria": "work",
    },
    orderId: 7,
  });
});

test("only what is given is written", () => {
  expect(JSON.stringify(alertPayload({ body: "Hello" }))).toBe('{"aps":{"alert":"Hello"}}');
  expect(JSON.stringify(alertPayload({ badge: 0 }))).toBe('{"aps":{"badge":0}}');
  expect(JSON.stringify(alertPayload({ title: "A", mutableContent: false }))).toBe(
    '{"aps":{"alert":{"title":"A"}}}',
  );
  expect(alertPayload({ title: { locKey: "A" }, sound: { critical: true } })).toEqual({
    aps: { alert: { "title-loc-key": "A" }, sound: { critical: 1, name: "default" } },
  });
});

test("the three events of a Live Activity have Apple's keys, times in epoch seconds", () => {
  const timestamp = new Date("2026-11-24T12:00:00.900Z");
  expect(
    liveActivityPayload.start({
      timestamp,
      attributesType: "Order",
      attributes: { id: 7 },
      contentState: { minutes: 20 },
      alert: { title: "On its way", body: { locKey: "ETA", locArgs: ["20"] }, sound: "default" },
      inputPushToken: true,
      staleDate: 1_795_525_200,
      relevanceScore: 75,
    }),
  ).toEqual({
    aps: {
      timestamp: 1_795_521_600,
      event: "start",
      "content-state": { minutes: 20 },
      "attributes-type": "Order",
      attributes: { id: 7 },
      "input-push-token": 1,
      "stale-date": 1_795_525_200,
      "relevance-score": 75,
      alert: { title: "On its way", body: { "loc-key": "ETA", "loc-args": ["20"] }, sound: "default" },
    },
  });
  expect(liveActivityPayload.update({ timestamp, contentState: { minutes: 5 }, data: { n: 1 } })).toEqual({
    aps: { timestamp: 1_795_521_600, event: "update", "content-state": { minutes: 5 } },
    n: 1,
  });
  expect(liveActivityPayload.end({ timestamp, dismissalDate: new Date(0) })).toEqual({
    aps: { timestamp: 1_795_521_600, event: "end", "dismissal-date": 0 },
  });
});

test("a Live Activity's time is now unless it is given", () => {
  const before = Math.floor(Date.now() / 1000);
  const timestamp = liveActivityPayload.end().aps?.timestamp ?? 0;
  expect(timestamp).toBeGreaterThanOrEqual(before);
  expect(timestamp).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
});

test("the special payloads are Apple's", () => {
  expect(backgroundPayload()).toEqual({ aps: { "content-available": 1 } });
  expect(backgroundPayload({ sync: "all" })).toEqual({ aps: { "content-available": 1 }, sync: "all" });
  expect(dataPayload({ call: 1 })).toEqual({ aps: {}, call: 1 });
  expect(contentChangedPayload()).toEqual({ aps: { "content-changed": true } });
  expect(mdmPayload("magic")).toEqual({ mdm: "magic" });
  expect(walletPayload()).toEqual({});
  expect(fileProviderPayload({ containerIdentifier: "root", domain: "d" })).toEqual({
    "container-identifier": "root",
    domain: "d",
  });
  expect(safariPayload({ title: "A", body: "B", action: "View", urlArgs: ["a"] })).toEqual({
    aps: { alert: { title: "A", body: "B", action: "View" }, "url-args": ["a"] },
  });
});

const activity = { timestamp: 1, contentState: {} };
const begin = { ...activity, attributesType: "A", attributes: {}, alert: { title: "a", body: "b" } };

test.each<[string, () => unknown, Record<string, RegExp>]>([
  ["an alert of nothing", () => alertPayload({}), { body: /backgroundPayload/ }],
  ["a misspelt option", () => alertPayload({ body: "a", titel: "b" } as never), { titel: /known are title/ }],
  ["no object", () => alertPayload("Hello" as never), { options: /must be an object with any of title/ }],
  ["aps in the data", () => alertPayload({ body: "a", data: { aps: {} } }), { data: /without aps/ }],
  [
    "a relevance in percent",
    () => alertPayload({ body: "a", relevanceScore: 75 }),
    { relevanceScore: /0 to 1/ },
  ],
  [
    "two mistakes at once",
    () => alertPayload({ title: 5 as never, badge: -1, sound: { critical: true, volume: 2 } }),
    { title: /string/, badge: /whole number/, sound: /volume 2; 0 \(silent\) to 1/ },
  ],
  [
    "a quiet critical sound",
    () => alertPayload({ sound: { critical: false } as never }),
    { sound: /critical: true/ },
  ],
  [
    "an unknown level",
    () => alertPayload({ body: "a", interruptionLevel: "loud" as never }),
    { interruptionLevel: /"passive"/ },
  ],
  ["arguments without a key", () => alertPayload({ body: { locArgs: ["a"] } as never }), { body: /locKey/ }],
  [
    "a start without attributes",
    () => liveActivityPayload.start({ ...begin, attributes: undefined } as never),
    { attributes: /to start/ },
  ],
  [
    "a start without an alert",
    () => liveActivityPayload.start({ ...begin, alert: undefined } as never),
    { alert: /to start/ },
  ],
  [
    "an update without a state",
    () => liveActivityPayload.update({ timestamp: 1 } as never),
    { contentState: /new state/ },
  ],
  [
    "an update that dismisses",
    () => liveActivityPayload.update({ ...activity, dismissalDate: 1 } as never),
    { dismissalDate: /event "end"/ },
  ],
  [
    "an update with attributes",
    () => liveActivityPayload.update({ ...begin } as never),
    { attributes: /event "start"/, attributesType: /event "start"/ },
  ],
  [
    "a time in milliseconds",
    () => liveActivityPayload.end({ timestamp: 1_800_000_000_000 }),
    { timestamp: /not milliseconds/ },
  ],
  [
    "an invalid date",
    () => liveActivityPayload.end({ dismissalDate: new Date(Number.NaN) }),
    { dismissalDate: /valid Date/ },
  ],
  [
    "token and channel",
    () => liveActivityPayload.start({ ...begin, inputPushToken: true, inputPushChannel: "a" }),
    { inputPushToken: /contradicts/ },
  ],
  [
    "a text as an alert",
    () => liveActivityPayload.update({ ...activity, alert: "Hello" as never }),
    { alert: /title and body/ },
  ],
  ["no PushMagic", () => mdmPayload(""), { pushMagic: /TokenUpdate/ }],
  ["no container", () => fileProviderPayload({} as never), { containerIdentifier: /string/ }],
  [
    "a website without arguments",
    () => safariPayload({ title: "a", body: "b" } as never),
    { urlArgs: /\[\]/ },
  ],
])("%s is told with its cure", (_, make, expected) => {
  const found = problems(make);
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [field, pattern] of Object.entries(expected)) expect(found[field]).toMatch(pattern);
});

const short = fc.string({ maxLength: 40 });
const text = fc.oneof(
  short,
  fc.record({ locKey: short, locArgs: fc.array(short, { maxLength: 3 }) }, { requiredKeys: ["locKey"] }),
);
const data = fc
  .dictionary(
    short.filter((key) => !["aps", "mdm", "__proto__"].includes(key)),
    fc.oneof(short, fc.integer()),
    { maxKeys: 4 },
  )
  .map((values) => ({ ...values }));
const alertOptions = fc
  .record(
    {
      title: text,
      subtitle: text,
      body: text,
      badge: fc.nat(),
      sound: fc.oneof(
        short,
        fc.record(
          {
            critical: fc.constant(true as const),
            name: short,
            volume: fc.double({ min: 0, max: 1, noNaN: true }),
          },
          { requiredKeys: ["critical"] },
        ),
      ),
      threadId: short,
      category: short,
      launchImage: short,
      contentAvailable: fc.boolean(),
      mutableContent: fc.boolean(),
      targetContentId: short,
      interruptionLevel: fc.constantFrom("passive", "active", "time-sensitive", "critical"),
      relevanceScore: fc.double({ min: 0, max: 1, noNaN: true }),
      filterCriteria: short,
      data,
    },
    { requiredKeys: [] },
  )
  .filter((options) => ["title", "subtitle", "body", "badge", "sound"].some((name) => name in options));
const time = fc.integer({ min: 0, max: 4_000_000_000 });
const common = {
  timestamp: time,
  staleDate: time,
  relevanceScore: fc.double({ noNaN: true, noDefaultInfinity: true }),
  data,
};
const activityAlert = fc.record(
  { title: text, body: text, sound: short },
  { requiredKeys: ["title", "body"] },
);

const apsKeys = [
  ...["alert", "badge", "sound", "thread-id", "category", "content-available", "mutable-content"],
  ...["target-content-id", "interruption-level", "relevance-score", "filter-criteria", "stale-date"],
  ...["content-state", "timestamp", "event", "dismissal-date", "attributes-type", "attributes"],
  ...["input-push-channel", "input-push-token"],
];
const alertKeys = [
  ...["title", "subtitle", "body", "launch-image", "title-loc-key", "title-loc-args", "subtitle-loc-key"],
  ...["subtitle-loc-args", "loc-key", "loc-args", "sound"],
];

/** What every payload of a builder keeps: Apple's keys and no others, and it is sent as it is. */
function expectSendable(payload: ApnsPayload, pushType: string): void {
  for (const key of Object.keys(payload.aps ?? {})) expect(apsKeys).toContain(key);
  const { alert } = payload.aps ?? {};
  if (typeof alert === "object") for (const key of Object.keys(alert)) expect(alertKeys).toContain(key);
  const prepared = prepareNotification(
    { deviceToken: "abcd1234", payload },
    { topic: "com.example.app", sender: { kind: "token" } },
  );
  expect(prepared).toMatchObject({ kind: "prepared", notification: { pushType } });
  if (prepared.kind === "prepared") {
    expect(prepared.notification.payloadBytes).toBeLessThan(4096);
    expect(JSON.parse(prepared.notification.payload as string)).toEqual(JSON.parse(JSON.stringify(payload)));
  }
}

test("whatever alert is made of allowed values, it is sendable and under 4096 bytes", () => {
  fc.assert(
    fc.property(alertOptions, (options) =>
      expectSendable(alertPayload(options as unknown as AlertPayloadOptions), "alert"),
    ),
  );
});

test("whatever Live Activity push is made of allowed values, it is sendable and under 4096 bytes", () => {
  const start = fc.record(
    {
      ...common,
      ...{ attributesType: short, attributes: data, contentState: data, alert: activityAlert },
      inputPushChannel: short,
    },
    { requiredKeys: ["attributesType", "attributes", "contentState", "alert"] },
  );
  const update = fc.record(
    { ...common, contentState: data, alert: activityAlert },
    { requiredKeys: ["contentState"] },
  );
  const end = fc.record(
    { ...common, contentState: data, alert: activityAlert, dismissalDate: time },
    { requiredKeys: [] },
  );
  const one = <T extends object>(make: (options: T) => ApnsPayload, options: fc.Arbitrary<unknown>) =>
    options.map((each) => make(each as T));
  const { start: starting, update: updating, end: ending } = liveActivityPayload;
  fc.assert(
    fc.property(fc.oneof(one(starting, start), one(updating, update), one(ending, end)), (payload) =>
      expectSendable(payload, "liveactivity"),
    ),
  );
});
