import { randomUUID } from "node:crypto";
import { loadProviderKey, pushTypes, rejectionReasons, signProviderToken } from "@carillon/apns";
import { expect, test } from "vitest";
import type { PushCertificate } from "../credentials/index.ts";
import { makeProviderKey, type ProviderKeyScope } from "../credentials/provider-key.ts";
import { Devices } from "../devices/devices.ts";
import { type Assumptions, strictAssumptions, usualAssumptions } from "./assumptions.ts";
import { judge, type Verdict } from "./judge.ts";
import { ProviderTokenSession } from "./provider-token-session.ts";
import { ProviderTokens } from "./provider-tokens.ts";
import { readPushRequest } from "./push-request.ts";
import type { Sender } from "./sender.ts";

const nowMs = 1_800_000_000_000;
const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const [key, stranger] = [makeProviderKey(), makeProviderKey()];

function bearer(signer = key, ageMinutes = 0): string {
  const { keyId, teamId } = signer;
  const issuedAtSeconds = nowMs / 1000 - ageMinutes * 60;
  return `bearer ${signProviderToken(loadProviderKey(signer.key), { keyId, teamId, issuedAtSeconds })}`;
}

interface Ask {
  readonly method?: string;
  readonly path?: string;
  /** Replaces or, as undefined, removes a field of Apple's sample request. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly extra?: readonly string[];
  readonly payloadBytes?: number;
  readonly sender?: Sender;
  readonly devices?: Devices;
  readonly assumptions?: Partial<Assumptions>;
  readonly payload?: string;
  readonly idleMs?: number;
}

function tokenSender(scope: ProviderKeyScope = {}): Sender {
  return { kind: "token", session: new ProviderTokenSession(new ProviderTokens([{ ...key, ...scope }])) };
}

function certificateFor(...topics: readonly string[]): Sender {
  const certificate: PushCertificate = { mainTopic: topics[0], topics, environments: [] };
  return { kind: "certificate", certificate };
}

const authorization = bearer();

function ask(request: Ask = {}): Verdict {
  const fields = {
    authorization,
    "apns-id": "eabeae54-14a8-11e5-b60b-1697f925ec7b",
    "apns-push-type": "alert",
    "apns-expiration": "0",
    "apns-priority": "10",
    "apns-topic": "com.example.MyApp",
    ...request.fields,
  };
  const list = [":method", request.method ?? "POST", ":path", request.path ?? `/3/device/${deviceToken}`];
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) list.push(name, value);
  list.push(...(request.extra ?? []));
  const push = readPushRequest({
    streamId: 1,
    fields: list,
    body: Buffer.from(request.payload ?? '{"aps":{"alert":"Hello"}}'),
    bodyBytes: request.payloadBytes ?? 25,
  });
  const court = {
    nowMs,
    environment: "sandbox",
    devices: request.devices ?? new Devices(),
    assumptions: { ...usualAssumptions, ...request.assumptions },
    serviceRefusal: undefined,
    idleMs: request.idleMs ?? 0,
  } as const;
  return judge(push, request.sender ?? tokenSender(), court);
}

const reasonOf = (request: Ask): string | undefined => ask(request).refusal?.reason;

test("Apple's sample request is accepted", () => {
  expect(ask()).toEqual({
    apnsId: "eabeae54-14a8-11e5-b60b-1697f925ec7b",
    refusal: undefined,
    rule: undefined,
    isAuthenticated: true,
  });
});

const gone = new Devices();
gone.unregister(deviceToken, 5);
const expired = new Devices();
expired.unregister(deviceToken, 5, "ExpiredToken");

/** An honest request for every reason that one request to the device API can bring about by itself. */
const requests: Readonly<Record<string, Ask>> = {
  BadCollapseId: { fields: { "apns-collapse-id": "x".repeat(65) } },
  BadDeviceToken: { path: "/3/device/nothex" },
  BadExpirationDate: { fields: { "apns-expiration": "tomorrow" } },
  BadMessageId: { fields: { "apns-id": "eabeae54" } },
  BadPriority: { fields: { "apns-priority": "11" } },
  BadTopic: { fields: { "apns-topic": "com/example" } },
  DuplicateHeaders: { extra: ["apns-push-type", "alert"] },
  InvalidPushType: { fields: { "apns-push-type": "Alert" } },
  MissingDeviceToken: { path: "/3/device/" },
  MissingTopic: { fields: { "apns-topic": undefined } },
  PayloadEmpty: { payloadBytes: 0 },
  TopicDisallowed: { sender: tokenSender({ topics: ["com.example.OtherApp"] }) },
  BadCertificate: { sender: { kind: "bad-certificate" } },
  ExpiredProviderToken: { fields: { authorization: bearer(key, 61) } },
  InvalidProviderToken: { fields: { authorization: bearer(stranger) } },
  MissingProviderToken: { fields: { authorization: undefined } },
  BadPath: { path: "/3/devices" },
  MethodNotAllowed: { method: "GET" },
  ExpiredToken: { devices: expired },
  Unregistered: { devices: gone },
  PayloadTooLarge: { payloadBytes: 4097 },
};

test.each(Object.entries(requests))("%s", (reason, request) => {
  expect(reasonOf(request)).toBe(reason);
  expect(rejectionReasons).toHaveProperty(reason);
});

test("a 410 says since when", () => {
  expect(ask({ devices: gone }).refusal).toEqual({ reason: "Unregistered", goneSinceMs: 5 });
});

test("of two faults the one that is checked first decides", () => {
  const order = [
    "MethodNotAllowed",
    "BadPath",
    "MissingProviderToken",
    "DuplicateHeaders",
    "BadMessageId",
    "BadExpirationDate",
    "BadPriority",
    "BadCollapseId",
    "InvalidPushType",
    "MissingTopic",
    "PayloadEmpty",
    "MissingDeviceToken",
  ];
  for (const [place, first] of order.entries()) {
    for (const second of order.slice(place + 1)) {
      const [a, b] = [requests[first]!, requests[second]!];
      const both = { ...b, ...a, fields: { ...b.fields, ...a.fields } };
      // These two are faults of one value.
      if (first === "BadPath" && second === "MissingDeviceToken") continue;
      expect([first, second, reasonOf(both)]).toEqual([first, second, first]);
    }
  }
});

test("a request is authenticated when its sender is proved, refused or not", () => {
  for (const reason of ["BadMessageId", "PayloadEmpty", "Unregistered", "BadTopic"]) {
    expect(ask(requests[reason]).isAuthenticated).toBe(true);
  }
  for (const reason of ["MethodNotAllowed", "BadPath", "InvalidProviderToken", "MissingProviderToken"]) {
    expect(ask(requests[reason]).isAuthenticated).toBe(false);
  }
});

test("an id of the sender's comes back as it was, in its own case; one made here is in upper case", () => {
  const id = randomUUID();
  expect(ask({ fields: { "apns-id": id } }).apnsId).toBe(id);
  expect(ask({ fields: { "apns-id": id.toUpperCase() } }).apnsId).toBe(id.toUpperCase());
  for (const none of [undefined, "eabeae54"]) {
    expect(ask({ fields: { "apns-id": none } }).apnsId).toMatch(
      /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/,
    );
  }
});

test.each<[string, string | undefined, string | undefined]>([
  ["apns-collapse-id", "x".repeat(64), undefined],
  ["apns-collapse-id", "", undefined],
  ["apns-expiration", undefined, undefined],
  ["apns-expiration", "0", undefined],
  ["apns-expiration", "1900000000", undefined],
  ["apns-expiration", "-1", "BadExpirationDate"],
  ["apns-expiration", "1.5", "BadExpirationDate"],
  ["apns-expiration", "", "BadExpirationDate"],
  ["apns-priority", undefined, undefined],
  ["apns-priority", "10", undefined],
  ["apns-priority", "5", undefined],
  ["apns-priority", "1", undefined],
  ["apns-priority", "0", "BadPriority"],
  ["apns-priority", "010", "BadPriority"],
  ["apns-priority", "high", "BadPriority"],
  ["apns-push-type", undefined, undefined],
  ["apns-push-type", "", "InvalidPushType"],
  ["apns-push-type", "toString", "InvalidPushType"],
  ["apns-topic", "", "BadTopic"],
  ["apns-topic", "x".repeat(256), "BadTopic"],
])("%s: %j is %j", (name, value, reason) => {
  expect(reasonOf({ fields: { [name]: value } })).toBe(reason);
});

test.each(Object.entries(pushTypes))(
  "%s goes to its own topic, with a payload up to its limit",
  (pushType, rule) => {
    const priorities = rule.priorities as readonly number[];
    const priority = String(priorities[0]);
    const fields = { "apns-push-type": pushType, "apns-priority": priority };
    const topic = `com.example.MyApp${rule.topicSuffix}`;
    expect(reasonOf({ fields: { ...fields, "apns-topic": topic } })).toBeUndefined();
    expect(
      reasonOf({
        fields: { ...fields, "apns-topic": topic },
        sender: tokenSender({ topics: ["com.example.MyApp"] }),
      }),
    ).toBeUndefined();
    if (rule.topicSuffix !== "") expect(reasonOf({ fields })).toBe("TopicDisallowed");
    const full = { fields: { ...fields, "apns-topic": topic }, payloadBytes: rule.payloadLimitBytes };
    expect(reasonOf(full)).toBeUndefined();
    expect(reasonOf({ ...full, payloadBytes: rule.payloadLimitBytes + 1 })).toBe("PayloadTooLarge");
    for (const each of [10, 5, 1]) {
      const expected = priorities.includes(each) ? undefined : "BadPriority";
      expect(reasonOf({ fields: { ...fields, "apns-topic": topic, "apns-priority": String(each) } })).toBe(
        expected,
      );
    }
  },
);

test("a certificate needs no provider token, and none is looked at", () => {
  const sender = certificateFor("com.example.MyApp");
  expect(reasonOf({ sender, fields: { authorization: undefined } })).toBeUndefined();
  expect(reasonOf({ sender, fields: { authorization: "nonsense" } })).toBeUndefined();
});

test("a certificate for one topic stands for it; one for several must be told which", () => {
  const fields = { "apns-topic": undefined };
  expect(reasonOf({ sender: certificateFor("com.example.MyApp"), fields })).toBeUndefined();
  expect(reasonOf({ sender: certificateFor("com.example.MyApp", "com.example.MyApp.voip"), fields })).toBe(
    "MissingTopic",
  );
});

test("a certificate reaches the topics that it lists, and its main topic's suffixes", () => {
  const sender = certificateFor("com.example.MyApp", "com.example.MyApp.voip");
  const reason = (topic: string, pushType: string): string | undefined =>
    reasonOf({ sender, fields: { "apns-topic": topic, "apns-push-type": pushType } });
  expect(reason("com.example.MyApp", "alert")).toBeUndefined();
  expect(reason("com.example.MyApp.voip", "voip")).toBeUndefined();
  expect(reason("com.example.MyApp.complication", "complication")).toBeUndefined();
  expect(reason("com.example.Other", "alert")).toBe("TopicDisallowed");
  expect(reason("com.example.Other.voip", "voip")).toBe("TopicDisallowed");
  expect(reason("com.example.MyApp.location-query", "location")).toBe("TopicDisallowed");
});

test("a key for some topics reaches these, with every suffix, and no others", () => {
  const reason = (topic: string): string | undefined =>
    reasonOf({
      sender: tokenSender({ topics: ["com.example.MyApp"] }),
      fields: { "apns-topic": topic, "apns-push-type": undefined },
    });
  expect(reason("com.example.MyApp")).toBeUndefined();
  expect(reason("com.example.MyApp.voip")).toBeUndefined();
  expect(reason("com.example.MyAppendix")).toBe("TopicDisallowed");
  expect(reason("com.example.MyApp.other")).toBe("TopicDisallowed");
});

test("a device has its environment, its app and its pace", () => {
  const devices = new Devices(() => nowMs);
  devices.describe(deviceToken, { environment: "production" });
  expect(reasonOf({ devices })).toBe("BadDeviceToken");
  devices.describe(deviceToken, { environment: "sandbox", topic: "com.example.Other" });
  expect(reasonOf({ devices })).toBe("DeviceTokenNotForTopic");
  devices.describe(deviceToken, { topic: "com.example.MyApp", pace: { most: 2, withinMs: 1000 } });
  expect([1, 2, 3].map(() => reasonOf({ devices }))).toEqual([undefined, undefined, "TooManyRequests"]);
});

const visible = '{"aps":{"alert":"Hello"}}';
const silent = '{"aps":{"content-available":1}}';
const update = '{"aps":{"timestamp":1,"event":"update","content-state":{}}}';

test.each<[string, Ask, Partial<Assumptions>, string | undefined]>([
  ["JSON that is none", { payload: "{" }, { badJson: "BadRequestPayload" }, "BadRequestPayload"],
  ["a list for a payload", { payload: "[]" }, { badJson: "BadRequestPayload" }, "BadRequestPayload"],
  ["an object for a payload", { payload: "{}" }, { badJson: "BadRequestPayload" }, undefined],
  [
    "no push type",
    { fields: { "apns-push-type": undefined } },
    { missingPushType: "MissingPushType" },
    "MissingPushType",
  ],
  [
    "a background push at 10",
    { fields: { "apns-push-type": "background" } },
    { backgroundAtPriority10: "accept" },
    undefined,
  ],
  [
    "a topic outside the certificate",
    { sender: certificateFor("com.example.Other") },
    { topicOutsideCertificate: "BadTopic" },
    "BadTopic",
  ],
  [
    "a Live Activity by certificate",
    {
      sender: certificateFor("com.example.MyApp"),
      fields: { "apns-push-type": "liveactivity", "apns-topic": "com.example.MyApp.push-type.liveactivity" },
    },
    { liveActivityByCertificate: "TopicDisallowed" },
    "TopicDisallowed",
  ],
  ["a pause", { idleMs: 2 }, { idleTimeoutMs: 1, idleTimeoutBy: "answer" }, "IdleTimeout"],
  ["a short pause", { idleMs: 1 }, { idleTimeoutMs: 1, idleTimeoutBy: "answer" }, undefined],
  ["a pause that GOAWAY is for", { idleMs: 2 }, { idleTimeoutMs: 1 }, undefined],
])("as assumed: %s", (_, request, assumptions, reason) => {
  expect(reasonOf({ ...request, assumptions })).toBe(reason);
});

test.each<[string, string, string, boolean]>([
  ["alert", "", visible, true],
  ["alert", "", silent, false],
  ["background", "", silent, true],
  ["background", "", '{"aps":{"content-available":1,"badge":1}}', false],
  ["background", "", visible, false],
  ["controls", ".push-type.controls", '{"aps":{"content-changed":true}}', true],
  ["controls", ".push-type.controls", "{}", false],
  ["widgets", ".push-type.widgets", '{"aps":{"content-changed":true}}', true],
  ["widgets", ".push-type.widgets", '{"aps":{"content-changed":true,"alert":"x"}}', false],
  ["liveactivity", ".push-type.liveactivity", update, true],
  ["liveactivity", ".push-type.liveactivity", '{"aps":{"timestamp":1,"event":"end"}}', true],
  [
    "liveactivity",
    ".push-type.liveactivity",
    '{"aps":{"timestamp":1,"event":"start","content-state":{}}}',
    false,
  ],
  [
    "liveactivity",
    ".push-type.liveactivity",
    '{"aps":{"timestamp":1,"event":"start","content-state":{},"attributes-type":"A","attributes":{},"alert":{}}}',
    true,
  ],
  ["liveactivity", ".push-type.liveactivity", '{"aps":{"event":"end"}}', false],
  ["mdm", "", '{"mdm":"magic"}', true],
  ["mdm", "", '{"mdm":"magic","aps":{}}', false],
  ["voip", ".voip", "{}", true],
])("strict judgement of a payload: %s%s %s is taken: %s", (pushType, suffix, payload, isTaken) => {
  const fields = {
    "apns-push-type": pushType,
    "apns-topic": `com.example.MyApp${suffix}`,
    "apns-priority": "5",
  };
  expect(reasonOf({ fields, payload, assumptions: { ...strictAssumptions, mdmByToken: "accept" } })).toBe(
    isTaken ? undefined : "BadRequestPayload",
  );
  expect(reasonOf({ fields, payload })).toBeUndefined();
});

test("rules may be asked in another order", () => {
  const both = { method: "GET", fields: { "apns-id": "x" } };
  expect(reasonOf(both)).toBe("MethodNotAllowed");
  expect(reasonOf({ ...both, assumptions: { order: "pushy" } })).toBe("BadMessageId");
  for (const [reason, request] of Object.entries(requests)) {
    // Before authentication nothing is known of a key's topics.
    if (reason === "TopicDisallowed") continue;
    expect(reasonOf({ ...request, assumptions: { order: "pushy" } })).toBe(reason);
  }
});

test("device tokens may be of any even length from 8 digits on, in either case", () => {
  for (const path of [
    "/3/device/00ABcdef",
    `/3/device/${"ab".repeat(80)}`,
    `/3/device/${"AB".repeat(100)}`,
  ]) {
    expect(reasonOf({ path })).toBeUndefined();
  }
  for (const path of [
    "/3/device/00abcde",
    "/3/device/aaaaaa",
    `/3/device/${"ab".repeat(101)}`,
    "/3/device/%61a",
  ]) {
    expect(reasonOf({ path })).toBe("BadDeviceToken");
  }
});

test("a device that left is known in either case", () => {
  expect(reasonOf({ devices: gone, path: `/3/device/${deviceToken.toUpperCase()}` })).toBe("Unregistered");
});
