import { flag, frameType } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { pushFields, RawClient } from "./raw-client.test-support.ts";

const { continuation, data, goaway, headers, ping, priority, rstStream, settings, windowUpdate } = frameType;
const { ack, endHeaders, endStream, padded } = flag;

const enhanceYourCalm = 0xb;
const mostTurns = 200_000;

/**
 * Lets a client that never reads repeat itself until the connection ends; how often it could. The handler answers every
 * request at once, as the simulator's does.
 */
function flood(once: (client: RawClient, turn: number) => void, client = RawClient.opened()): number {
  client.onRequest = ({ streamId }) => client.server.answer(streamId, [":status", "200"]);
  for (let turn = 0; turn < mostTurns; turn++) {
    once(client, turn);
    if (client.broken !== undefined) {
      expect(client.broken.code).toBe(enhanceYourCalm);
      return turn + 1;
    }
  }
  throw new Error("the flood was never stopped");
}

/** The same with a client that reads everything, so that nothing waits. */
function readingFlood(once: (client: RawClient, turn: number) => void): number {
  return flood((client, turn) => {
    once(client, turn);
    client.server.takeOutput();
  });
}

test.each<[string, number, (client: RawClient, turn: number) => void]>([
  ["PING", 1001, (client) => client.frame(ping, 0, 0, "0000000000000000")],
  ["SETTINGS", 1001, (client) => client.frame(settings, 0, 0, "000400000001")],
])("acknowledgements that a client does not read are bounded: %s", (_, most, once) => {
  expect(flood(once)).toBeLessThanOrEqual(most);
});

test.each<[string, (client: RawClient, turn: number) => void]>([
  ["PING acknowledgements", (client) => client.frame(ping, ack, 0, "0000000000000000")],
  ["SETTINGS acknowledgements", (client) => client.frame(settings, ack, 0)],
  ["GOAWAY", (client) => client.frame(goaway, 0, 0, "0000000000000000")],
  ["SETTINGS", (client) => client.frame(settings, 0, 0)],
  ["PRIORITY", (client) => client.frame(priority, 0, 1, "0000000010")],
  ["unknown frames", (client) => client.frame(0xbe, 0, 0)],
  ["window updates", (client) => client.frame(windowUpdate, 0, 0, "00000001")],
  [
    "empty DATA",
    (client, turn) => {
      if (turn === 0) client.headers(1, undefined, 0);
      client.frame(data, 0, 1);
    },
  ],
  [
    "DATA of padding alone",
    (client, turn) => {
      if (turn === 0) client.headers(1, undefined, 0);
      client.frame(data, padded, 1, "01 00");
    },
  ],
  [
    "DATA of streams that were reset",
    (client, turn) => {
      if (turn === 0) {
        client.headers(1, undefined, 0);
        client.server.reset(1, 8);
      }
      client.frame(data, 0, 1, "00");
    },
  ],
])("frames without effect are bounded: %s", (_, once) => {
  expect(readingFlood(once)).toBeLessThanOrEqual(10_010);
});

test("rapid reset (CVE-2023-44487): requests that are reset at once", () => {
  const turns = readingFlood((client, turn) => {
    client.headers(2 * turn + 1, undefined, 0);
    client.frame(rstStream, 0, 2 * turn + 1, "00000008");
  });
  expect(turns).toBeLessThanOrEqual(1001);
});

test("rapid reset of requests that were answered", () => {
  const turns = readingFlood((client, turn) => {
    client.headers(2 * turn + 1);
    client.frame(rstStream, 0, 2 * turn + 1, "00000008");
  });
  expect(turns).toBeLessThanOrEqual(2002);
});

test.each<[string, (client: RawClient, id: number) => void]>([
  ["WINDOW_UPDATE of 0", (client, id) => client.frame(windowUpdate, 0, id, "00000000")],
  ["WINDOW_UPDATE that overflows", (client, id) => client.frame(windowUpdate, 0, id, "7fffffff")],
  ["PRIORITY of 6 bytes", (client, id) => client.frame(priority, 0, id, "000000001000")],
  ["a second HEADERS", (client, id) => client.headers(id, undefined, 0)],
])("made-you-reset (CVE-2025-8671): %s", (_, provoke) => {
  const turns = readingFlood((client, turn) => {
    client.headers(2 * turn + 1, undefined, 0);
    provoke(client, 2 * turn + 1);
  });
  expect(turns).toBeLessThanOrEqual(1001);
});

test("made-you-reset: DATA after END_STREAM of a request that waits for its answer", () => {
  const client = RawClient.opened();
  let turns = 0;
  while (client.broken === undefined && turns < mostTurns) {
    client.headers(2 * turns + 1);
    client.frame(data, 0, 2 * turns + 1, "00");
    client.server.takeOutput();
    turns += 1;
  }
  expect(client.broken?.code).toBe(enhanceYourCalm);
  expect(turns).toBeLessThanOrEqual(1001);
});

test("streams beyond the limit are refused, and not for ever", () => {
  const client = RawClient.opened([], { streamLimit: 0 });
  const turns = flood((each, turn) => {
    each.headers(2 * turn + 1);
    each.server.takeOutput();
  }, client);
  expect(turns).toBeLessThanOrEqual(10_001);
});

test("a header block without end (CERT VU#421644)", () => {
  const client = RawClient.opened();
  client.frame(headers, endStream, 1, client.block().subarray(0, 1));
  const turns = flood((each) => each.frame(continuation, 0, 1, Buffer.alloc(1)), client);
  expect(turns).toBeLessThanOrEqual(129);
  const large = RawClient.opened();
  large.frame(headers, endStream, 1, large.block().subarray(0, 1));
  expect(flood((each) => each.frame(continuation, 0, 1, Buffer.alloc(16_384)), large)).toBeLessThanOrEqual(
    17,
  );
});

test("header lists over the limit are answered 431, and not for ever", () => {
  const turns = readingFlood((client, turn) =>
    client.headers(2 * turn + 1, [...pushFields, "a", "x".repeat(8000)]),
  );
  expect(turns).toBeLessThanOrEqual(1001);
});

test("header lists over the limit on streams beyond the limit, neither", () => {
  const client = RawClient.opened([], { streamLimit: 0 });
  const turns = flood((each, turn) => {
    each.headers(2 * turn + 1, [...pushFields, "a", "x".repeat(8000)]);
    each.server.takeOutput();
  }, client);
  expect(turns).toBeLessThanOrEqual(1001);
});

test("SETTINGS of 2,700 entries (CVE-2020-11080)", () => {
  const entries = Buffer.from("000100001000".repeat(2700), "hex");
  expect(flood((client) => client.frame(settings, 0, 0, entries))).toBe(1);
});

test("an HPACK bomb (CVE-2016-6581) is refused without unfolding it", () => {
  const client = RawClient.opened([], { streamLimit: 1000 });
  // One entry of 4,000 bytes in the table, then 16,000 references to it: 64 MB as a header list.
  const value = Buffer.alloc(4000, "x");
  const entry = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]), value]);
  const bomb = Buffer.concat([entry, Buffer.alloc(12_000, 0xbe)]);
  const before = process.memoryUsage().rss;
  for (let id = 1; id < 400; id += 2) client.frame(headers, endHeaders | endStream, id, bomb);
  expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
  expect(client.requests).toEqual([]);
  const answers = client.read().filter(({ type }) => type === headers);
  expect(answers).toHaveLength(200);
  expect(answers.every((frame) => client.fieldsOf(frame).join() === ":status,431")).toBe(true);
});

test("an honest client may send for ever", () => {
  const client = RawClient.opened();
  client.onRequest = ({ streamId }) => client.server.answer(streamId, [":status", "200"]);
  for (let id = 1; id < 100_000; id += 2) {
    client.request(id);
    client.frame(windowUpdate, 0, 0, "00000001");
    if (id % 5 === 0) client.frame(ping, 0, 0, "0000000000000000");
    client.server.takeOutput();
  }
  expect(client.broken).toBeUndefined();
});
