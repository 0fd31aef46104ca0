import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { QueueFullError } from "../delivery/index.ts";
import { adminKey, deviceToken, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";

let api: TestApi;

beforeEach(async () => {
  api = await openTestApi();
});
afterEach(() => api.server.close());

const good = JSON.stringify({ to: { token: deviceToken }, alert: "Hello" });
const headers = { authorization: `Bearer ${adminKey}`, "content-type": "application/x-ndjson" };

async function post(
  payload: string | Buffer,
  query = "",
  extra: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const url = `${notificationsPath}${query}`;
  const all = { ...headers, ...extra };
  const answer = await api.server.inject({ method: "POST", url, headers: all, payload });
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload };
}

function references(): (string | undefined)[] {
  return api.delivery.submissions.flatMap(({ drafts }) => drafts.map(({ reference }) => reference));
}

function line(reference: number): string {
  return JSON.stringify({ to: { token: deviceToken }, alert: "Hello", reference: String(reference) });
}

test("every line is taken or refused by itself, and the answer counts recipients and names lines", async () => {
  const two = JSON.stringify({ to: { tokens: [deviceToken, deviceToken] }, alert: "Hi" });
  const body = `${good}\r\n\n{"to":\n${JSON.stringify({ to: { token: "odd" }, alert: "x" })}\n${two}\n[]`;
  const { status, text } = await post(body);
  expect(status).toBe(202);
  expect(JSON.parse(text)).toEqual({
    accepted: 3,
    rejected: 3,
    errors: [
      { line: 3, pointer: "/to", detail: expect.stringMatching(/column 7/) },
      { line: 4, pointer: "/to/token", detail: expect.any(String) },
      { line: 6, pointer: "", detail: expect.stringMatching(/one notification/) },
    ],
  });
});

test("a list in a line is refused, for lines are the list", async () => {
  const { status, text } = await post(`{"notifications":[${good}]}`);
  expect(status).toBe(422);
  expect(JSON.parse(text).errors[0]).toMatchObject({
    line: 1,
    detail: expect.stringMatching(/line of its own/),
  });
});

test("a body without any notification is 422", async () => {
  expect((await post("\n \n")).status).toBe(422);
  expect((await post("")).status).toBe(422);
  expect(api.delivery.submissions).toEqual([]);
});

test("lines keep their order, in groups no larger than a batch", async () => {
  const body = Array.from({ length: 2_500 }, (_, reference) => line(reference)).join("\n");
  expect(JSON.parse((await post(body)).text)).toEqual({ accepted: 2_500, rejected: 0, errors: [] });
  expect(references()).toEqual(Array.from({ length: 2_500 }, (_, reference) => String(reference)));
  for (const { drafts } of api.delivery.submissions) expect(drafts.length).toBeLessThanOrEqual(1_000);
});

test("the first 100 problems are told, and all are counted", async () => {
  const { status, text } = await post(`${"{}\n".repeat(150)}${good}`);
  expect(status).toBe(202);
  const { accepted, rejected, errors } = JSON.parse(text);
  expect({ accepted, rejected }).toEqual({ accepted: 1, rejected: 150 });
  expect(errors).toHaveLength(100);
});

test("a body of lines may come compressed", async () => {
  const { text } = await post(gzipSync(`${good}\n`.repeat(3)), "", { "content-encoding": "gzip" });
  expect(JSON.parse(text).accepted).toBe(3);
});

test("validate=true counts what would be taken and stores nothing", async () => {
  const { status, text } = await post(`${good}\n{}\n`, "?validate=true");
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ accepted: 1, rejected: 1 });
  expect(api.delivery.submissions).toEqual([]);
});

test.each(["?wait=1", "?wait=1&results=each"])(
  "%s is refused, for lines may be any number",
  async (query) => {
    const { status, text } = await post(good, query);
    expect(status).toBe(422);
    expect(JSON.parse(text).errors[0].parameter).toBe("wait");
  },
);

test("results=each belongs to lines", async () => {
  expect((await api.post({ to: { token: deviceToken }, alert: "x" }, "?results=each")).status).toBe(422);
});

test("results=each answers with a line for every line", async () => {
  const two = JSON.stringify({ to: { tokens: [deviceToken, deviceToken] }, alert: "Hi" });
  const answer = await post(`${good}\n\n{}\n${two}`, "?results=each");
  expect(answer.status).toBe(202);
  expect(answer.headers["content-type"]).toBe("application/x-ndjson");
  const lines = answer.text
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text));
  expect(lines).toEqual([
    { line: 1, results: [{ id: expect.any(String), status: "queued" }] },
    { line: 3, error: expect.objectContaining({ status: 422 }) },
    { line: 4, results: [1, 2].map(() => ({ id: expect.any(String), status: "queued" })) },
  ]);
  for (const { id } of [...lines[0].results, ...lines[2].results])
    expect(api.delivery.records.has(id)).toBe(true);
});

test("a full queue is 503 with what was stored and what was not", async () => {
  api.delivery.refusal = new QueueFullError("The queue is full (5 notifications).", 10);
  const { status, headers: given, text } = await post(`${good}\n${good}\n`);
  expect(status).toBe(503);
  expect(given["retry-after"]).toBe("10");
  expect(JSON.parse(text)).toMatchObject({
    detail: expect.stringMatching(/0 notifications of this body are on disk.*behind 2/),
    errors: [{ line: 1, detail: "Lines 1 to 2 were not stored." }],
  });
  const each = await post(good, "?results=each");
  expect(JSON.parse(each.text).error.status).toBe(503);
});

test("a body is read only as fast as the disk takes it", async () => {
  let open = (): void => {};
  api.delivery.disk = new Promise((resolve) => {
    open = resolve;
  });
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = api.server.server.address() as AddressInfo;
  const call = request({ port, method: "POST", path: notificationsPath, headers, host: "127.0.0.1" });
  const answered = once(call, "response");
  const chunk = `${good}\n`.repeat(1_000);
  let written = 0;
  // A hundred megabytes would fit nowhere; writing stops because nobody reads.
  while (written < 1_000 && call.write(chunk)) written += 1;
  for (; written < 1_000; written += 1) {
    const drained = await Promise.race([once(call, "drain").then(() => true), quiet()]);
    if (!drained) break;
    call.write(chunk);
  }
  expect(written).toBeLessThan(1_000);
  open();
  call.end();
  const [response] = await answered;
  let text = "";
  for await (const part of response) text += part;
  expect(JSON.parse(text).accepted).toBe((written + 1) * 1_000);
});

/** False when the event loop went round so often that whoever wanted to read would have. */
async function quiet(): Promise<false> {
  for (let turn = 0; turn < 20_000; turn += 1) await new Promise(setImmediate);
  return false;
}
