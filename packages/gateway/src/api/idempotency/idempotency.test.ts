import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QueueFullError } from "../../delivery/index.ts";
import { adminKey, deviceToken, notificationsPath, openTestApi, type TestApi } from "../api.test-support.ts";

let api: TestApi;

beforeEach(async () => {
  api = await openTestApi();
});
afterEach(() => api.server.close());

const json = "application/json";
const ndjson = "application/x-ndjson";
const hello = { to: { token: deviceToken }, alert: "Hello" };

async function post(
  payload: string | Buffer | object,
  { key = "k1", query = "", type = json, extra = {} }: PostOptions = {},
) {
  const answer = await api.server.inject({
    method: "POST",
    url: `${notificationsPath}${query}`,
    headers: { authorization: `Bearer ${adminKey}`, "content-type": type, "idempotency-key": key, ...extra },
    payload: typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });
  const isReplay = answer.headers["idempotency-replayed"] === "true";
  return { status: answer.statusCode, headers: answer.headers, isReplay, body: JSON.parse(answer.payload) };
}

interface PostOptions {
  readonly key?: string;
  readonly query?: string;
  readonly type?: string;
  readonly extra?: Record<string, string>;
}

/** How many notifications were ever stored. */
function stored(): number {
  return api.delivery.records.size;
}

describe("a JSON body", () => {
  test("that comes again under its key is answered as the first time, and is not taken again", async () => {
    const second = "cd".repeat(32);
    const body = {
      notifications: [
        hello,
        { to: { tokens: [deviceToken, second] }, alert: "Hi" },
        { to: { token: "odd" }, alert: "x" },
        { ...hello, sendAt: new Date(Date.now() + 60_000) },
      ],
    };
    const first = await post(body);
    expect(first).toMatchObject({ status: 202, isReplay: false });
    expect(first.body.results).toHaveLength(5);
    const again = await post(body);
    expect(again).toMatchObject({ status: 202, isReplay: true });
    expect(again.body).toEqual(first.body);
    expect(stored()).toBe(4);
  });

  test("of 10,000 notifications is remembered too", async () => {
    const tokens = Array.from({ length: 10_000 }, (_, index) => index.toString(16).padStart(64, "0"));
    const first = await post({ to: { tokens }, alert: "Hi" });
    const again = await post({ to: { tokens }, alert: "Hi" });
    expect(again.isReplay).toBe(true);
    expect(again.body).toEqual(first.body);
    expect(stored()).toBe(10_000);
  });

  test("may come compressed or not: what counts is what it says", async () => {
    const text = JSON.stringify(hello);
    await post(text);
    const again = await post(gzipSync(text), { extra: { "content-encoding": "gzip" } });
    expect(again).toMatchObject({ status: 202, isReplay: true });
  });

  test("is refused with 409 when its key belongs to another, and nothing is stored", async () => {
    await post(hello);
    const other = await post({ ...hello, alert: "Hello!" });
    expect(other).toMatchObject({ status: 409, body: { type: "urn:carillon:problem:key-used" } });
    expect((await post("[", { type: ndjson })).status).toBe(409);
    expect(stored()).toBe(1);
  });

  test("is refused with 409 while the first is under way, and answered as it afterwards", async () => {
    let open = (): void => {};
    api.delivery.disk = new Promise((resolve) => {
      open = resolve;
    });
    const first = post(hello);
    await expect.poll(async () => (await post(hello)).body.type).toBe("urn:carillon:problem:key-under-way");
    const second = await post(hello);
    expect(second).toMatchObject({ status: 409, headers: { "retry-after": "1" } });
    const elsewhere = post(hello, { key: "k2" });
    open();
    expect((await first).status).toBe(202);
    expect((await elsewhere).status).toBe(202);
    expect(await post(hello)).toMatchObject({ status: 202, isReplay: true, body: (await first).body });
    expect(stored()).toBe(2);
  });

  test("has the key to itself, app by app and letter by letter", async () => {
    await post(hello);
    expect((await post(hello, { key: "K1" })).isReplay).toBe(false);
    expect((await post(hello, { key: '"k1"' })).isReplay).toBe(false);
    expect(stored()).toBe(3);
  });

  test("that was refused leaves nothing remembered: neither 422 nor 503", async () => {
    expect((await post({ ...hello, badge: -1 })).status).toBe(422);
    api.delivery.refusal = new QueueFullError("The queue is full.", 10);
    expect((await post(hello)).status).toBe(503);
    api.delivery.refusal = undefined;
    expect(await post(hello)).toMatchObject({ status: 202, isReplay: false });
  });

  test("with wait is answered with what has become of it by now", async () => {
    const first = await post(hello);
    api.delivery.finish = (record) => ({ ...record, status: "accepted" });
    const again = await post(hello, { query: "?wait=5" });
    expect(again).toMatchObject({ status: 200, isReplay: true });
    expect(again.body.results).toMatchObject([{ id: first.body.results[0].id, status: "accepted" }]);
  });

  test("with validate stores nothing and remembers nothing, whatever was sent under the key", async () => {
    expect(await post(hello, { query: "?validate=true" })).toMatchObject({ status: 200, isReplay: false });
    expect(await post(hello)).toMatchObject({ status: 202, isReplay: false });
    expect(await post({ ...hello, alert: "x" }, { query: "?validate=true" })).toMatchObject({ status: 200 });
  });

  test("is taken anew when a day has gone by", async () => {
    await post(hello);
    api.delivery.forget();
    expect(await post({ ...hello, alert: "Later" })).toMatchObject({ status: 202, isReplay: false });
    expect(await post({ ...hello, alert: "Later" })).toMatchObject({ status: 202, isReplay: true });
    expect(stored()).toBe(2);
  });

  test.each([
    ["empty", ""],
    ["with a space", "a b"],
    ["with an umlaut", "ü"],
    ["of 256 letters", "k".repeat(256)],
  ])("under a key that is %s is refused, says where and what to do", async (_name, key) => {
    const { status, body } = await post(hello, { key });
    expect(status).toBe(422);
    expect(body.errors).toEqual([
      { parameter: "Idempotency-Key", detail: expect.stringMatching(/1 to 255 visible ASCII/) },
    ]);
    expect(stored()).toBe(0);
    expect((await post(hello, { key: "k".repeat(255) })).status).toBe(202);
  });
});

describe("a body of lines", () => {
  const line = (reference: number): string => `${JSON.stringify({ ...hello, reference: `${reference}` })}\n`;
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) => line(from + index)).join("");
  const bad = '{"to":\n';
  const references = (): (string | undefined)[] =>
    [...api.delivery.records.values()].map(({ reference }) => reference);
  const numbers = (to: number): string[] => Array.from({ length: to }, (_, index) => `${index}`);

  /** Sends a part, and breaks off once it is stored. */
  async function breakOff(part: string, count: number): Promise<void> {
    const url = new URL(
      notificationsPath,
      `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}`,
    );
    const headers = { authorization: `Bearer ${adminKey}`, "content-type": ndjson, "idempotency-key": "k1" };
    const sent = request(url, { method: "POST", headers });
    sent.on("error", () => undefined);
    sent.write(part);
    await expect.poll(stored, { timeout: 20_000 }).toBe(count);
    const closed = new Promise((resolve) => sent.once("close", resolve));
    sent.destroy();
    await closed;
  }

  /** The server notices by itself that the caller is gone. */
  async function postLater(payload: string) {
    await expect
      .poll(async () => (await post("[", { type: ndjson })).body.type, { timeout: 20_000 })
      .toBe("urn:carillon:problem:key-used");
    return post(payload, { type: ndjson });
  }

  test("that comes again under its key is answered as the first time, and no line is taken again", async () => {
    const body = `${lines(0, 1_500)}${bad}\n${lines(1_500, 1_600)}${bad}`;
    const first = await post(body, { type: ndjson });
    expect(first).toMatchObject({ status: 202, isReplay: false, body: { accepted: 1_600, rejected: 2 } });
    const again = await post(body, { type: ndjson });
    expect(again).toMatchObject({ status: 202, isReplay: true });
    expect(again.body).toEqual(first.body);
    expect(references()).toEqual(numbers(1_600));
  });

  test("that broke off goes on where it did, and the answer counts all of it", async () => {
    await api.server.listen({ port: 0, host: "127.0.0.1" });
    await breakOff(`${lines(0, 10)}${bad}${lines(10, 1_234)}{"to":`, 1_234);
    const whole = `${lines(0, 10)}${bad}${lines(10, 3_000)}`;
    const answer = await postLater(whole);
    expect(answer).toMatchObject({ status: 202, isReplay: false, body: { accepted: 3_000, rejected: 1 } });
    expect(answer.body.errors).toMatchObject([{ line: 11 }]);
    expect(references()).toEqual(numbers(3_000));
    expect(await post(whole, { type: ndjson })).toMatchObject({ isReplay: true, body: answer.body });
  });

  test.each([
    ["begins otherwise", (body: string) => body.replace('"7"', '"seven"'), 0],
    ["ends earlier than it did before", () => lines(0, 99), 0],
    ["has one line more before", (body: string) => `\n${body}`, 0],
  ])("that broke off and %s is refused with 409", async (_name, change, more) => {
    await api.server.listen({ port: 0, host: "127.0.0.1" });
    await breakOff(lines(0, 100), 100);
    const answer = await postLater(change(lines(0, 200)));
    expect(answer).toMatchObject({ status: 409, body: { type: "urn:carillon:problem:key-used" } });
    expect(stored()).toBe(100 + more);
  });

  test("that was whole and comes longer, shorter or as JSON is refused with 409", async () => {
    await post(lines(0, 100), { type: ndjson });
    for (const body of [lines(0, 101), lines(0, 99), lines(1, 101)])
      expect((await post(body, { type: ndjson })).status).toBe(409);
    expect((await post(hello)).status).toBe(409);
    expect(stored()).toBe(100);
  });

  test("that the full queue broke off goes on when it has room", async () => {
    const { delivery } = api;
    const take = delivery.take.bind(delivery);
    delivery.take = (app, drafts, remembering) => {
      if (stored() >= 1_000) delivery.refusal = new QueueFullError("The queue is full.", 10);
      return take(app, drafts, remembering);
    };
    const refused = await post(lines(0, 3_000), { type: ndjson });
    expect(refused.status).toBe(503);
    expect(refused.body.detail).toMatch(/send the same body again in 10 s with the same Idempotency-Key/);
    delivery.take = take;
    delivery.refusal = undefined;
    const answer = await post(lines(0, 3_000), { type: ndjson });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 3_000 } });
    expect(references()).toEqual(numbers(3_000));
  });

  test("without a valid line is refused and not remembered", async () => {
    expect((await post(bad, { type: ndjson })).status).toBe(422);
    expect(await post(lines(0, 1), { type: ndjson })).toMatchObject({ status: 202, isReplay: false });
  });

  test("is not answered line by line under a key", async () => {
    const { status, body } = await post(lines(0, 1), { type: ndjson, query: "?results=each" });
    expect(status).toBe(422);
    expect(body.errors[0]).toMatchObject({ parameter: "results" });
    expect(stored()).toBe(0);
  });
});
