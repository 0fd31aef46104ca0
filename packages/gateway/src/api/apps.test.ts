import { Compile } from "typebox/compile";
import { afterEach, expect, test } from "vitest";
import { adminKey, openTestApi, type TestApi } from "./api.test-support.ts";
import { appSchema, appsSchema } from "./contract/apps.ts";

let api: TestApi;
afterEach(() => api.server.close());

async function post(path: string, body?: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const { statusCode, payload } = await api.server.inject({
    method: "POST",
    url: `/v1/apps/${path}`,
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: statusCode, body: JSON.parse(payload) };
}

test("tells of all apps, and of one, how they are doing", async () => {
  api = await openTestApi({ app: { rateLimit: 500 } });
  api.delivery.health = { state: "ready", queued: 7, inFlight: 2 };
  api.delivery.waiting = "InvalidProviderToken";
  const all = await api.get("/v1/apps");
  expect([...Compile(appsSchema).Errors(all.body)]).toEqual([]);
  const one = await api.get("/v1/apps/demo");
  expect([...Compile(appSchema).Errors(one.body)]).toEqual([]);
  expect(all.body).toEqual({ items: [one.body] });
  expect(one.body).toEqual({
    name: "demo",
    topic: "com.example.demo",
    environment: "sandbox",
    rateLimit: 500,
    queued: 7,
    queuedBytes: 700,
    inFlight: 2,
    routes: ["production", "sandbox"].map((environment) => ({
      environment,
      inFlight: 0,
      unanswered: 0,
      breaker: "open",
      waitingFor: "InvalidProviderToken",
      environmentSuspect: false,
    })),
  });
  expect((await api.get("/v1/apps/other")).body.type).toBe("urn:carillon:problem:no-such-app");
});

test("pauses an app with and without a reason, and resumes it", async () => {
  api = await openTestApi();
  const since = "2023-11-14T22:13:20.000Z";
  expect(await post("demo/pause")).toMatchObject({ status: 200, body: { paused: { since } } });
  const reason = "wrong texts went out";
  expect((await post("demo/pause", JSON.stringify({ reason }))).body.paused).toEqual({ since, reason });
  expect((await api.get("/v1/apps/demo")).body.paused).toEqual({ since, reason });
  expect((await post("demo/resume")).body.paused).toBeUndefined();
  expect(await post("demo/resume", "{}")).toMatchObject({ status: 200 });
  expect((await post("other/pause")).status).toBe(404);
});

test("a reason that is none changes nothing", async () => {
  api = await openTestApi();
  expect(await post("demo/pause", "{")).toMatchObject({ status: 400 });
  expect(await post("demo/pause", '{"reason":7,"x":1}')).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: "/reason" }, { pointer: "/x" }] },
  });
  expect(await post("demo/pause", JSON.stringify({ reason: "x".repeat(501) }))).toMatchObject({
    status: 422,
  });
  expect(api.delivery.pauses.size).toBe(0);
});
