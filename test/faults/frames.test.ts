/** Rows 43 and 45 to 48 of docs/faults.md: lawful frames in unusual shapes, and answers that are no answers. */
import { HpackEncoder } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { FaultProxy } from "../support/fault-proxy.ts";
import { openClient, start, startPeer, stopAfterTest } from "../support/faults.ts";
import type { PeerRequest } from "../support/raw-peer.ts";
import { countKinds, notification, sendAtOnce } from "../support/sending.ts";

const frame = { data: 0, headers: 1, priority: 2, windowUpdate: 8, continuation: 9, unknown: 0xb7 } as const;
const flag = { endStream: 1, endHeaders: 4, padded: 8 } as const;

test("row 43: window taken by padding and by answers to withdrawn requests is given back", async () => {
  const body = Buffer.from(JSON.stringify({ reason: "BadDeviceToken", filler: "x".repeat(700) }));
  const abort = new AbortController();
  const held: PeerRequest[] = [];
  const { peer, client } = await start({
    onRequest: (request) => void held.push(request),
  });
  let dataBytes = 0;
  for (let round = 0; round < 8; round += 1) {
    const { signal } = round === 7 ? new AbortController() : abort;
    const sending = Array.from({ length: 500 }, (_, each) =>
      client.send(notification(each), each % 2 === 0 && round === 3 ? { signal } : {}),
    );
    await peer.until(() => held.length === 500, "a round of requests");
    if (round === 3) abort.abort();
    for (const { connection, stream } of held.splice(0)) {
      connection.headers(stream, [":status", "400"], "more");
      connection.paddedData(stream, body, 255, "end");
      dataBytes += body.length + 256;
    }
    await Promise.all(sending);
  }
  const [connection] = peer.connections;
  const credit = (): number =>
    (connection?.frames ?? [])
      .filter(({ type, stream }) => type === frame.windowUpdate && stream === 0)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
  const windowBytes = 4_194_304;
  // The first increment enlarges the window; what follows is every byte up to some frame, and at most half a window is owed.
  const given = credit() - (windowBytes - 65_535);
  expect(given).toBeGreaterThanOrEqual(dataBytes - windowBytes / 2);
  expect(given % (body.length + 256)).toBe(0);
  expect(peer.connections).toHaveLength(1);
});

test("row 45: a thousand different error answers through a table that is resized again and again", async () => {
  const { peer, client } = await start({
    onConnection: (connection) => {
      connection.encoder = new HpackEncoder({ indexing: () => "incremental", huffman: "always" });
      connection.settings([[3, 1000]]);
    },
    onRequest: (request) => {
      const { connection } = request;
      const sizes = [0, 256, 4096];
      if (peer.requests % 50 === 0) connection.encoder.setMaxTableSize(sizes[(peer.requests / 50) % 3] ?? 0);
      const each = String(peer.requests);
      connection.answer(request, 400, { reason: "BadDeviceToken" }, [
        "apns-note",
        `note ${each}`,
        "x-each",
        each,
      ]);
    },
  });
  expect(countKinds(await sendAtOnce(client, 1000))).toEqual({ rejected: 1000 });
  expect(peer.connections).toHaveLength(1);
});

test("row 46: answers in segments of one byte, split over CONTINUATIONs, padded, between frames that mean nothing", async () => {
  const peer = await startPeer({
    onRequest: ({ connection, stream }) => {
      const block = connection.block([":status", "410", "apns-id", "x".repeat(36), "date", "today"]);
      connection.raw(frame.unknown, 0xff, 0, Buffer.from("nothing"));
      connection.raw(frame.priority, 0, stream, Buffer.from([0, 0, 0, 0, 16]));
      connection.raw(
        frame.headers,
        flag.padded,
        stream,
        Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]),
      );
      for (let at = 0; at < 20; at += 1) {
        const from = Math.floor((block.length * at) / 20);
        const piece = block.subarray(from, Math.floor((block.length * (at + 1)) / 20));
        connection.raw(frame.continuation, at === 19 ? flag.endHeaders : 0, stream, piece);
      }
      connection.data(stream, "", "more");
      connection.paddedData(stream, Buffer.from('{"reason":"Unreg'), 255, "more");
      connection.raw(frame.unknown, 0, stream, Buffer.alloc(100));
      connection.paddedData(stream, Buffer.from('istered"}'), 0, "more");
      connection.data(stream, "", "end");
    },
  });
  const proxy = await FaultProxy.start(peer.port);
  stopAfterTest(() => proxy.close());
  proxy.segmentBytes = 1;
  const client = openClient(peer, { endpoint: proxy.endpoint });
  const outcomes = await sendAtOnce(client, 10);
  expect(countKinds(outcomes)).toEqual({ rejected: 10 });
  expect(outcomes[0]).toMatchObject({ reason: "Unregistered", status: 410 });
});

test("row 47: an early hint before the answer and trailers behind it change nothing", async () => {
  const { client } = await start({
    onRequest: ({ connection, stream }) => {
      connection.headers(stream, [":status", "103", "link", "</x>; rel=preload"], "more");
      connection.headers(stream, [":status", "410", "x-unknown", "1"], "more");
      connection.data(stream, '{"reason":"Unregistered","timestamp":1700000000000}', "more");
      connection.headers(stream, ["x-trailer", "2"], "end");
    },
  });
  expect(await client.send(notification(1))).toMatchObject({
    kind: "rejected",
    reason: "Unregistered",
    goneSinceMs: 1_700_000_000_000,
  });
});

test("row 48: a header list, a body or a promise of a body that is too much costs its own request only", async () => {
  const huge = ["x-huge", "y".repeat(70_000)];
  const { peer, client } = await start(
    {
      onRequest: (request) => {
        const { connection, stream } = request;
        switch (Number.parseInt(request.deviceToken, 16)) {
          case 1:
            return connection.headers(stream, [":status", "400", ...huge], "end");
          case 2:
            connection.headers(stream, [":status", "400"], "more");
            for (let sent = 0; sent < 256; sent += 1)
              connection.data(stream, Buffer.alloc(16_000, "z"), "more");
            return;
          case 3:
            connection.headers(stream, [":status", "400"], "more");
            connection.data(stream, '{"reason":"BadDev', "more");
            return connection.reset(stream, 2);
          case 4:
            connection.headers(stream, [":status", "400", "content-length", "5000"], "more");
            return connection.data(stream, '{"reason":"BadTopic"}', "end");
          default:
            return connection.answer(request);
        }
      },
    },
    { retry: { attempts: 1 } },
  );
  const outcomes = await sendAtOnce(client, 100, { delivery: "at-most-once" });
  expect(outcomes[1]).toMatchObject({ kind: "indeterminate", cause: "protocol" });
  expect(outcomes[2]).toMatchObject({ kind: "unrecognized", status: 400, reason: "z".repeat(200) });
  expect(outcomes[3]).toMatchObject({ kind: "unrecognized", status: 400, reason: '{"reason":"BadDev' });
  expect(outcomes[4]).toMatchObject({ kind: "indeterminate", cause: "protocol" });
  expect(countKinds(outcomes)).toEqual({ accepted: 96, unrecognized: 2, indeterminate: 2 });
  expect(peer.connections).toHaveLength(1);
});
