import { afterEach, beforeEach, expect, test } from "vitest";
import { deviceToken, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";

let api: TestApi;

beforeEach(async () => {
  api = await openTestApi();
});
afterEach(() => api.server.close());

const batch = "0193a5f0-1234-7000-8abc-0123456789ab".slice(0, -4);

test("a page is items and a cursor, which leads to the next", async () => {
  const { body: posted } = await api.post({ to: { token: deviceToken }, alert: "Hello" });
  api.delivery.next = { batch, place: 700 };
  const { status, body } = await api.get(notificationsPath);
  expect(status).toBe(200);
  expect(body).toEqual({
    items: [expect.objectContaining({ id: posted.results[0].id, apnsId: posted.results[0].id })],
    cursor: expect.stringMatching(/^[\w-]{22}$/),
  });
  expect(api.delivery.lastList).toEqual({ limit: 100 });
  api.delivery.next = undefined;
  const { body: last } = await api.get(`${notificationsPath}?after=${body.cursor}`);
  expect(last).not.toHaveProperty("cursor");
  expect(api.delivery.lastList).toEqual({ limit: 100, after: { batch, place: 700 } });
});

test("everything that can be asked for arrives", async () => {
  const query =
    `status=rejected&token=${deviceToken.toUpperCase()}&reference=${encodeURIComponent("order 7/ü")}&limit=7` +
    "&since=2026-11-01T00:00:00Z&until=2026-11-02T01:00:00%2B01:00";
  expect((await api.get(`${notificationsPath}?${query}`)).status).toBe(200);
  expect(api.delivery.lastList).toEqual({
    ...{ status: "rejected", deviceToken, reference: "order 7/ü", limit: 7 },
    ...{ sinceMs: Date.UTC(2026, 10, 1), untilMs: Date.UTC(2026, 10, 2) },
  });
});

test.each([
  ["status=lost", "status", /"queued"/],
  ["token=xyz", "token", /hex digits/],
  ["reference=", "reference", /./],
  ["limit=0", "limit", /./],
  ["limit=1001", "limit", /./],
  ["since=yesterday", "since", /a time with its offset/],
  ["until=2026-11-02T01:00:00+01:00", "until", /%2B/],
  ["since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z", "until", /not after since/],
  ["after=abc", "after", /as it came/],
  ["before=abc", "before", /./],
])("refuses %s, says where and what to do", async (query, parameter, detail) => {
  const { status, body } = await api.get(`${notificationsPath}?${query}`);
  expect(status).toBe(422);
  expect(body.errors).toEqual([{ parameter, detail: expect.stringMatching(detail) }]);
  expect(JSON.stringify(body)).not.toContain(deviceToken);
});
