import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { systemClock } from "@carillon/apns";
import { afterEach, expect, test } from "vitest";
import { makeServerCertificate } from "../../../../../test/support/server-certificate.ts";
import { TestReceiver } from "./receiver.test-support.ts";
import { type CallLimits, defaultCallLimits, Receiver, type ReceiverOptions } from "./receiver.ts";
import { ReceiverPolicy } from "./receiver-policy.ts";

const open = new ReceiverPolicy({ allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.0/8"] });
const strict = new ReceiverPolicy({ allowHttp: true, allowPorts: "any" });
const body = Buffer.from('{"items":[]}');
/** For what never answers. */
const impatient: CallLimits = { ...defaultCallLimits, deadlineMs: 300 };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function receiver(url: string, options: Partial<ReceiverOptions> = {}): Receiver {
  const made = new Receiver({
    url,
    policy: open,
    resolve: async () => ["127.0.0.1"],
    clock: systemClock,
    limits: defaultCallLimits,
    ...options,
  });
  cleanUps.push(() => made.close());
  return made;
}

async function listen(...[options]: Parameters<typeof TestReceiver.start>): Promise<TestReceiver> {
  const made = await TestReceiver.start(options);
  cleanUps.push(() => made.close());
  return made;
}

/** A server that speaks in bytes. */
async function listenRaw(
  speak: (socket: Socket, index: number) => void,
): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.push(socket);
    speak(socket, sockets.length - 1);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, sockets };
}

const post = (to: Receiver) => to.post(body, { "content-type": "application/json" });

test("posts the body as it is, asks for no compression, and tells status and time", async () => {
  const server = await listen();
  const result = await post(receiver(server.url));
  expect(result).toEqual({ kind: "answered", status: 204, latencyMs: expect.any(Number) });
  expect(server.calls).toMatchObject([
    {
      text: '{"items":[]}',
      headers: { "content-type": "application/json", "content-length": "12", "accept-encoding": "identity" },
    },
  ]);
});

test("one connection serves one call after the other", async () => {
  const server = await listen();
  const to = receiver(server.url);
  for (let call = 0; call < 5; call++) await post(to);
  expect(server.connections).toBe(1);
});

test("a kept connection that the receiver has closed costs no failure", async () => {
  const server = await listenRaw((socket, index) => {
    socket.on("data", () => {
      if (index === 0 && socket.bytesWritten > 0) socket.resetAndDestroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
  });
  const to = receiver(server.url);
  expect(await post(to)).toMatchObject({ status: 200 });
  expect(await post(to)).toMatchObject({ status: 200 });
  expect(server.sockets).toHaveLength(2);
});

// failures.md 4.3: each of these has been a way around somebody's check.
test.each([
  ["a name for this machine", ["127.0.0.1"]],
  ["a public and a private address", ["1.1.1.1", "127.0.0.1"]],
  ["IPv6 for this machine", ["::1"]],
  ["a mapped address", ["::ffff:127.0.0.1"]],
  ["a mapped address in hex", ["::ffff:7f00:1"]],
  ["NAT64", ["64:ff9b::7f00:1"]],
  ["metadata", ["169.254.169.254"]],
  ["a provider's network", ["100.64.0.1"]],
  ["an address that is none", ["0x7f.1"]],
  ["nothing at all", []],
])("a name that leads to %s is refused when it is called, without a connection", async (_what, addresses) => {
  const server = await listen();
  const to = receiver(server.urlFor("hooks.example.com"), { policy: strict, resolve: async () => addresses });
  expect(await post(to)).toMatchObject({
    kind: "refused",
    detail: expect.stringMatching(/address|network|metadata/),
  });
  expect(server.connections).toBe(0);
});

test("row 91: a name that leads elsewhere by the next look-up is connected to where it was checked, or not at all", async () => {
  const server = await listen({
    answer: (response) => response.writeHead(200, { connection: "close" }).end(),
  });
  const inner = await listen();
  // Allowed first and forbidden later: rebinding to 127.0.0.2 on the very port that something listens on.
  const answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.1"]];
  const policy = new ReceiverPolicy({ allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.1"] });
  let asked = 0;
  const resolve = async () => answers[asked++] ?? [];
  const to = receiver(server.urlFor("rebind.example.com"), { policy, resolve });
  expect((await post(to)).kind).toBe("answered");
  expect((await post(to)).kind).toBe("refused");
  expect((await post(to)).kind).toBe("refused");
  expect((await post(to)).kind).toBe("answered");
  expect([asked, server.connections, inner.connections]).toEqual([4, 2, 0]);
});

test("a kept connection does not spare the check", async () => {
  const server = await listen();
  const policy = new ReceiverPolicy({ allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.1"] });
  const answers = [["127.0.0.1"], ["10.0.0.1"]];
  const to = receiver(server.urlFor("hooks.example.com"), {
    policy,
    resolve: async () => answers.shift() ?? [],
  });
  expect((await post(to)).kind).toBe("answered");
  expect((await post(to)).kind).toBe("refused");
  expect(server.calls).toHaveLength(1);
});

test("an address that may not be used is refused also where it stands in the settings already", async () => {
  const server = await listen();
  for (const url of [server.url, server.urlFor("0x7f.1"), server.urlFor("[::ffff:127.0.0.1]")])
    expect((await post(receiver(url, { policy: strict }))).kind).toBe("refused");
  expect(server.connections).toBe(0);
});

test("over TLS the certificate is held against the name, and Host and SNI carry it, though the address is pinned", async () => {
  const { ca, ...tls } = await makeServerCertificate(["hooks.example.com"]);
  const server = await listen({ tls });
  const to = receiver(server.urlFor("hooks.example.com"), { ca });
  expect(await post(to)).toMatchObject({ kind: "answered", status: 204 });
  expect(server.calls[0]?.headers.host).toBe(`hooks.example.com:${server.port}`);
  expect(server.calls[0]?.socket).toMatchObject({ servername: "hooks.example.com" });
});

test.each([
  ["of an unknown authority", ["hooks.example.com"], 30, false],
  ["for another name", ["other.example.com"], 30, true],
  ["that has expired", ["hooks.example.com"], -0.5, true],
])("a certificate %s ends the call before anything is sent", async (_what, names, days, isTrusted) => {
  const { ca, ...tls } = await makeServerCertificate(names, days);
  const server = await listen({ tls });
  const to = receiver(server.urlFor("hooks.example.com"), isTrusted ? { ca } : {});
  expect(await post(to)).toMatchObject({ kind: "failed", detail: expect.stringContaining("TLS: ") });
  expect(server.calls).toHaveLength(0);
});

test("a port that speaks no TLS is told as that", async () => {
  const server = await listen();
  const result = await post(receiver(server.url.replace("http:", "https:")));
  expect(result).toMatchObject({ kind: "failed", detail: expect.stringContaining("TLS") });
});

test.each([301, 302, 303, 307, 308])(
  "a redirect (%i) is an answer and nothing that is followed",
  async (status) => {
    const target = await listen();
    const server = await listen({
      answer: (response) => response.writeHead(status, { location: target.url }).end(),
    });
    expect(await post(receiver(server.url))).toMatchObject({ kind: "answered", status });
    expect(target.connections).toBe(0);
  },
);

test("Retry-After comes with the status", async () => {
  const server = await listen({
    answer: (response) => response.writeHead(503, { "retry-after": "7" }).end(),
  });
  expect(await post(receiver(server.url))).toMatchObject({ status: 503, retryAfterMs: 7_000 });
});

test.each([
  ["says nothing", () => undefined],
  [
    "drips its headers a byte at a time",
    (socket: Socket) => drip(socket, `HTTP/1.1 200 OK\r\nx: ${"y".repeat(9_000)}`),
  ],
  [
    "sends interim answers without end",
    (socket: Socket) => drip(socket, "HTTP/1.1 100 Continue\r\n\r\n".repeat(900)),
  ],
])("a receiver that %s is given up at the deadline", async (_what, speak) => {
  const server = await listenRaw((socket) => void speak(socket));
  const result = await post(receiver(server.url, { limits: impatient }));
  expect(result).toMatchObject({ kind: "failed", detail: "no status came within 0.3 s" });
});

test("a name that is never answered counts against the same deadline", async () => {
  const to = receiver("http://silent.example.com/", {
    limits: impatient,
    resolve: () => new Promise(() => undefined),
  });
  expect(await post(to)).toMatchObject({ kind: "failed", detail: "no status came within 0.3 s" });
});

test("a body that drips does not hold the call: its status counts, and the connection is closed", async () => {
  const server = await listenRaw((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n");
      drip(socket, "z".repeat(90_000));
    });
  });
  const limits = { ...defaultCallLimits, restMs: 50 };
  expect(await post(receiver(server.url, { limits }))).toMatchObject({ kind: "answered", status: 200 });
  await closed(server.sockets[0]);
});

test("of an answer of a gigabyte no more than 64 KiB and what lay in the buffers is read", async () => {
  let written = 0;
  const server = await listen({
    answer: (response) => {
      response.writeHead(200, { "content-length": String(2 ** 30) });
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && written < 2 ** 30) {
          written += chunk.length;
          if (!response.write(chunk)) return;
        }
      };
      response.on("drain", more);
      more();
    },
  });
  const to = receiver(server.url, { limits: { ...defaultCallLimits, restMs: 60_000 } });
  expect(await post(to)).toMatchObject({ kind: "answered", status: 200 });
  await closed(server.calls[0]?.socket);
  expect(written).toBeLessThan(32 * 2 ** 20);
});

test("a gzip bomb stays as small as it came", async () => {
  const bomb = gzipSync(Buffer.alloc(128 * 2 ** 20));
  const server = await listen({
    answer: (response) =>
      response.writeHead(200, { "content-encoding": "gzip", "content-length": bomb.length }).end(bomb),
  });
  const before = process.memoryUsage().rss;
  expect(await post(receiver(server.url))).toMatchObject({ kind: "answered", status: 200 });
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});

test("headers without end are an error of the answer", async () => {
  const server = await listen({
    answer: (response) => response.writeHead(200, { x: "y".repeat(20_000) }).end(),
  });
  expect(await post(receiver(server.url))).toMatchObject({
    kind: "failed",
    detail: expect.stringContaining("16 KiB"),
  });
});

test.each([
  ["resets before a status", (socket: Socket) => socket.resetAndDestroy(), "reset before a status"],
  ["closes before a status", (socket: Socket) => socket.end(), "reset before a status"],
  [
    "resets in the middle of the status",
    (socket: Socket) => socket.write("HTTP/1.1 20", () => socket.resetAndDestroy()),
    "reset before a status",
  ],
  ["speaks another protocol", (socket: Socket) => socket.end("220 mail.example.com ESMTP\r\n"), "not HTTP"],
])("a receiver that %s has taken nothing for certain", async (_what, speak, words) => {
  const server = await listenRaw((socket) => socket.once("data", () => speak(socket)));
  expect(await post(receiver(server.url))).toMatchObject({
    kind: "failed",
    detail: expect.stringContaining(words),
  });
});

test("a reset behind the status changes nothing about it", async () => {
  // A reset takes with it what was not read yet, so it waits until this process has read: a whole turn of the loop.
  const server = await listenRaw((socket) =>
    socket.once("data", () =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", () =>
        setImmediate(() => setImmediate(() => setImmediate(() => socket.resetAndDestroy()))),
      ),
    ),
  );
  expect(await post(receiver(server.url))).toMatchObject({ kind: "answered", status: 200 });
});

test("nobody listens there, and that is said", async () => {
  const server = await TestReceiver.start();
  const { url } = server;
  await server.close();
  expect(await post(receiver(url))).toMatchObject({ kind: "failed", detail: "nobody listens there" });
});

test("closing ends the call under way", async () => {
  const server = await listenRaw(() => undefined);
  const to = receiver(server.url);
  const call = post(to);
  to.close();
  expect(await call).toMatchObject({ kind: "failed", detail: "the call was called off" });
});

/** Sends a text byte by byte, a few milliseconds apart, until the other end has had enough. */
function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text.charAt(at));
    at += 1;
  }, 5);
  socket.once("close", () => clearInterval(timer));
}

async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}
