/** The client's rows of the catalogue's table of attacks: a peer that makes it work or remember for nothing is left. */
import { startSimulator } from "@carillon/simulator";
import { expect, test } from "vitest";
import { openClient, quick, start, stopAfterTest } from "../support/faults.ts";
import type { PeerConnection, PeerRequest } from "../support/raw-peer.ts";
import { countKinds, notification, sendAtOnce } from "../support/sending.ts";

const frame = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, continuation: 9 } as const;
const code = { protocol: 1, compression: 9, calm: 11 } as const;
const endHeaders = 4;

/** Sends until the client leaves, at most `most` times; lets the client speak in between. */
function flood(connection: PeerConnection, most: number, each: () => void): void {
  let sent = 0;
  const more = (): void => {
    for (let burst = 0; burst < 500 && sent < most; burst += 1, sent += 1) each();
    if (sent < most && !connection.closed) setImmediate(more);
  };
  more();
}

const attacks: readonly (readonly [name: string, code: number, attack: (request: PeerRequest) => void])[] = [
  [
    "CONTINUATION without end (VU#421644)",
    code.calm,
    ({ connection, stream }) => {
      connection.raw(frame.headers, 0, stream, connection.block([":status", "200"]));
      flood(connection, 100_000, () => connection.raw(frame.continuation, 0, stream, Buffer.alloc(1)));
    },
  ],
  [
    "PING flood (CVE-2019-9512)",
    code.calm,
    ({ connection }) => {
      // All in one write: the client cannot answer in between.
      const ping = Buffer.from([0, 0, 8, frame.ping, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
      connection.write(Buffer.concat(Array.from({ length: 200_000 }, () => ping)));
    },
  ],
  [
    "SETTINGS flood (CVE-2019-9515)",
    code.calm,
    ({ connection }) => {
      const settings = Buffer.from([0, 0, 0, frame.settings, 0, 0, 0, 0, 0]);
      connection.write(Buffer.concat(Array.from({ length: 200_000 }, () => settings)));
    },
  ],
  [
    "empty DATA (CVE-2019-9518)",
    code.calm,
    ({ connection, stream }) => {
      connection.headers(stream, [":status", "200"], "more");
      flood(connection, 100_000, () => connection.raw(frame.data, 0, stream, Buffer.alloc(0)));
    },
  ],
  [
    "resets of closed streams (CVE-2019-9514)",
    code.calm,
    ({ connection, stream }) => {
      flood(connection, 100_000, () => connection.raw(frame.reset, 0, stream, Buffer.from([0, 0, 0, 8])));
    },
  ],
  [
    "SETTINGS of 2,700 entries (CVE-2020-11080)",
    code.calm,
    ({ connection }) =>
      connection.settings(Array.from({ length: 2700 }, (_, each) => [0x4000 + each, each] as const)),
  ],
  [
    "a header block that breaks HPACK (CVE-2025-59465)",
    code.compression,
    ({ connection, stream }) => connection.raw(frame.headers, endHeaders | 1, stream, Buffer.from([0x80])),
  ],
  [
    "a Huffman string with 8 bits of padding",
    code.compression,
    ({ connection, stream }) =>
      connection.raw(frame.headers, endHeaders | 1, stream, Buffer.from([0x88, 0x00, 0x81, 0xff, 0x00])),
  ],
  [
    "an integer that never ends",
    code.compression,
    ({ connection, stream }) =>
      connection.raw(frame.headers, endHeaders | 1, stream, Buffer.from([0xff, ...Array(20).fill(0x80)])),
  ],
  [
    "a table size above what was announced",
    code.compression,
    ({ connection, stream }) =>
      connection.raw(frame.headers, endHeaders | 1, stream, Buffer.from([0x3f, 0xe1, 0xff, 0x03, 0x88])),
  ],
  [
    "PUSH_PROMISE though push is off",
    code.protocol,
    ({ connection, stream }) => connection.raw(5, endHeaders, stream, Buffer.from([0, 0, 0, 2, 0x88])),
  ],
];

test.each(attacks)(
  "attack: %s ends the connection, and the send succeeds on the next",
  async (_, expected, attack) => {
    const { peer, client } = await start(
      {
        onRequest: (request) => {
          if (peer.requests === 1) attack(request);
          else request.connection.answer(request);
        },
      },
      quick,
    );
    expect((await client.send(notification(1))).kind).toBe("accepted");
    const [first] = peer.connections;
    await peer.until(() => first?.closed === true, "the end of the attacked connection");
    const goaways = first?.frames.filter(({ type }) => type === frame.goaway) ?? [];
    expect(goaways.map(({ payload }) => payload.readUInt32BE(4))).toEqual([expected]);
  },
);

test("attack: empty HEADERS in one block after another are bounded by the answers they are (CVE-2019-9516)", async () => {
  const { peer, client } = await start(
    {
      onRequest: (request) => {
        const { connection, stream } = request;
        if (connection.ordinal > 1) return connection.answer(request);
        const empty = Buffer.from([0x00, 0x00, 0x00]);
        connection.raw(
          frame.headers,
          endHeaders | 1,
          stream,
          Buffer.concat([Buffer.from([0x88]), empty, empty]),
        );
      },
    },
    { ...quick, retry: { attempts: 1 } },
  );
  expect(await client.send(notification(1))).toMatchObject({ kind: "indeterminate", cause: "protocol" });
  expect(peer.connections[0]?.closed).toBe(false);
});

test("attack: an HPACK bomb is refused at the limit of the header list, with its stream (CVE-2016-6581)", async () => {
  const { peer, client } = await start(
    {
      onRequest: (request) => {
        const { connection, stream } = request;
        if (peer.requests > 1) return connection.answer(request);
        // A value of 4,000 bytes into the table (RFC 7541 §6.2.1), then 12,000 references to it: 48 MB if anybody believed it.
        const entry = Buffer.concat([
          Buffer.from([0x88, 0x40, 6]),
          Buffer.from("x-bomb"),
          Buffer.from([0x7f, 0xa1, 0x1e]),
          Buffer.alloc(4000, "b"),
        ]);
        const references = Buffer.alloc(12_000, 0xbe);
        connection.raw(frame.headers, endHeaders | 1, stream, Buffer.concat([entry, references]));
      },
    },
    { ...quick, retry: { attempts: 1 } },
  );

  const rssBefore = process.memoryUsage.rss();
  expect(await client.send(notification(1))).toMatchObject({ kind: "indeterminate", cause: "protocol" });
  expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(50 * 1024 * 1024);
  expect((await client.send(notification(2))).kind).toBe("accepted");
  expect(peer.connections).toHaveLength(1);
});

test("attack: RST_STREAM for every stream and then GOAWAY, a hundred connections long, leaves nothing (CVE-2023-35945)", async () => {
  const { peer, client } = await start(
    {
      // One at a time, and the first is answered, or the pool would rightly wait before it connects again.
      onConnection: (connection) => connection.settings([[3, 1]]),
      onRequest: (request) => {
        const { connection, stream } = request;
        if (connection.requests === 1) return connection.answer(request);
        connection.reset(stream, 7);
        connection.goaway(0);
      },
    },
    quick,
  );
  for (let round = 0; peer.connections.length < 100; round += 1) {
    expect(countKinds(await sendAtOnce(client, 2, {}, round * 2))).toEqual({ accepted: 2 });
    expect(round).toBeLessThan(1000);
  }
  expect(client.snapshot()).toMatchObject({ queued: 0, delayed: 0, inFlight: 0 });
  expect(client.snapshot().connections.length).toBeLessThan(5);
}, 60_000);

test.each([
  ["before its answer", [{ silence: {} }, "renegotiate"], 2],
  ["behind its answer", ["renegotiate"], 1],
] as const)(
  "attack: a new TLS 1.2 handshake %s ends the connection, and sends succeed on the next (RFC 9113 §9.2.1)",
  async (_, actions, attempts) => {
    const simulator = await startSimulator({
      scenario: {
        rules: [
          { on: "connect", do: { tls: { variant: "tls-1.2" } } },
          { when: { connection: 1, request: 1 }, do: [...actions] },
        ],
      },
    });
    stopAfterTest(() => simulator.close());
    const { credentials } = simulator;
    const client = openClient(simulator, { ...quick, credentials: credentials.token, deadlineMs: 9000 });
    expect(await client.send(notification(1))).toMatchObject({ kind: "accepted", attempts });
    await expect.poll(() => simulator.connections.all[0]?.closedAtMs, { timeout: 10_000 }).toBeDefined();
    expect(await client.send(notification(2))).toMatchObject({ kind: "accepted", attempts: 1 });
    expect(simulator.connections.all).toMatchObject([{ tls: "TLSv1.2" }, { tls: "TLSv1.2" }]);
  },
);
