/** Rows 19 and 20 of docs/faults.md: the way to the server, through proxies and over several addresses. */
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type LookupFunction,
  type Server,
  type Socket,
} from "node:net";
import { expect, test } from "vitest";
import { openClient, startPeer, stopAfterTest } from "../support/faults.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { countKinds, notification, sendAtOnce } from "../support/sending.ts";

const password = "s3cret:with/signs";

/** A proxy whose `onConnect` says what becomes of one CONNECT, by its ordinal from 1. */
async function startProxy(
  targetPort: number,
  onConnect: (ordinal: number, socket: Socket) => "tunnel" | "ignore",
): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
    socket.once("data", (head: Buffer) => {
      heads.push(head.toString("latin1"));
      if (onConnect(heads.length, socket) === "ignore") return;
      const target = connect(targetPort, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n");
        socket.pipe(target).pipe(socket);
      });
      sockets.add(target.on("error", () => target.destroy()));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stopAfterTest(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, heads };
}

test("a proxy that wants a user and a password gets them, and the tunnel carries everything", async () => {
  const peer = await startPeer();
  const proxy = await startProxy(peer.port, () => "tunnel");
  const client = openClient(peer, {
    proxy: `http://push:${encodeURIComponent(password)}@localhost:${proxy.port}`,
  });
  expect(countKinds(await sendAtOnce(client, 500))).toEqual({ accepted: 500 });
  const basic = Buffer.from(`push:${password}`).toString("base64");
  expect(proxy.heads).toEqual([
    `CONNECT localhost:${peer.port} HTTP/1.1\r\nHost: localhost:${peer.port}\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
  ]);
});

test("row 19: a proxy that answers 503, closes, hangs or talks nonsense is tried again until it works", async () => {
  const peer = await startPeer();
  const proxy = await startProxy(peer.port, (ordinal, socket) => {
    if (ordinal > 4) return "tunnel";
    if (ordinal === 1) socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    else if (ordinal === 2) socket.destroy();
    else if (ordinal === 3) socket.end("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    return "ignore";
  });
  const ends: string[] = [];
  const client = openClient(peer, {
    proxy: `http://localhost:${proxy.port}`,
    connectTimeoutMs: 300,
    onEvent: (event) => event.kind === "connection-ended" && ends.push(event.detail),
  });
  expect(countKinds(await sendAtOnce(client, 100))).toEqual({ accepted: 100 });
  expect(ends).toEqual([
    expect.stringMatching(/answered CONNECT with status 503/),
    expect.stringMatching(/closed the connection before it answered/),
    expect.stringMatching(/something else than HTTP/),
    expect.stringMatching(/no connection within 300 ms/),
  ]);
});

test("a proxy's secrets stand in no error text, log or event", async () => {
  const peer = await startPeer();
  const proxy = await startProxy(peer.port, (_, socket) => {
    socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    return "ignore";
  });
  const told: string[] = [];
  const client = openClient(peer, {
    proxy: `http://push:${encodeURIComponent(password)}@localhost:${proxy.port}`,
    deadlineMs: 600,
    logger: { info: (text) => told.push(text), warn: (text) => told.push(text) },
    onEvent: (event) => told.push(JSON.stringify(event)),
  });
  const outcome = await client.send(notification(1));
  expect(outcome).toMatchObject({
    kind: "unprocessed",
    detail: expect.stringMatching(/407: check the user/),
  });
  const everything = [...told, JSON.stringify(outcome), JSON.stringify(client.snapshot())].join("\n");
  for (const secret of [
    password,
    encodeURIComponent(password),
    Buffer.from(`push:${password}`).toString("base64"),
  ])
    expect(everything).not.toContain(secret);
  expect(() => openClient(peer, { proxy: `socks5://push:${password}@localhost` })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining(password) }),
  );
});

test("row 20: of a dead IPv6 address, a dead IPv4 address and a live one, the live one is found", async () => {
  const peer = await startPeer();
  let asked = 0;
  const lookup: LookupFunction = (_name, _options, callback) => {
    asked += 1;
    callback(null, [
      { address: "::1", family: 6 },
      { address: "127.0.0.99", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ]);
  };
  const client = openClient(peer, { lookup });
  expect((await client.send(notification(1))).kind).toBe("accepted");
  expect([asked, client.snapshot().connections[0]?.remoteAddress]).toEqual([1, "127.0.0.1"]);
});

test("row 20: eight connections are spread over four addresses, each looked up anew", async () => {
  const peer = await RawPeer.start(
    {
      onRequest: (request) => {
        addresses.add(request.connection.tcp.localAddress);
        request.connection.answer(request);
        request.connection.goaway(request.stream);
      },
    },
    0,
    "0.0.0.0",
  );
  stopAfterTest(() => peer.close());
  const addresses = new Set<string | undefined>();
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let asked = 0;
  const lookup: LookupFunction = (_name, _options, callback) => {
    asked += 1;
    const addresses = [1, 2, 3, 4].map((last) => ({ address: `127.0.0.${last}`, family: 4 }));
    callback(null, addresses);
  };
  const client = openClient(peer, { lookup, random });
  for (let each = 0; each < 8; each += 1) {
    expect((await client.send(notification(each))).kind).toBe("accepted");
    await peer.until(() => peer.connections.at(-1)?.closed === true, "the end of the connection");
  }
  expect(asked).toBe(8);
  expect(addresses.size).toBeGreaterThanOrEqual(3);
});
