import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { adminKey, deviceToken, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";

let api: TestApi;
let url: string;

async function open(bodyBytes = 100_000): Promise<void> {
  api = await openTestApi({ bodyLimits: { bodyBytes, allBodiesBytes: bodyBytes * 2, bodyMs: 60_000 } });
  url = await api.server.listen({ host: "127.0.0.1", port: 0 });
}

beforeEach(() => open());
afterEach(() => api.server.close());

const headers = { authorization: `Bearer ${adminKey}`, "content-type": "application/json" };
const hello = JSON.stringify({ to: { token: deviceToken }, alert: "Hello" });

/** Everything that the server says to these bytes until it closes. */
async function answerTo(bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    answer += chunk;
  });
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

test("bytes that are no HTTP are answered with a problem and the connection ends", async () => {
  const answer = await answerTo(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
  expect(answer).toMatch("TLS belongs before it");
});

test("headers that are too large are 431", async () => {
  const answer = await answerTo(`GET / HTTP/1.1\r\nhost: x\r\nx-large: ${"x".repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
});

test("a body that is announced too large is 413 before it was sent", async () => {
  const head = Object.entries({ ...headers, host: "x", "content-length": "100001" }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const answer = await answerTo(`POST ${notificationsPath} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toMatch("A body may be 100000 bytes");
});

test("a body of unknown length is 413 as soon as it is too large", async () => {
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(Buffer.alloc(60_000, " "));
    },
  });
  const answer = await fetch(`${url}${notificationsPath}`, {
    method: "POST",
    headers,
    body,
    duplex: "half",
  } as RequestInit).catch((error: unknown) => error);
  // Whether the caller still hears it while it sends is up to its client; that it must stop is not.
  if (answer instanceof Response) expect(answer.status).toBe(413);
  expect(api.delivery.submissions).toEqual([]);
});

test("a body that comes in pieces is put together", async () => {
  const pieces = [hello.slice(0, 7), hello.slice(7)];
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(Buffer.from(piece));
    },
  });
  const answer = await fetch(`${url}${notificationsPath}`, {
    method: "POST",
    headers,
    body,
    duplex: "half",
  } as RequestInit);
  expect(answer.status).toBe(202);
});

test("a caller who hangs up in the middle of a body leaves no error in the log", async () => {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const head = Object.entries({ ...headers, host: "x", "content-length": "1000" }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`POST ${notificationsPath} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n{"to"`);
  await once(api.server.server, "request");
  socket.destroy();
  await expect.poll(async () => (await openConnections()) === 0, { timeout: 10_000 }).toBe(true);
  expect(api.log()).not.toMatch('"level":50');
  expect(api.delivery.submissions).toEqual([]);
});

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) =>
    api.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

test("when a caller hangs up while it waits, nobody waits any longer", async () => {
  api.delivery.waitsForever = true;
  const caller = request(`${url}${notificationsPath}?wait=30`, { method: "POST", headers, agent: false });
  caller.on("error", () => undefined).end(hello);
  await expect.poll(() => api.delivery.lastWait, { timeout: 10_000 }).toBeDefined();
  expect(api.delivery.lastWait?.signal?.aborted).toBe(false);
  caller.destroy();
  await expect.poll(() => api.delivery.lastWait?.signal?.aborted, { timeout: 10_000 }).toBe(true);
});

test("a compressed body that never ends is stopped when it has unfolded too far", async () => {
  const gzip = createGzip();
  const caller = request(`${url}${notificationsPath}`, {
    method: "POST",
    headers: { ...headers, "content-encoding": "gzip" },
    agent: false,
  });
  caller.on("error", () => undefined);
  const answered = once(caller, "response");
  const zeros = Readable.from(endless(), { objectMode: false });
  zeros.pipe(gzip).pipe(caller);
  const [answer] = await answered;
  expect(answer.statusCode).toBe(413);
  zeros.destroy();
  caller.destroy();
  await expect.poll(openConnections, { timeout: 10_000 }).toBe(0);
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

test("connections and time are bounded", () => {
  const { maxConnections, headersTimeout, keepAliveTimeout, timeout } = api.server.server;
  for (const bound of [maxConnections, headersTimeout, keepAliveTimeout, timeout]) {
    expect(bound).toBeGreaterThan(0);
    expect(bound).toBeLessThanOrEqual(120_000);
  }
});

test("neither the key nor a whole device token is ever logged or answered", async () => {
  const canaryToken = `c0ffee${"5e".repeat(29)}`;
  const post = (body: string, query = ""): Promise<Response> =>
    fetch(`${url}${notificationsPath}${query}`, { method: "POST", headers, body });
  const answers = [
    await post(JSON.stringify({ to: { token: canaryToken }, alert: "x" }), "?wait=0"),
    await post(JSON.stringify({ to: { token: `${canaryToken}f` }, alert: "x" })),
    await post(JSON.stringify({ to: { token: canaryToken }, alert: "x", collapseId: canaryToken.repeat(2) })),
    await post(JSON.stringify({ to: canaryToken, alert: "x" })),
    await post(JSON.stringify({ to: { tokens: canaryToken }, alert: "x" })),
    await post(`{"to":{"token":"${canaryToken}`),
    await post("{}", `?token=${canaryToken}`),
    await fetch(`${url}/v1/apps/${canaryToken}/notifications/${canaryToken}`, { headers }),
    await fetch(`${url}/${canaryToken}?key=${adminKey}`),
    await fetch(`${url}${notificationsPath}`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminKey}x` },
    }),
  ];
  api.delivery.refusal = new Error("something");
  answers.push(await post(JSON.stringify({ to: { token: canaryToken }, alert: "x" })));
  const said = (await Promise.all(answers.map((answer) => answer.text()))).join("\n") + api.log();
  expect(answers.map(({ status }) => status)).toEqual([
    200, 422, 422, 422, 422, 400, 422, 404, 404, 401, 500,
  ]);
  expect(api.log()).toMatch("a request failed");
  expect(said).not.toMatch(canaryToken);
  expect(said).not.toMatch(adminKey);
});
