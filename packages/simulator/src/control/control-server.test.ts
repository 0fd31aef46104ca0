import { request as httpRequest } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FeedbackList } from "../binary/index.ts";
import { Channels } from "../channels/index.ts";
import { Connections } from "../connections/index.ts";
import { Devices } from "../devices/index.ts";
import { History } from "../history/index.ts";
import { ControlServer } from "./control-server.ts";

const deviceToken = "aabbccdd";
let history: History;
let devices: Devices;
let channels: Channels;
let control: ControlServer;
let scenarios: unknown[];
let service: string[];

beforeEach(async () => {
  history = new History();
  devices = new Devices();
  channels = new Channels();
  scenarios = [];
  service = [];
  control = await ControlServer.listen(0, {
    ...{ history, devices, channels, feedback: new FeedbackList(), connections: new Connections() },
    state: {
      announceShutdown: () => service.push("goes down"),
      resume: () => service.push("goes on"),
    },
    scenario: {
      set: (document) => scenarios.push(document),
      counts: () => (scenarios.at(-1) === undefined ? undefined : { first: 2 }),
    },
  });
});
afterEach(() => control.close());

function record(stream: number, status = 200): void {
  history.record({
    protocol: "http/2",
    atMs: 0,
    apnsId: `EABEAE54-14A8-11E5-B60B-${String(stream).padStart(12, "0")}`,
    deviceToken,
    topic: "com.example.demo",
    pushType: "alert",
    kind: "push",
    channelId: undefined,
    status,
    reason: status === 200 ? undefined : "BadTopic",
    answer: "sent",
    fields: [":method", "POST"],
    payload: Buffer.from("{}"),
    connection: 1,
    stream,
  });
}

interface Answer {
  readonly status: number;
  readonly allow: string | null;
  readonly body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: string): Promise<Answer> {
  const response = await fetch(control.url + path, { method, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  const headers = [response.headers.get("content-type"), response.headers.get("cache-control")];
  expect(headers).toEqual([text === "" ? null : "application/json; charset=utf-8", "no-store"]);
  return {
    status: response.status,
    allow: response.headers.get("allow"),
    body: text === "" ? {} : JSON.parse(text),
  };
}

test("shows the newest pushes, oldest first", async () => {
  for (let stream = 1; stream <= 150; stream++) record(stream);
  const { status, body } = await call("GET", "/history");
  expect(status).toBe(200);
  expect(body).toMatchObject({ total: 150, matching: 150 });
  expect((body.pushes as { stream: number }[]).map(({ stream }) => stream)).toEqual(
    Array.from({ length: 100 }, (_, at) => at + 51),
  );
});

test("filters the history by its query", async () => {
  record(1);
  record(3, 400);
  const streams = async (query: string): Promise<number[]> =>
    ((await call("GET", `/history?${query}`)).body.pushes as { stream: number }[]).map(
      ({ stream }) => stream,
    );
  expect(await streams("status=400")).toEqual([3]);
  expect(await streams("reason=BadTopic&deviceToken=AABBCCDD")).toEqual([3]);
  expect(await streams("topic=com.example.demo&pushType=alert&connection=1")).toEqual([1, 3]);
  expect(await streams("apnsId=eabeae54-14a8-11e5-b60b-000000000001")).toEqual([1]);
  expect(await streams("limit=1")).toEqual([3]);
  expect(await streams("connection=2")).toEqual([]);
});

test("waits until so many have come, or says how many there are when the time is up", async () => {
  record(1);
  expect((await call("GET", "/history?count=1")).body).toMatchObject({ matching: 1 });
  const waiting = call("GET", "/history?count=2&status=200&waitMs=60000");
  await call("GET", "/history");
  record(3, 400);
  record(5);
  expect((await waiting).body).toMatchObject({ matching: 2, pushes: [{ stream: 1 }, { stream: 5 }] });
  const inVain = await call("GET", "/history?count=4&waitMs=0");
  expect(inVain).toMatchObject({ status: 409, body: { error: "3 of 4 pushes came within 0 ms." } });
});

test.each([
  "kind=other",
  "count=0",
  "count=1&waitMs=60001",
  "waitMs=5",
  "status=abc",
  "connection=-1",
  "limit=0",
  "limit=10001",
  "limit=x",
  "color=red",
  "status=1&status=2",
  "__proto__=1",
])("a query that is wrong is refused: %s", async (query) => {
  const { status, body } = await call("GET", `/history?${query}`);
  expect(status).toBe(400);
  expect(body.error).toMatch(/^Query: ".+\.$/);
});

test("marks a device and takes the mark off", async () => {
  expect(await call("PUT", `/devices/${deviceToken.toUpperCase()}`)).toMatchObject({
    status: 200,
    body: { deviceToken, reason: "Unregistered" },
  });
  const body = JSON.stringify({ reason: "ExpiredToken", sinceMs: 1_700_000_000_000 });
  await call("PUT", `/devices/${deviceToken}`, body);
  const device = { deviceToken, sinceMs: 1_700_000_000_000, reason: "ExpiredToken" };
  expect(devices.unregistered).toEqual([device]);
  expect((await call("GET", "/devices")).body).toEqual({ unregistered: [device], devices: [device] });
  expect((await call("DELETE", `/devices/${deviceToken}`)).status).toBe(204);
  expect(devices.find(deviceToken)).toBeUndefined();
});

test.each([
  ["/devices/xyz", ""],
  ["/devices/aabb", ""],
  [`/devices/${deviceToken}`, "{"],
  [`/devices/${deviceToken}`, "[]"],
  [`/devices/${deviceToken}`, "null"],
  [`/devices/${deviceToken}`, '{"reason":"Gone"}'],
  [`/devices/${deviceToken}`, '{"sinceMs":"yesterday"}'],
  [`/devices/${deviceToken}`, '{"sinceMs":-1}'],
  [`/devices/${deviceToken}`, '{"since":1}'],
])("a mark that is wrong is refused: %s %s", async (path, body) => {
  const answer = await call("PUT", path, body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toMatch(/\.$/);
  expect(devices.unregistered).toEqual([]);
});

test("describes a device, and shows what came to it and what waits for it", async () => {
  expect((await call("GET", `/devices/${deviceToken}`)).status).toBe(404);
  const traits = {
    topic: "com.example.demo",
    environment: "sandbox",
    reach: "offline",
    answers: "usual",
    pace: { most: 5, withinMs: 1000 },
  };
  expect((await call("PATCH", `/devices/${deviceToken}`, JSON.stringify(traits))).body).toEqual({
    deviceToken,
    ...traits,
  });
  devices.accept(deviceToken, {
    apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B",
    topic: "com.example.demo",
    collapseId: undefined,
    expirationSeconds: undefined,
    payload: Buffer.from("{}"),
    atMs: 5,
  });
  expect((await call("GET", `/devices/${deviceToken}`)).body).toMatchObject({
    deviceToken,
    reach: "offline",
    received: [],
    stored: [{ payload: "{}" }],
  });
});

test.each([
  "{",
  "[]",
  '{"color":"red"}',
  '{"topic":""}',
  '{"environment":"test"}',
  '{"reach":true}',
  '{"answers":"no"}',
  '{"pace":{"most":1001,"withinMs":1}}',
  '{"pace":null}',
])("a description that is wrong is refused: %s", async (body) => {
  expect((await call("PATCH", `/devices/${deviceToken}`, body)).status).toBe(400);
  expect((await call("PATCH", "/devices/xyz", "{}")).status).toBe(400);
  expect(devices.all).toEqual([]);
});

test("sets a scenario, says how often its rules applied, and ends it", async () => {
  expect((await call("GET", "/scenario")).status).toBe(404);
  expect(await call("PUT", "/scenario", '{"rules":[]}')).toMatchObject({
    status: 200,
    body: { applied: { first: 2 } },
  });
  expect(scenarios).toEqual([{ rules: [] }]);
  expect((await call("PUT", "/scenario", "rules:")).status).toBe(400);
  expect((await call("DELETE", "/scenario")).status).toBe(204);
  expect((await call("GET", "/scenario")).status).toBe(404);
});

test("announces a shutdown, and takes it back", async () => {
  expect((await call("PUT", "/shutdown")).status).toBe(204);
  expect((await call("DELETE", "/shutdown")).status).toBe(204);
  expect(service).toEqual(["goes down", "goes on"]);
});

test("resets history and devices", async () => {
  record(1);
  devices.unregister(deviceToken);
  expect((await call("POST", "/reset")).status).toBe(204);
  expect(history.count()).toBe(0);
  expect(devices.unregistered).toEqual([]);
});

test("says what there is, where there is nothing, and which methods a path has", async () => {
  for (const path of [
    "/histories",
    "/page/",
    "/page/main.ts",
    "/devices/a/b",
    "//",
    "/history/",
    "/constructor",
  ]) {
    const { status, body } = await call("GET", path);
    expect([path, status]).toEqual([path, 404]);
    expect(body.error).toMatch(/GET \/history/);
  }
  expect(await call("DELETE", "/history")).toMatchObject({ status: 405, allow: "GET" });
  expect(await call("POST", `/devices/${deviceToken}`)).toMatchObject({
    status: 405,
    allow: "GET, PUT, PATCH, DELETE",
  });
  expect(await call("OPTIONS", "/reset")).toMatchObject({ status: 405, allow: "POST" });
});

test.each([
  ["/", "text/html"],
  ["/page/style.css", "text/css"],
  ["/page/main.js", "text/javascript"],
  ["/page/reading.js", "text/javascript"],
  ["/page/lock-screen.js", "text/javascript"],
  ["/page/inspector.js", "text/javascript"],
  ["/page/icon.svg", "image/svg+xml"],
])("serves the page's own files under a strict policy: %s", async (path, contentType) => {
  const { status, headers } = await fetch(control.url + path);
  expect([status, headers.get("content-type")]).toEqual([200, expect.stringContaining(contentType)]);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const policy = headers.get("content-security-policy");
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(await call("PUT", path)).toMatchObject({ status: 405, allow: "GET" });
});

test("a body over a mebibyte is refused", async () => {
  expect((await call("PUT", `/devices/${deviceToken}`, " ".repeat(1_048_577))).status).toBe(413);
});

test.each([
  ["another origin", { origin: "https://evil.example" }],
  ["a name bent to this address", { host: "evil.example" }],
  ["a sandboxed page", { origin: "null" }],
])("web pages are kept out: %s", async (_, headers) => {
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(`${control.url}/reset`, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.end();
  });
  expect(status).toBe(403);
});

test("shows channels and what they store, and forgets them", async () => {
  const { channelId } = channels.create("com.example.demo", "most-recent");
  const broadcast = { requestId: "r", payload: Buffer.from("{}"), expirationSeconds: 9e9, atMs: Date.now() };
  channels.accept("com.example.demo", channelId, broadcast);
  const shown = await call("GET", "/channels");
  expect(shown.body).toMatchObject({
    channels: [
      { channelId, storage: "most-recent", broadcasts: 1, stored: { requestId: "r", payload: "{}" } },
    ],
  });
  await call("POST", "/reset");
  expect((await call("GET", "/channels")).body).toEqual({ channels: [] });
});

test("listens on this machine only", () => {
  expect(control.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test("closing ends calls that wait for pushes", async () => {
  const waiting = fetch(`${control.url}/history?count=1&waitMs=60000`).catch((error: Error) => error);
  await call("GET", "/history");
  await control.close();
  expect(await waiting).toBeInstanceOf(Error);
});

test("closing ends calls that are under way", async () => {
  const request = httpRequest(`${control.url}/reset`, { method: "POST", headers: { "content-length": "9" } });
  const ended = new Promise((resolve) => request.on("error", resolve));
  await new Promise((resolve) => request.write("x", resolve));
  await control.close();
  await ended;
});
