import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connectionPreface, frameType } from "@carillon/apns/http2";
import { afterEach, expect, test } from "vitest";
import { completeCredentials } from "../credentials/index.ts";
import { type ConnectionHandler, Http2Speaker } from "../http2/index.ts";
import { RawSender, type RawSenderOptions } from "../raw-sender.test-support.ts";
import { type TlsClient, TlsListener, type TlsListenerOptions } from "./tls-listener.ts";

const { credentials } = completeCredentials({}, "com.example.demo", Date.now());
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Answers every request with a 200. */
const yes: ConnectionHandler = {
  streamLimit: 1000,
  request: ({ streamId }, connection) => connection.answer(streamId, [":status", "200"]),
};

async function listen(
  accept: (client: TlsClient) => ConnectionHandler = () => yes,
  more: Partial<TlsListenerOptions> = {},
) {
  const { authority, server } = credentials;
  const listener = await TlsListener.listen({
    host: "127.0.0.1",
    port: 0,
    ...server,
    clientCa: authority.cert,
    accept: (client) => new Http2Speaker(accept(client)),
    ...more,
  });
  closers.push(() => listener.close(Buffer.alloc(0)));
  const options = { port: listener.port, ca: authority.cert };
  const open = async (more: Partial<RawSenderOptions> = {}): Promise<RawSender> => {
    const sender = await RawSender.open({ ...options, ...more });
    closers.push(() => sender.destroy());
    return sender;
  };
  return { listener, options, open };
}

test.each<[string, readonly string[], ConnectionOptions]>([
  ["h2 by ALPN", ["h2"], {}],
  ["h2 among others", ["http/1.1", "h2"], {}],
  ["no ALPN at all", [], {}],
  ["TLS 1.2", ["h2"], { maxVersion: "TLSv1.2" }],
  ["TLS 1.3", ["h2"], { minVersion: "TLSv1.3" }],
])("speaks HTTP/2 with %s", async (_, alpn, tls) => {
  const { open } = await listen();
  const sender = await open({ alpn, tls });
  sender.push([1]);
  await sender.until(() => sender.ofType(frameType.headers).length === 1);
  expect(sender.socket.alpnProtocol).toBe(alpn.length === 0 ? false : "h2");
});

test.each<[string, readonly string[], ConnectionOptions]>([
  ["HTTP/1.1 alone by ALPN", ["http/1.1"], {}],
  ["TLS 1.1", ["h2"], { minVersion: "TLSv1", maxVersion: "TLSv1.1" }],
])("refuses %s in the handshake", async (_, alpn, tls) => {
  const { open } = await listen();
  await expect(open({ alpn, tls })).rejects.toThrow();
});

test("closes the connection of a client that does not finish its handshake in time", async () => {
  const { listener } = await listen(undefined, { handshakeTimeoutMs: 50 });
  const socket = connectTcp(listener.port, "127.0.0.1");
  closers.push(() => socket.destroy());
  socket.resume();
  await once(socket, "close");
});

test("asks for a client certificate, requires none, and says whether it is trusted", async () => {
  const clients: TlsClient[] = [];
  const { open } = await listen((client) => {
    clients.push(client);
    return yes;
  });
  const stranger = completeCredentials({}, "com.example.demo", Date.now()).credentials.client;
  for (const certificate of [{}, credentials.client, stranger]) {
    const sender = await open(certificate);
    await sender.until(() => sender.frames.length > 0);
  }
  expect(clients.map(({ certificate, isTrusted }) => [certificate !== undefined, isTrusted])).toEqual([
    [false, false],
    [true, true],
    [true, false],
  ]);
});

test("answers of one turn go out in one write", async () => {
  const { open } = await listen();
  const sender = await open();
  sender.push([1]);
  await sender.until(() => sender.ofType(frameType.headers).length === 1);
  const before = sender.chunks;
  sender.push(Array.from({ length: 50 }, (_, at) => 2 * at + 3));
  await sender.until(() => sender.ofType(frameType.headers).length === 51);
  expect(sender.chunks - before).toBeLessThanOrEqual(2);
});

test("a connection error sends GOAWAY, closes without a reset, and leaves others alone", async () => {
  const { open } = await listen();
  const [bad, good] = [await open(), await open()];
  bad.frame(frameType.ping, 0, 1, Buffer.alloc(8));
  bad.push([1, 3, 5]);
  await bad.untilClosed();
  expect(bad.ofType(frameType.goaway)).toHaveLength(1);
  expect(bad.socket.errored).toBeNull();
  good.push([1]);
  await good.until(() => good.ofType(frameType.headers).length === 1);
});

test("HTTP/1 in a connection without ALPN is told so and the connection ends", async () => {
  const { options } = await listen();
  const sender = await RawSender.connect({ ...options, alpn: [] });
  sender.write(Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  await sender.untilClosed();
  expect(sender.ofType(frameType.goaway)[0]?.payload.subarray(8).toString()).toBe(
    "Unexpected HTTP/1.x request: GET / ",
  );
});

test("what a client does not read stays bounded, and others are served meanwhile", async () => {
  const { open } = await listen();
  const [slow, good] = [await open(), await open()];
  slow.socket.pause();
  const pings = Buffer.alloc(17 * 400, `000008060000000000${"00".repeat(8)}`, "hex");
  const mostTurns = 500_000;
  let turns = 0;
  // Where the server stops reading, our own bytes pile up here and not there; where it has had enough, it closes.
  while (slow.socket.writableLength < 1_000_000 && !slow.isClosed && turns < mostTurns) {
    slow.write(pings);
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(turns).toBeLessThan(mostTurns);
  good.push([1]);
  await good.until(() => good.ofType(frameType.headers).length === 1);
});

test("closing says good-bye with GOAWAY to every client and waits until all are gone", async () => {
  const { listener, open } = await listen();
  const senders = [await open(), await open()];
  for (const sender of senders) {
    sender.push([1]);
    await sender.until(() => sender.ofType(frameType.headers).length === 1);
  }
  await listener.close(Buffer.from("bye"));
  for (const sender of senders) {
    await sender.untilClosed();
    expect(sender.ofType(frameType.goaway)[0]?.payload.toString("latin1")).toBe("\0\0\0\x01\0\0\0\0bye");
  }
});

test("closing does not wait for clients in the middle of a handshake, or that never end", async () => {
  const { listener, open } = await listen();
  const halfway = connectTcp(listener.port, "127.0.0.1");
  halfway.on("error", () => {});
  await once(halfway, "connect");
  const stubborn = await open({ tls: { allowHalfOpen: true } as ConnectionOptions });
  await stubborn.until(() => stubborn.frames.length > 0);
  await listener.close(Buffer.alloc(0));
  if (!halfway.closed) await once(halfway, "close");
});

test("a handshake that fails, and a client that resets, harm nobody", async () => {
  const { listener, open } = await listen();
  for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(1000, 0x16)]) {
    const socket = connectTcp(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(bytes);
    socket.resume();
    await once(socket, "close");
  }
  const tcp = connectTcp(listener.port, "127.0.0.1");
  const rude = await open({ tls: { socket: tcp } });
  rude.push([1]);
  await rude.until(() => rude.frames.length > 0);
  tcp.resetAndDestroy();
  const sender = await open();
  sender.push([1]);
  await sender.until(() => sender.ofType(frameType.headers).length === 1);
});

test("the preface may come in pieces", async () => {
  const { options } = await listen();
  const sender = await RawSender.connect(options);
  closers.push(() => sender.destroy());
  for (const byte of Buffer.from(connectionPreface, "latin1")) {
    sender.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  sender.frame(frameType.settings, 0, 0);
  sender.push([1]);
  await sender.until(() => sender.ofType(frameType.headers).length === 1);
});
