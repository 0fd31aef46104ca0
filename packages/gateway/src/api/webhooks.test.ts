import { Compile } from "typebox/compile";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestReceiver } from "../outcomes/webhooks/receiver.test-support.ts";
import { adminKey, openTestApi, type TestApi } from "./api.test-support.ts";
import { webhookAttemptsSchema, webhookListSchema, webhookWithSecretSchema } from "./contract/webhooks.ts";

let api: TestApi;
let receiver: TestReceiver;

beforeEach(async () => {
  receiver = await TestReceiver.start();
  api = await openTestApi();
});
afterEach(async () => {
  await api.webhooks.stop(0);
  await api.server.close();
  await receiver.close();
});

/** Strings are sent as they are. */
async function ask(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, body?: unknown) {
  const { statusCode, headers, payload } = await api.server.inject({
    method,
    url,
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: statusCode, headers, body: payload === "" ? undefined : JSON.parse(payload) };
}

const create = (more: object = {}) => ask("POST", "/v1/webhooks", { url: receiver.url, ...more });

test("an endpoint is made, with a secret that is shown once", async () => {
  const made = await create({ app: "demo", types: ["token.gone"], description: "ours" });
  expect(made.status).toBe(201);
  expect([...Compile(webhookWithSecretSchema).Errors(made.body)]).toEqual([]);
  expect(made.body).toMatchObject({
    url: receiver.url,
    app: "demo",
    types: ["token.gone"],
    status: "enabled",
    cursor: "0",
  });
  expect(made.body.secret).toMatch(/^whsec_/);
  expect(made.headers.location).toBe(`/v1/webhooks/${made.body.id}`);
  const { secret: _, ...shown } = made.body;
  expect((await ask("GET", `/v1/webhooks/${shown.id}`)).body).toEqual(shown);
  const list = await ask("GET", "/v1/webhooks");
  expect(list.body).toEqual({ items: [shown] });
  expect([...Compile(webhookListSchema).Errors(list.body)]).toEqual([]);
  expect(api.log()).not.toContain("whsec_");
});

test("events are posted to it, and the calls stand in its list", async () => {
  const { id } = (await create()).body;
  await api.store.appendEvents([{ app: "demo", type: "token.gone", data: '{"n":1}' }], 1_000);
  const [call] = await receiver.received(1);
  const page = (await ask("GET", "/v1/events")).body;
  expect(JSON.parse(call?.text ?? "")).toEqual({ items: page.items });
  let listed = await ask("GET", `/v1/webhooks/${id}/deliveries`);
  while (listed.body.items.length === 0) listed = await ask("GET", `/v1/webhooks/${id}/deliveries?limit=5`);
  expect([...Compile(webhookAttemptsSchema).Errors(listed.body)]).toEqual([]);
  expect(listed.body.items).toMatchObject([
    { kind: "delivery", delivered: true, status: 204, events: 1, webhookId: call?.headers["webhook-id"] },
  ]);
});

test("it is changed, stopped, resumed and deleted", async () => {
  const { id } = (await create({ app: "demo", description: "ours" })).body;
  const path = `/v1/webhooks/${id}`;
  expect((await ask("PATCH", path, { app: null, description: "theirs" })).body).toMatchObject({
    description: "theirs",
  });
  expect((await ask("GET", path)).body).not.toHaveProperty("app");
  expect((await ask("PATCH", path, { enabled: false })).body).toMatchObject({
    status: "disabled",
    disabledBecause: "asked",
  });
  expect((await ask("PATCH", path, { enabled: true })).body).toMatchObject({ status: "enabled" });
  expect(await ask("DELETE", path)).toMatchObject({ status: 204, body: undefined });
  expect(await ask("GET", path)).toMatchObject({
    status: 404,
    body: { type: "urn:carillon:problem:no-such-webhook" },
  });
});

test("the secret is rotated, a ping is sent, and a replay begins anew", async () => {
  const { id, secret } = (await create()).body;
  const rotated = await ask("POST", `/v1/webhooks/${id}/rotate`, { overlapSeconds: 60 });
  expect(rotated.body.secret).not.toBe(secret);
  expect(rotated.body.previousSecretUntil).toMatch(/^\d{4}-/);
  expect((await ask("POST", `/v1/webhooks/${id}/rotate`)).status).toBe(200);
  expect((await ask("POST", `/v1/webhooks/${id}/ping`)).body).toMatchObject({
    kind: "ping",
    delivered: true,
    status: 204,
  });
  expect((await ask("POST", `/v1/webhooks/${id}/replay`, {})).body).toMatchObject({ id, cursor: "0" });
  expect((await ask("POST", `/v1/webhooks/${id}/replay`, { after: "99" })).body.errors).toMatchObject([
    { pointer: "/after", detail: expect.stringContaining("0") },
  ]);
});

test.each([
  [{}, 422, "/url"],
  [{ url: 7 }, 422, "/url"],
  [{ url: "https://10.0.0.1/" }, 422, "/url"],
  [{ url: "https://user:pass@hooks.example.com/" }, 422, "/url"],
  [{ url: "https://hooks.example.com/", types: ["token.gnoe"] }, 422, "/types/0"],
  [{ url: "https://hooks.example.com/", types: [] }, 422, "/types"],
  [{ url: "https://hooks.example.com/", secret: "whsec_mine" }, 422, "/secret"],
  [{ url: "https://hooks.example.com/", after: "99" }, 422, "/after"],
  [{ url: "https://hooks.example.com/", app: "nobody" }, 404, undefined],
  ['{"url":"https://a.example","url":"https://b.example"}', 400, "/url"],
  ["{", 400, ""],
  ["[]", 422, ""],
])("%j is refused, with its place", async (body, status, pointer) => {
  const answer = await ask("POST", "/v1/webhooks", body);
  expect(answer.status).toBe(status);
  expect(answer.body.errors[0]?.pointer).toBe(pointer);
  expect((await ask("GET", "/v1/webhooks")).body.items).toEqual([]);
});

test("every route needs the key, and says what to do where there is no such endpoint", async () => {
  const routes = [
    ["GET", "/v1/webhooks/wh_x"],
    ["PATCH", "/v1/webhooks/wh_x", { enabled: true }],
    ["DELETE", "/v1/webhooks/wh_x"],
    ["POST", "/v1/webhooks/wh_x/rotate", {}],
    ["POST", "/v1/webhooks/wh_x/ping"],
    ["POST", "/v1/webhooks/wh_x/replay", {}],
    ["GET", "/v1/webhooks/wh_x/deliveries"],
  ] as const;
  for (const [method, url, body] of routes) {
    expect((await api.server.inject({ method, url })).statusCode, url).toBe(401);
    const answer = await ask(method, url, body);
    expect([answer.status, answer.body.type], url).toEqual([404, "urn:carillon:problem:no-such-webhook"]);
  }
  expect((await ask("PATCH", "/v1/webhooks/wh_x", {})).status).toBe(422);
  expect((await ask("GET", "/v1/webhooks/wh_x/deliveries?limit=1000")).status).toBe(422);
});

test("a body of a megabyte is refused", async () => {
  expect((await create({ description: "x".repeat(2 ** 20) })).status).toBe(413);
});
