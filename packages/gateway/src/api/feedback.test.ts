import type { Outcome } from "@carillon/apns";
import { expect, test } from "vitest";
import { adminKey, deviceToken, openTestApi, type TestApi } from "./api.test-support.ts";

const batch = "00000000-0000-7000-8000-00000000";

/** One notification to `deviceToken` is answered by a 410. */
async function gone({ store, outcomes, clock }: TestApi): Promise<void> {
  const queue = { app: "demo", environment: "sandbox", lane: "normal" };
  const rest = { kind: "original", body: new Uint8Array(1), ownIds: [], dueAtMs: 1, storedAtMs: 1 } as const;
  await store.add([{ id: batch, queue, count: 1, ...rest }]);
  const outcome: Outcome = {
    kind: "rejected",
    apnsId: "",
    attempts: 1,
    status: 410,
    reason: "Unregistered",
    goneSinceMs: 1_000,
  };
  const told = outcomes
    .tellerFor("demo", "sandbox")
    .ended({ id: `${batch}0000`, status: "rejected", reason: "Unregistered", outcome, deviceToken });
  const note = { batch, place: 0, status: "rejected", reason: "Unregistered", attempts: "", ...told };
  await store.settle({ node: "n", atMs: clock.now(), batches: [], notes: [note], retries: [] });
}

test("feedback is read by its cursor, and a device token is restored by hand", async () => {
  const api = await openTestApi();
  await gone(api);
  const { status, body } = await api.get("/v1/apps/demo/feedback?limit=5");
  expect(status).toBe(200);
  expect(body.items).toMatchObject([
    {
      token: deviceToken,
      verdict: "gone",
      reason: "Unregistered",
      since: "1970-01-01T00:00:01.000Z",
      answers: 1,
    },
  ]);
  expect((await api.get(`/v1/apps/demo/feedback?after=${body.cursor}`)).body).toEqual({
    items: [],
    cursor: body.cursor,
  });
  const restore = async (token: string) => {
    const authorization = `Bearer ${adminKey}`;
    const url = `/v1/apps/demo/feedback/${token}/restore`;
    const { statusCode, payload } = await api.server.inject({
      method: "POST",
      url,
      headers: { authorization },
    });
    return { status: statusCode, body: JSON.parse(payload) };
  };
  expect(await restore(deviceToken.toUpperCase())).toEqual({ status: 200, body: { restored: true } });
  expect(await restore(deviceToken)).toEqual({ status: 200, body: { restored: false } });
  expect((await restore("nonsense")).status).toBe(422);
  expect((await api.get("/v1/apps/demo/feedback")).body.items).toEqual([]);
});

test("what is held against one device token is told by the token", async () => {
  const api = await openTestApi();
  await gone(api);
  const path = "/v1/apps/demo/feedback";
  const { items } = (await api.get(path)).body;
  expect((await api.get(`${path}/${deviceToken.toUpperCase()}`)).body).toEqual({ items });
  expect((await api.get(`${path}/${"cd".repeat(32)}`)).body).toEqual({ items: [] });
  expect((await api.get(`${path}/nonsense`)).status).toBe(422);
  expect((await api.get(`/v1/apps/nobody/feedback/${deviceToken}`)).status).toBe(404);
});

test("equal failures are one incident, explained", async () => {
  const api = await openTestApi();
  await gone(api);
  const { body } = await api.get("/v1/apps/demo/incidents");
  expect(body.items).toMatchObject([
    {
      reason: "Unregistered",
      environment: "sandbox",
      count: 1,
      sample: `${batch}0000`,
      fault: "device-token",
    },
  ]);
  expect((await api.get("/v1/apps/nobody/incidents")).status).toBe(404);
});

test("a record explains its reason", async () => {
  const api = await openTestApi();
  const { body } = await api.post({ to: { token: deviceToken }, alert: "Hello" });
  const [{ id }] = body.results;
  const record = api.delivery.records.get(id);
  if (record === undefined) throw new Error("not stored");
  api.delivery.records.set(id, { ...record, status: "rejected", reason: "BadTopic" });
  const found = await api.get(`/v1/apps/demo/notifications/${id}`);
  expect(found.body).toMatchObject({
    reason: "BadTopic",
    explanation: { fault: "request", means: "The topic is not valid." },
  });
});
