/** The client against node:http2's server (nghttp2), which nobody here wrote. */
import { once } from "node:events";
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { ApnsClient, ApnsClientOptions } from "@carillon/apns";
import { expect, test } from "vitest";
import { openClient, quick, stopAfterTest, turns } from "../support/faults.ts";
import { countKinds, notification, sendAtOnce } from "../support/sending.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

interface Served {
  readonly server: Http2SecureServer;
  readonly sessions: ServerHttp2Session[];
  readonly client: ApnsClient;
  /** Path of each request to how often it was answered 200. */
  readonly processed: Map<string, number>;
}

async function serve(
  answer: (stream: ServerHttp2Stream, body: Buffer, sessionOrdinal: number) => void,
  settings = {},
  options: Partial<ApnsClientOptions> = {},
): Promise<Served> {
  const { ca, cert, key } = await makeServerCertificate();
  const server = createSecureServer({ cert, key, settings });
  const sessions: ServerHttp2Session[] = [];
  const processed = new Map<string, number>();
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => undefined);
    session.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("error", () => undefined);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        answer(stream, Buffer.concat(chunks), sessions.indexOf(session) + 1);
        if (stream.sentHeaders?.[":status"] !== 200) return;
        const path = String(headers[":path"]);
        processed.set(path, (processed.get(path) ?? 0) + 1);
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stopAfterTest(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const client = openClient({ ca, endpoint: `https://localhost:${port}` }, options);
  return { server, sessions, client, processed };
}

function accept(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "apns-id": "eabeae54-14a8-11e5-b60b-1697f925ec7b" }, { endStream: true });
}

test("3,000 pushes are accepted under its limit of 100 streams, over windows of 1,000 bytes", async () => {
  const { client, processed } = await serve(accept, { maxConcurrentStreams: 100, initialWindowSize: 1000 });
  const payload = { aps: { alert: "y".repeat(3000) } };
  expect(countKinds(await sendAtOnce(client, 3000, { payload }))).toEqual({ accepted: 3000 });
  expect([...processed.values()].every((times) => times === 1)).toBe(true);
});

test("a limit that it lowers and raises in mid-flight is followed", async () => {
  let answered = 0;
  const { client, sessions } = await serve(
    (stream) => {
      answered += 1;
      if (answered % 100 === 0) {
        const limit = [1, 50, 3, 200][(answered / 100) % 4] ?? 1;
        stream.session?.settings({ maxConcurrentStreams: limit, headerTableSize: (answered * 7) % 4096 });
      }
      accept(stream);
    },
    { maxConcurrentStreams: 100 },
    { maxConnections: 1 },
  );
  expect(countKinds(await sendAtOnce(client, 2000))).toEqual({ accepted: 2000 });
  expect(sessions).toHaveLength(1);
});

test("its GOAWAY in mid-flight costs nothing, and each is processed once", async () => {
  const { client, processed, sessions } = await serve((stream, _body, ordinal) => {
    accept(stream);
    if (ordinal <= 3 && processed.size === ordinal * 50) stream.session?.close();
  });
  expect(countKinds(await sendAtOnce(client, 1000, { delivery: "at-most-once" }))).toEqual({
    accepted: 1000,
  });
  expect([...processed.values()].every((times) => times === 1)).toBe(true);
  expect(sessions.length).toBeGreaterThan(1);
});

test("rejections with bodies, trailers and hints come through", async () => {
  const { client } = await serve((stream) => {
    stream.additionalHeaders({ ":status": 103, link: "</x>" });
    stream.respond({ ":status": 410, "content-type": "application/json" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "1" }));
    stream.end('{"reason":"Unregistered","timestamp":1700000000000}');
  });
  expect(await client.send(notification(1))).toMatchObject({
    reason: "Unregistered",
    goneSinceMs: 1_700_000_000_000,
  });
});

test("a session that it destroys is unknown for what it carried, and the next sends are accepted", async () => {
  const { client } = await serve((stream, _body, ordinal) => {
    if (ordinal === 1) stream.session?.destroy();
    else accept(stream);
  });
  const outcomes = await sendAtOnce(client, 100, { delivery: "at-most-once" });
  const { accepted = 0, indeterminate = 0 } = countKinds(outcomes);
  expect(accepted + indeterminate).toBe(100);
  expect(countKinds(await sendAtOnce(client, 100, {}, 100))).toEqual({ accepted: 100 });
});

test("row 49: 2,000 sends given up at once do not make it end what others wait for", async () => {
  const held: ServerHttp2Stream[] = [];
  let isHolding = true;
  const goaways: unknown[] = [];
  const { client, sessions } = await serve(
    (stream) => {
      if (isHolding) held.push(stream);
      else accept(stream);
    },
    { maxConcurrentStreams: 3000 },
    {
      ...quick,
      pingAfterMs: 60_000,
      maxConnections: 1,
      onEvent: (event) => event.kind === "goaway" && event.code !== 0 && goaways.push(event),
    },
  );
  const kept = sendAtOnce(client, 10, { delivery: "at-most-once" });
  const abort = new AbortController();
  const given = Array.from({ length: 2000 }, (_, each) =>
    client.send(notification(10 + each), { signal: abort.signal }),
  );
  while (held.length < 2010) await turns(1);
  isHolding = false;
  abort.abort();
  expect(countKinds(await Promise.all(given))).toEqual({ indeterminate: 2000 });
  expect(countKinds(await sendAtOnce(client, 100, {}, 3000))).toEqual({ accepted: 100 });
  for (const stream of held.slice(0, 10)) accept(stream);
  expect(countKinds(await kept)).toEqual({ accepted: 10 });
  // The connection with so many resets was retired before the server's patience ended.
  expect([sessions.length, goaways]).toEqual([2, []]);
});
