import { afterEach, beforeEach, expect, test } from "vitest";
import { QueueFullError } from "../delivery/index.ts";
import { adminKey, deviceToken, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";

let api: TestApi;
let id: string;

beforeEach(async () => {
  api = await openTestApi();
  const { body } = await api.post({ to: { token: deviceToken }, alert: "Hello", reference: "r" });
  id = body.results[0].id;
});
afterEach(() => api.server.close());

async function cancel(path = id) {
  const answer = await api.server.inject({
    method: "DELETE",
    url: `${notificationsPath}/${path}`,
    headers: { authorization: `Bearer ${adminKey}` },
  });
  return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(answer.payload) };
}

test("what was not sent yet is cancelled, and the answer is all that is known of it", async () => {
  const { status, body } = await cancel();
  expect(status).toBe(200);
  expect(body).toMatchObject({ id, apnsId: id, status: "cancelled", reference: "r" });
  expect((await api.get(`${notificationsPath}/${id}`)).body).toEqual(body);
});

test.each([
  ["final", /It is queued, and that stays so/],
  ["in-flight", /on its way to Apple/],
  ["in-doubt", /Apple may have it/],
] as const)("it is 409 with its present state when it is too late: %s", async (cause, why) => {
  api.delivery.tooLate = cause;
  const { status, headers, body } = await cancel();
  expect(status).toBe(409);
  expect(headers["content-type"]).toMatch(/problem\+json/);
  expect(body).toMatchObject({
    type: "urn:carillon:problem:not-cancelled",
    detail: expect.stringMatching(why),
    errors: [],
    notification: { id, status: "queued" },
  });
});

test("an unknown one is 404, and a full disk 503 with Retry-After", async () => {
  expect((await cancel("unknown")).body.type).toBe("urn:carillon:problem:no-such-notification");
  api.delivery.refusal = new QueueFullError("The disk is full.", 30);
  expect(await cancel()).toMatchObject({ status: 503, headers: { "retry-after": "30" } });
});
