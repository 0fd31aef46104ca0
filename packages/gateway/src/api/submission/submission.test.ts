import { expect, test } from "vitest";
import type { App } from "../../apps/index.ts";
import type { NotificationDraft } from "../../delivery/index.ts";
import { demoConfig, deviceToken } from "../api.test-support.ts";
import type { FieldProblem } from "../contract/answers.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { type Entry, readSubmission } from "./submission.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const app: App = { config: demoConfig, environments: ["production", "sandbox"] };
const to = { token: deviceToken };
const alert = "Hello";

function read(body: unknown, of: App = app): readonly Entry[] {
  return readSubmission(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), of, nowMs)
    .entries;
}

/** The draft of a single notification. */
function draftOf(extra: object, of: App = app): NotificationDraft {
  const [entry] = read({ to, alert, ...extra }, of);
  if (entry?.kind !== "valid") throw new Error("not valid");
  return entry.draft;
}

function refusalOf(body: unknown, of: App = app): ApiProblem {
  try {
    read(body, of);
  } catch (error) {
    if (error instanceof ApiProblem) return error;
    throw error;
  }
  throw new Error("was taken");
}

/** Pointer and detail of everything that is wrong. */
function problemsOf(body: unknown, of: App = app): Record<string, string> {
  const { body: problem } = refusalOf(body, of);
  expect(problem.errors.length).toBeGreaterThan(0);
  return Object.fromEntries(problem.errors.map(({ pointer, detail }: FieldProblem) => [pointer, detail]));
}

function payloadOf(body: unknown): string {
  const [entry] = read(body);
  return entry?.kind === "valid" ? Buffer.from(entry.draft.payload).toString() : "";
}

test("the least that can be said becomes a whole draft", () => {
  expect(draftOf({})).toEqual({
    deviceTokens: [deviceToken],
    payload: Buffer.from('{"aps":{"alert":"Hello"}}'),
    topic: "com.example.demo",
    pushType: "alert",
    lane: "normal",
    delivery: "at-least-once",
    environment: "sandbox",
  });
});

test("everything that can be said arrives in the draft", () => {
  const draft = draftOf({
    topic: "com.example.other",
    pushType: "alert",
    priority: 5,
    expiresAt: "2026-12-01T00:00:00Z",
    collapseId: "news",
    apnsId: "123E4567-E89B-12D3-A456-426614174000",
    sendAt: "2026-11-30T00:00:00Z",
    lane: "bulk",
    delivery: "at-most-once",
    environment: "production",
    registeredAt: "2026-01-01T00:00:00Z",
    reference: "order 7",
  });
  expect(draft).toMatchObject({
    topic: "com.example.other",
    pushType: "alert",
    priority: 5,
    expirationSeconds: Date.UTC(2026, 11, 1) / 1_000,
    collapseId: "news",
    apnsId: "123e4567-e89b-12d3-a456-426614174000",
    dueAtMs: Date.UTC(2026, 10, 30),
    lane: "bulk",
    delivery: "at-most-once",
    environment: "production",
    reference: "order 7",
    registeredAtMs: Date.UTC(2026, 0, 1),
  });
});

test("Apple's own form goes out byte for byte", () => {
  const payload = '{ "aps" : {"alert":"\\u00e9\\/"},\n "n": 1.0e2, "big": 12345678901234567890 }';
  expect(payloadOf(`{"to":{"token":"${deviceToken}"},"payload":${payload}}`)).toBe(payload);
  expect(payloadOf(`{"notifications":[{"payload":${payload},"to":{"token":"${deviceToken}"}}]}`)).toBe(
    payload,
  );
});

test("device tokens are taken in either case and sent in lower case", () => {
  expect(draftOf({ to: { token: deviceToken.toUpperCase() } }).deviceTokens).toEqual([deviceToken]);
});

test("push type, priority and topic are told from the rest", () => {
  expect(draftOf({ alert: undefined, contentAvailable: true })).toMatchObject({
    pushType: "background",
    priority: 5,
  });
  expect(draftOf({ pushType: "voip" }).topic).toBe("com.example.demo.voip");
  expect(draftOf({ topic: "com.example.demo.voip" }).pushType).toBe("voip");
});

test("a push type that Apple may have added is passed on", () => {
  expect(draftOf({ pushType: "hologram" }).pushType).toBe("hologram");
});

test("ttl counts from now, or from sendAt, and 0 stays 0", () => {
  expect(draftOf({ ttl: 60 }).expirationSeconds).toBe(nowMs / 1_000 + 60);
  expect(draftOf({ ttl: 60, sendAt: "2026-11-25T00:00:00Z" }).expirationSeconds).toBe(
    Date.UTC(2026, 10, 25) / 1_000 + 60,
  );
  expect(draftOf({ ttl: 60, sendAt: "2020-01-01T00:00:00Z" }).expirationSeconds).toBe(nowMs / 1_000 + 60);
  expect(draftOf({ ttl: 0 }).expirationSeconds).toBe(0);
});

test.each([
  ["4096 bytes", "alert", 4_096],
  ["5120 bytes of a VoIP push", "voip", 5_120],
])("a payload may have %s and not one more, counted as bytes", (_name, pushType, limit) => {
  const room = limit - '{"aps":{"alert":"é"}}'.length - 1;
  const of = (letters: number): object => ({
    to,
    pushType,
    payload: { aps: { alert: `é${"x".repeat(letters)}` } },
  });
  expect(Buffer.byteLength(payloadOf(of(room)))).toBe(limit);
  expect(problemsOf(of(room + 1))["/payload"]).toBe(
    `The payload is ${limit + 1} bytes; APNs takes ${limit}: shorten it, or let the app fetch the rest.`,
  );
});

test("spaces in Apple's own form count, for they are sent", () => {
  const padded = `{"to":{"token":"${deviceToken}"},"payload":{"aps":{"alert":"x"}${" ".repeat(4_096)}}}`;
  expect(problemsOf(padded)["/payload"]).toMatch(/4\d{3} bytes; APNs takes 4096/);
});

const bad: readonly (readonly [string, object, string, RegExp])[] = [
  ["an odd number of hex digits", { to: { token: "abcdef012" } }, "/to/token", /9 hex digits, an odd number/],
  [
    "a letter that is no hex digit",
    { to: { token: "abcdefg0" } },
    "/to/token",
    /Character 7 .* no hex digit/,
  ],
  ["a token that is too short", { to: { token: "abcd" } }, "/to/token", /8 to 200/],
  ["a token that is too long", { to: { token: "ab".repeat(101) } }, "/to/token", /8 to 200/],
  ["an empty token", { to: { token: "" } }, "/to/token", /empty/],
  ["one bad token among many", { to: { tokens: [deviceToken, "zz"] } }, "/to/tokens/1", /no hex digit/],
  ["no tokens", { to: { tokens: [] } }, "/to/tokens", /at least one/],
  ["token and tokens", { to: { token: deviceToken, tokens: [deviceToken] } }, "/to", /Only one of/],
  ["nobody", { to: {} }, "/to", /must name one of token or tokens/],
  ["both forms", { payload: { aps: {} } }, "/payload", /stands beside alert/],
  [
    "a payload that is text",
    { alert: undefined, payload: "{}" },
    "/payload",
    /must be an object, not a string/,
  ],
  ["data with Apple's key", { data: { aps: {} } }, "/data/aps", /Apple's/],
  [
    "background with a priority of 10",
    { alert: undefined, contentAvailable: true, priority: 10 },
    "/priority",
    /5 or 1 for background/,
  ],
  [
    "background with an alert",
    { pushType: "background" },
    "",
    /aps.alert: has no place in a background push/,
  ],
  ["a priority that is none", { priority: 7 }, "/priority", /must be 10, 5 or 1/],
  ["a topic with a line break", { topic: "com.example\r\nx: y" }, "/topic", /printable ASCII/],
  [
    "a topic without the suffix",
    { pushType: "voip", topic: "com.example.demo" },
    "/topic",
    /must end in .voip/,
  ],
  ["a push type in capitals", { pushType: "Alert" }, "/pushType", /Did you mean "alert"/],
  ["a push type that is no word", { pushType: "a b" }, "/pushType", /one word/],
  ["a collapse id of 65 bytes", { collapseId: "x".repeat(65) }, "/collapseId", /65 bytes; APNs takes 64/],
  ["a collapse id with a line break", { collapseId: "a\nb" }, "/collapseId", /printable/],
  ["an apnsId that is no UUID", { apnsId: "1" }, "/apnsId", /must be a UUID/],
  [
    "an apnsId for two",
    { to: { tokens: [deviceToken, "cd".repeat(32)] }, apnsId: "123e4567-e89b-12d3-a456-426614174000" },
    "/apnsId",
    /one recipient only/,
  ],
  ["ttl beside expiresAt", { ttl: 1, expiresAt: "2026-12-01T00:00:00Z" }, "/ttl", /beside expiresAt/],
  ["a time that is over", { expiresAt: "2026-11-24T12:00:00Z" }, "/expiresAt", /over/],
  [
    "an end before the start",
    { expiresAt: "2026-11-25T00:00:00Z", sendAt: "2026-11-26T00:00:00Z" },
    "/expiresAt",
    /before sendAt/,
  ],
  ["a time without offset", { sendAt: "2026-11-25T00:00:00" }, "/sendAt", /offset/],
  ["a time as a number", { expiresAt: 1_796_000_000 }, "/expiresAt", /must be a string, not a number/],
  ["a day that does not exist", { registeredAt: "2026-02-30T00:00:00Z" }, "/registeredAt", /must be a time/],
  ["a registration that is yet to come", { registeredAt: "2026-11-26T12:00:00Z" }, "/registeredAt", /ahead/],
  [
    "a registration before there was a day",
    { registeredAt: "1969-12-31T23:59:59Z" },
    "/registeredAt",
    /1970/,
  ],
  ["more than a year ahead", { sendAt: "2028-01-01T00:00:00Z" }, "/sendAt", /more than a year/],
  ["a lane that is none", { lane: "express" }, "/lane", /"urgent", "normal" or "bulk"/],
  ["a delivery that is none", { delivery: "once" }, "/delivery", /"at-least-once" or "at-most-once"/],
  ["a negative badge", { badge: -1 }, "/badge", /out of range/],
  ["a badge as text", { badge: "1" }, "/badge", /whole number, not a string/],
  ["a reference of 257 letters", { reference: "r".repeat(257) }, "/reference", /at most 256/],
  ["a key with a slip", { colapseId: "x" }, "/colapseId", /Did you mean "collapseId"/],
  ["a key in another spelling", { "collapse-id": "x" }, "/collapse-id", /Did you mean "collapseId"/],
  ["a key that stands elsewhere", { title: "x" }, "/title", /Did you mean "alert": \{"title"/],
  ["a key of the alert with a slip", { alert: { titel: "x" } }, "/alert/titel", /Did you mean "title"/],
];

test.each(bad)("refuses %s, says where and what to do", (_name, extra, pointer, detail) => {
  const body = JSON.parse(JSON.stringify({ to, alert, ...extra }));
  expect(refusalOf(body).status).toBe(422);
  expect(problemsOf(body)[pointer]).toMatch(detail);
});

test("tells all problems at once, those of names, types and contents", () => {
  const pointers = Object.keys(
    problemsOf({
      to: { token: "abc" },
      alert: 5,
      badge: -1,
      prioritty: 10,
      collapseId: "x".repeat(65),
      expiresAt: "soon",
    }),
  );
  expect(pointers.sort()).toEqual([
    "/alert",
    "/badge",
    "/collapseId",
    "/expiresAt",
    "/prioritty",
    "/to/token",
  ]);
});

test("a problem is told once, not again in its consequences", () => {
  expect(Object.keys(problemsOf({ to: 5, payload: "x" })).sort()).toEqual(["/payload", "/to"]);
  expect(Object.keys(problemsOf({ to }))).toEqual([""]);
});

test("an app with an endpoint of its own has one environment", () => {
  const only: App = { config: { ...demoConfig, endpoint: "https://localhost:1" }, environments: ["sandbox"] };
  expect(draftOf({ environment: "sandbox" }, only).environment).toBe("sandbox");
  expect(problemsOf({ to, alert, environment: "production" }, only)["/environment"]).toMatch(/sandbox only/);
});

test("push types that Apple takes with provider tokens only are refused for a certificate", () => {
  const withCertificate: App = {
    ...app,
    config: { ...demoConfig, credentials: { kind: "certificate", cert: "", key: "" } },
  };
  const body = { to, pushType: "location", payload: { aps: {} } };
  expect(problemsOf(body, withCertificate)["/pushType"]).toMatch(/with a provider token \(.p8 key\) only/);
  expect(read(body)).toHaveLength(1);
});

test("of a list the valid ones are taken, in order, and pointers lead into the list", () => {
  const entries = read({
    notifications: [{ to, alert }, { to: { token: "x" }, alert }, 5, { to, badge: 1 }],
  });
  expect(entries.map(({ kind }) => kind)).toEqual(["valid", "invalid", "invalid", "valid"]);
  const pointers = entries.flatMap((entry) =>
    entry.kind === "invalid" ? entry.problems.map(({ pointer }) => pointer) : [],
  );
  expect(pointers).toEqual(["/notifications/1/to/token", "/notifications/2"]);
});

test("an invalid notification stands for as many results as it has recipients", () => {
  const entries = read({
    notifications: [
      { to, alert },
      { to: { tokens: [deviceToken, "x", "y"] }, alert },
    ],
  });
  expect(entries[1]).toMatchObject({ kind: "invalid", recipients: 3 });
});

test("a list without any valid notification is refused whole", () => {
  const refusal = refusalOf({ notifications: [{ to, alert: 5 }, {}] });
  expect(refusal.status).toBe(422);
  expect(refusal.body.errors.map(({ pointer }) => pointer)).toEqual([
    "/notifications/0/alert",
    "/notifications/1/to",
    "/notifications/1",
  ]);
});

test.each([
  ["a bare list", [{ to, alert }], /Put it into an object: \{"notifications"/],
  ["a text", '"hello"', /must be an object/],
  ["null", "null", /must be an object/],
])("says how to send %s", (_name, body, detail) => {
  expect(problemsOf(body)[""]).toMatch(detail);
});

test("a list is held to its own rules", () => {
  expect(problemsOf({ notifications: [] })["/notifications"]).toMatch(/at least one/);
  expect(problemsOf({ notifications: {} })["/notifications"]).toMatch(/must be a list/);
  expect(problemsOf({ notifications: [{ to, alert }], to })["/to"]).toMatch(/no such key/);
  expect(problemsOf({ notifications: Array(10_001).fill({ to, alert }) })["/notifications"]).toMatch(
    /10001 entries; at most 10000/,
  );
});

test("one request has 100,000 recipients at most", () => {
  const tokens = Array(10_000).fill(deviceToken);
  const many = (count: number): object => ({ notifications: Array(count).fill({ to: { tokens }, alert }) });
  expect(read(many(10))).toHaveLength(10);
  expect(problemsOf(many(11))["/notifications"]).toMatch(/110000 recipients/);
});

test("lists 100 problems and says how many there are", () => {
  const { body } = refusalOf({ to: { tokens: Array(500).fill("x") }, alert });
  expect(body.errors).toHaveLength(100);
  expect(body.detail).toMatch(/first 100 of 500/);
});

test.each([
  ["an empty body", "", /the body is empty/],
  ["half a body", '{"to":', /ends too early/],
  ["a byte order mark", `\ufeff{"to":1}`, /byte order mark/],
  ["a key that stands twice", '{"alert":"a","alert":"b"}', /stands twice/],
  ["a key that can change objects", '{"__proto__":{}}', /can change objects/],
  ["33 levels", `${"[".repeat(33)}${"]".repeat(33)}`, /nested 32 deep/],
])("refuses %s as malformed", (_name, body, detail) => {
  const refusal = refusalOf(body);
  expect(refusal.status).toBe(400);
  expect(refusal.body.errors[0]?.detail).toMatch(detail);
});

test("refuses bytes that are no UTF-8", () => {
  const bytes = Buffer.from(JSON.stringify({ to, alert: "é" }), "latin1");
  expect(() => readSubmission(bytes, app, nowMs)).toThrow(/not JSON that can be taken/);
});
