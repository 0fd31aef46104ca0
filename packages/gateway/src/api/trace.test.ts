import { Compile } from "typebox/compile";
import { expect, test } from "vitest";
import { deviceToken, notificationsPath, openTestApi } from "./api.test-support.ts";
import { traceSchema } from "./contract/trace.ts";

const own = "01234567-89ab-4def-8123-456789abcdef";
const hello = { to: { token: deviceToken }, alert: "Hello", reference: "7", apnsId: own };

test("the way of a notification is told by our id and by the caller's own, in the documented form", async () => {
  const api = await openTestApi();
  const { body } = await api.post(hello);
  const [{ id }] = body.results;
  const told = await api.get(`${notificationsPath}/${id}/trace`);
  expect(told.status).toBe(200);
  expect(told.body).toMatchObject({
    ...{ id, apnsId: own, status: "queued", reference: "7" },
    steps: [{ kind: "stored" }, { kind: "waiting", waitsFor: "turn" }],
  });
  expect([...Compile(traceSchema).Errors(told.body)]).toEqual([]);
  expect((await api.get(`${notificationsPath}/${own.toUpperCase()}/trace`)).body.id).toBe(id);
});

test("every kind of step has the documented form", async () => {
  const api = await openTestApi();
  const { body } = await api.post(hello);
  const [{ id }] = body.results;
  const record = api.delivery.records.get(id);
  if (record === undefined) throw new Error("not stored");
  const at = new Date(api.clock.now()).toISOString();
  const connection = { number: 1, remoteAddress: "17.0.0.1" };
  const attempt = { at, outcome: "rejected", reason: "Unregistered", status: 410, goneSince: at, connection };
  const storedAt = new Date(api.clock.now() - 60_000).toISOString();
  const ended = { status: "rejected", reason: "Unregistered", attempts: [attempt], storedAt } as const;
  api.delivery.records.set(id, { ...record, ...ended });
  await api.webhooks.create({ url: "http://127.0.0.1:1/hook", app: "demo" });
  const environment = "sandbox";
  const events = [
    ["route.parked", { environment, reason: "InvalidProviderToken" }],
    ["notification.rejected", { environment, id, token: deviceToken }],
    [
      "token.gone",
      { environment, token: deviceToken, reason: "Unregistered", since: at, notificationId: id },
    ],
    ["token.restored", { environment, token: deviceToken, was: "gone", cause: "request" }],
  ] as const;
  await api.store.appendEvents(
    events.map(([type, data]) => ({ app: "demo", type, data: JSON.stringify(data) })),
    api.clock.now(),
  );
  const told = await api.get(`${notificationsPath}/${id}/trace`);
  const kinds = new Set(told.body.steps.map(({ kind }: { kind: string }) => kind));
  expect([...kinds].sort()).toEqual(
    ["attempt", "ended", "event", "route", "stored", "verdict", "waited", "webhook"].sort(),
  );
  expect([...Compile(traceSchema).Errors(told.body)]).toEqual([]);
});

test("an id that nobody knows, an app that is none, and a missing key are refused with what to do", async () => {
  const api = await openTestApi();
  const unknown = await api.get(`${notificationsPath}/nonsense/trace`);
  expect(unknown.status).toBe(404);
  expect(unknown.body.detail).toContain("kept for 7 days after its end");
  expect((await api.get(`/v1/apps/nobody/notifications/${own}/trace`)).status).toBe(404);
  expect((await api.server.inject({ url: `${notificationsPath}/${own}/trace` })).statusCode).toBe(401);
});
