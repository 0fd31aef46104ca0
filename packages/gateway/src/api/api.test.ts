import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { QueueFullError, StoreFailedError } from "../delivery/index.ts";
import { adminKey, deviceToken, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";

let api: TestApi;

beforeEach(async () => {
  api = await openTestApi();
});
afterEach(() => api.server.close());

const hello = { to: { token: deviceToken }, alert: "Hello" };
const json = { "content-type": "application/json" };

test("one notification is answered with 202 and its id once it is stored", async () => {
  const { status, body } = await api.post(hello);
  expect(status).toBe(202);
  expect(body).toEqual({ results: [{ id: expect.any(String), status: "queued" }] });
  expect(api.delivery.submissions).toHaveLength(1);
  expect(api.delivery.records.has(body.results[0].id)).toBe(true);
});

test("results stand in the order of the request, one for each recipient, the invalid ones among them", async () => {
  const second = "cd".repeat(32);
  const { status, body } = await api.post({
    notifications: [
      { ...hello, reference: "a" },
      { ...hello, to: { token: "odd" } },
      { to: { tokens: [deviceToken, second] }, alert: "Hi", sendAt: "2999-01-01T00:00:00Z" },
      {
        to: { tokens: [deviceToken, second] },
        alert: "Hi",
        reference: "b",
        sendAt: new Date(Date.now() + 60_000),
      },
    ],
  });
  expect(status).toBe(202);
  expect(Object.keys(body.results).length).toBe(6);
  expect(body.results.map((result: { status?: string }) => result.status ?? "error")).toEqual([
    "queued",
    "error",
    "error",
    "error",
    "scheduled",
    "scheduled",
  ]);
  expect(body.results[1].error).toMatchObject({
    status: 422,
    errors: [{ pointer: "/notifications/1/to/token" }],
  });
  const references = [0, 4, 5].map((at) => api.delivery.records.get(body.results[at].id)?.reference);
  expect(references).toEqual(["a", "b", "b"]);
});

test("what is invalid alone is refused with 422 and nothing is stored", async () => {
  const { status, headers, body } = await api.post({ ...hello, badge: "1" });
  expect(status).toBe(422);
  expect(headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  expect(body).toMatchObject({ type: "urn:carillon:problem:invalid", status: 422 });
  expect(body.errors[0].pointer).toBe("/badge");
  expect(api.delivery.submissions).toEqual([]);
});

test("with wait the answer is 200 and the final form of each", async () => {
  api.delivery.finish = (record) => ({
    ...record,
    status: "accepted",
    attempts: [{ at: "2026-11-24T12:00:00.000Z", outcome: "accepted" }],
  });
  const { status, body } = await api.post({ notifications: [hello, {}] }, "?wait=2");
  expect(status).toBe(200);
  const [accepted, invalid] = body.results;
  expect(accepted).toMatchObject({ status: "accepted", app: "demo", apnsId: accepted.id });
  expect(invalid.error.status).toBe(422);
  expect(api.delivery.lastWait?.timeoutMs).toBe(2_000);
});

test("with wait the answer is the present form when the time is over", async () => {
  const { status, body } = await api.post(hello, "?wait=0");
  expect(status).toBe(200);
  expect(body.results[0]).toMatchObject({ status: "queued", attempts: [] });
});

test.each([
  "?wait=31",
  "?wait=-1",
  "?wait=1.5",
  "?wait=",
  "?wait=x",
  "?wait=1&wait=2",
  "?waitt=1",
  "?validate=1",
])("refuses the query %s, says which parameter, and stores nothing", async (query) => {
  const { status, body } = await api.post(hello, query);
  expect(status).toBe(422);
  expect(body.errors[0]).toMatchObject({ parameter: expect.any(String), detail: expect.any(String) });
  expect(api.delivery.submissions).toEqual([]);
});

test("validate=true checks all and stores nothing", async () => {
  const good = await api.post({ notifications: [hello, {}] }, "?validate=true");
  expect(good.status).toBe(200);
  expect(good.body.results[0]).toEqual({ status: "valid" });
  expect(good.body.results[1].error.status).toBe(422);
  expect((await api.post({ ...hello, badge: -1 }, "?validate=true")).status).toBe(422);
  expect(api.delivery.submissions).toEqual([]);
});

test("a notification is found by our id and by the caller's apnsId, in either case", async () => {
  const apnsId = "123e4567-e89b-12d3-a456-426614174000";
  const { body } = await api.post({ ...hello, apnsId: apnsId.toUpperCase(), reference: "7" });
  const { id } = body.results[0];
  for (const name of [id, id.toUpperCase(), apnsId, apnsId.toUpperCase()]) {
    const found = await api.get(`${notificationsPath}/${name}`);
    expect(found.status).toBe(200);
    expect(found.body).toMatchObject({ id, apnsId, reference: "7", status: "queued", attempts: [] });
  }
});

test.each(["1", "00000000-0000-0000-0000-000000000000", "%00", "x".repeat(900)])(
  "an unknown id is 404: %s",
  async (id) => {
    const { status, body } = await api.get(`${notificationsPath}/${id}`);
    expect(status).toBe(404);
    expect(body.type).toBe("urn:carillon:problem:no-such-notification");
  },
);

test.each([
  ["no key", {}, /carries no key/],
  ["a wrong key", { authorization: "Bearer wrong" }, /not known here/],
  ["an empty key", { authorization: "Bearer " }, /another form/],
  ["another scheme", { authorization: "Basic abc" }, /another form/],
])("%s is 401, before anything is read", async (_name, headers, detail) => {
  for (const [method, url] of [
    ["POST", notificationsPath],
    ["POST", "/v1/apps/other/notifications"],
    ["GET", `${notificationsPath}/1`],
  ] as const) {
    const answer = await api.server.inject({ method, url, headers: { ...headers, ...json }, payload: "{" });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="carillon"');
    expect(answer.json().detail).toMatch(detail);
    expect(answer.json().detail).toMatch(/admin\.key/);
  }
});

test("an unknown app is 404", async () => {
  const { status, body } = await api.get("/v1/apps/other/notifications/1");
  expect(status).toBe(404);
  expect(body.type).toBe("urn:carillon:problem:no-such-app");
});

test("an unknown address is 404 and says where to look", async () => {
  for (const path of ["/nope", "/v1", "/v1/apps/demo/notifications/1/2"]) {
    const { status, headers, body } = await api.get(path);
    expect(status).toBe(404);
    expect(headers["content-type"]).toMatch("application/problem+json");
    expect(body.detail).toMatch(/\/docs/);
  }
});

test("a wrong method is 405 and says which are right", async () => {
  for (const [method, url, allow] of [
    ["PUT", notificationsPath, "GET, HEAD, POST"],
    ["POST", `${notificationsPath}/1`, "DELETE, GET, HEAD"],
    ["DELETE", "/healthz", "GET, HEAD"],
  ] as const) {
    const answer = await api.server.inject({ method, url });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toBe(allow);
  }
});

test.each([
  ["a form", { "content-type": "application/x-www-form-urlencoded" }],
  ["text", { "content-type": "text/plain" }],
  ["nothing said", {}],
  ["JSON in UTF-16", { "content-type": "application/json; charset=utf-16" }],
  ["JSON in another compression", { ...json, "content-encoding": "br" }],
  ["no media type at all", { "content-type": "json" }],
])("%s is 415 and says what to send", async (_name, headers: Record<string, string>) => {
  const answer = await api.server.inject({
    method: "POST",
    url: notificationsPath,
    headers: { authorization: `Bearer ${adminKey}`, ...headers },
    payload: JSON.stringify(hello),
  });
  expect(answer.statusCode).toBe(415);
  expect(answer.json().detail).toMatch(/Content-Type: application\/json/);
});

test("JSON with its charset named is taken", async () => {
  const answer = await api.server.inject({
    method: "POST",
    url: notificationsPath,
    headers: {
      authorization: `Bearer ${adminKey}`,
      "content-type": 'application/json; charset="UTF-8"',
    },
    payload: JSON.stringify(hello),
  });
  expect(answer.statusCode).toBe(202);
});

test("when the store fails during the wait the answer is the 202 that it would have been", async () => {
  api.delivery.finish = () => {
    throw new StoreFailedError("disk I/O error");
  };
  const { status, body } = await api.post(hello, "?wait=1");
  expect(status).toBe(202);
  expect(body.results[0]).toEqual({ id: [...api.delivery.records.keys()][0], status: "queued" });
});

test("a body may come compressed with gzip", async () => {
  const { status } = await postGzip(gzipSync(JSON.stringify(hello)));
  expect(status).toBe(202);
  expect(api.delivery.submissions[0]?.drafts[0]?.deviceTokens).toEqual([deviceToken]);
});

test.each([
  ["that is none", Buffer.from("hello")],
  ["that is cut off", gzipSync(JSON.stringify(hello)).subarray(0, 30)],
  ["that is empty", Buffer.alloc(0)],
])("gzip %s is 400", async (_name, bytes) => {
  const { status, body } = await postGzip(bytes);
  expect(status).toBe(400);
  expect(body.type).toBe("urn:carillon:problem:malformed-request");
  expect(api.delivery.submissions).toEqual([]);
});

test("a small body that unfolds into a large one is 413, and is never held whole", async () => {
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, " "));
  expect(bomb.length).toBeLessThan(1024 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  const { status } = await postGzip(bomb);
  expect(status).toBe(413);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024);
});

async function postGzip(payload: Buffer) {
  const answer = await api.server.inject({
    method: "POST",
    url: notificationsPath,
    headers: { authorization: `Bearer ${adminKey}`, ...json, "content-encoding": "gzip" },
    payload,
  });
  return { status: answer.statusCode, body: answer.json() };
}

test("malformed JSON is 400 with line and column", async () => {
  const { status, body } = await api.post('{"to": }');
  expect(status).toBe(400);
  expect(body.errors[0].detail).toMatch(/line 1, column 8/);
});

test("an address that cannot be decoded is 400", async () => {
  const { status, body } = await api.get("/v1/%zz");
  expect(status).toBe(400);
  expect(body.type).toBe("urn:carillon:problem:malformed-request");
});

test("a full queue is 503 and says when to try again", async () => {
  api.delivery.refusal = new QueueFullError("The queue is full (10 notifications).", 10);
  const { status, headers, body } = await api.post(hello);
  expect(status).toBe(503);
  expect(headers["retry-after"]).toBe("10");
  expect(body.detail).toBe(
    "The queue is full (10 notifications). Nothing was stored; send it again in 10 s.",
  );
});

test("a failed store is 503, for those who send and those who ask", async () => {
  api.delivery.refusal = new StoreFailedError("disk I/O error at /secret/path");
  for (const { status, body } of [await api.post(hello), await api.get(`${notificationsPath}/1`)]) {
    expect(status).toBe(503);
    expect(body.type).toBe("urn:carillon:problem:store-failed");
    expect(JSON.stringify(body)).not.toMatch("/secret/path");
  }
});

test("an error that nobody foresaw is 500, its story stands in the log alone", async () => {
  api.delivery.refusal = new Error("the story");
  const { status, body } = await api.post(hello);
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toMatch(/the story|\.ts|at /);
  expect(api.log()).toMatch("the story");
});

test("healthz fails when the store has, readyz already when nothing is taken", async () => {
  expect(await api.get("/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
  expect(await api.get("/readyz")).toMatchObject({ status: 200, body: { status: "ready", waiting: [] } });
  api.delivery.health = { state: "stopping", queued: 3, inFlight: 1 };
  expect((await api.get("/healthz")).status).toBe(200);
  expect(await api.get("/readyz")).toMatchObject({
    status: 503,
    body: { status: "stopping", queued: 3, inFlight: 1 },
  });
  api.delivery.health = { state: "failed", detail: "disk I/O error", queued: 3, inFlight: 0 };
  expect(await api.get("/healthz")).toMatchObject({
    status: 503,
    body: { status: "failed", detail: "disk I/O error" },
  });
  expect((await api.get("/readyz")).status).toBe(503);
});

test("readyz says what a way to Apple waits for, and is ready all the same", async () => {
  api.delivery.waiting = "InvalidProviderToken";
  const { status, body } = await api.get("/readyz");
  expect(status).toBe(200);
  expect(body.waiting).toEqual([
    { app: "demo", environment: "production", for: "InvalidProviderToken" },
    { app: "demo", environment: "sandbox", for: "InvalidProviderToken" },
  ]);
});

test("a newcomer at / learns where to go", async () => {
  const { status, body } = await api.get("/");
  expect(status).toBe(200);
  expect(body).toMatchObject({ documentation: "/docs", openapi: "/openapi.json" });
});

test("no answer can be framed, sniffed or cached, and none names its software", async () => {
  const { headers } = await api.post(hello);
  expect(headers["content-security-policy"]).toBe("default-src 'none';frame-ancestors 'none'");
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["cache-control"]).toBe("no-store");
  expect(headers["x-powered-by"]).toBeUndefined();
});

test("whatever JSON is sent, the answer is no 5xx", async () => {
  const keys = fc.constantFrom(
    "to",
    "token",
    "tokens",
    "payload",
    "alert",
    "notifications",
    "ttl",
    "sendAt",
    "data",
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.jsonValue(),
      fc.dictionary(keys, tie("any"), { maxKeys: 5 }),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.constant(hello),
      fc.constant({ token: deviceToken }),
    ),
  })).any;
  await fc.assert(
    fc.asyncProperty(value, async (body) => {
      const { status } = await api.post(JSON.stringify(body));
      expect([202, 400, 422]).toContain(status);
    }),
    { numRuns: 500 },
  );
});

test("whatever bytes are sent, the answer is no 5xx", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { status } = await api.post(Buffer.from(bytes));
      expect([400, 422]).toContain(status);
    }),
    { numRuns: 300 },
  );
});

test("whatever address is asked for, the answer is no 5xx", async () => {
  await fc.assert(
    fc.asyncProperty(fc.webPath(), fc.webQueryParameters(), async (path, query) => {
      const answer = await api.server.inject({ url: `/v1/apps/demo/notifications/x${path}?${query}` });
      expect(answer.statusCode).toBeLessThan(500);
    }),
    { numRuns: 200 },
  );
});
