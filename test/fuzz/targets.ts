/** What is fuzzed: the places where bytes of a stranger come in. Each throws where a promise is broken. */
import assert from "node:assert/strict";
import {
  ByteWriter,
  ClientConnection,
  flag,
  frameType,
  HpackDecoder,
  HpackEncoder,
  writeFrameHeader,
  writeGoaway,
  writeHeaders,
  writePing,
  writeRstStream,
  writeSettings,
  writeWindowUpdate,
} from "@carillon/apns/http2";
import { binary } from "./binary-target.ts";
import { server } from "./server-target.ts";
import type { Target } from "./target.ts";

const requests = 6;
const fields = [":method", "POST", ":scheme", "https", ":path", "/3/device/ab", "apns-topic", "a.b"];

/** A whole life of a connection: requests are opened as the peer allows, in between its bytes come in pieces. */
function runConnection(input: Buffer): void {
  const settled = new Map<number, number>();
  let opened = 0;
  const settle = (tag: number): void => void settled.set(tag, (settled.get(tag) ?? 0) + 1);
  const client = new ClientConnection<number>({
    capacityChanged: () => undefined,
    response: (tag, { status, fields: received, body }) => {
      assert(status >= 200 && status <= 999 && received.length % 2 === 0 && body.length <= 4096);
      settle(tag);
    },
    failed: settle,
    goaway: ({ debug }) => assert(debug.length <= 4096),
    pong: () => undefined,
    broken: () => undefined,
  });
  // The first byte says how long the pieces are, so that splits are tried as well.
  const step = [input.length, 1, 7, 64][(input[0] ?? 0) % 4] || 1;
  let written = 0;
  for (let at = 1; at < input.length; at += step) {
    while (opened < requests && client.canOpen(300)) {
      client.open(fields, "x".repeat(300), opened);
      opened += 1;
    }
    client.receive(input.subarray(at, at + step));
    written += client.takeOutput()?.length ?? 0;
    assert(client.openStreams <= requests && client.awaitedRequests <= client.openStreams);
  }
  client.socketClosed();
  assert.equal(client.openStreams, 0);
  assert.equal(settled.size, opened);
  for (const times of settled.values()) assert.equal(times, 1);
  // Replies are smaller than what asked for them, beside the preface, our requests and one GOAWAY.
  assert(written <= 1000 + opened * 600 + input.length * 2, `${written} bytes for ${input.length}`);
}

/** Blocks of one connection, one after another, with the table between them. */
function runHpack(input: Buffer): void {
  const decoder = new HpackDecoder({ maxHeaderListBytes: 4096 });
  for (let at = 0; at < input.length; ) {
    const length = Math.min(1 + (input[at] ?? 0), input.length - at - 1);
    const block = decoder.decode(input, at + 1, at + 1 + length);
    if (block.kind === "malformed") return;
    if (block.kind === "decoded") {
      assert(block.fields.length % 2 === 0);
      let bytes = 0;
      for (const text of block.fields) bytes += text.length + 16;
      assert(bytes <= 4096);
    }
    at += 1 + Math.max(1, length);
  }
}

function written(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(256);
  write(out);
  return out.take();
}

function connectionSeeds(): Buffer[] {
  const settings = written((out) => writeSettings(out, [[3, 100]]));
  const acknowledgement = written((out) => writeFrameHeader(out, 0, frameType.settings, flag.ack, 0));
  const hello = Buffer.concat([settings, acknowledgement]);
  const answer = (stream: number, status: string, body?: string): Buffer =>
    written((out) => {
      const encoder = new HpackEncoder();
      const list = [":status", status, "apns-id", "eabeae54-14a8-11e5-b60b-1697f925ec7b"];
      writeHeaders(out, encoder, stream, list, body === undefined ? flag.endStream : 0, 16_384);
      if (body === undefined) return;
      writeFrameHeader(out, body.length, frameType.data, flag.endStream, stream);
      out.latin1(body);
    });
  const lives = [
    [
      hello,
      answer(1, "200"),
      answer(3, "400", '{"reason":"BadDeviceToken"}'),
      answer(5, "103"),
      answer(5, "410", "{}"),
    ],
    [hello, written((out) => writeGoaway(out, 3, 0, Buffer.from('{"reason":"Shutdown"}'))), answer(1, "200")],
    [hello, written((out) => writeRstStream(out, 1, 7)), written((out) => writeRstStream(out, 3, 2))],
    [
      hello,
      written((out) => writePing(out, Buffer.alloc(8), 0)),
      written((out) => writeWindowUpdate(out, 0, 1000)),
    ],
    [
      written((out) =>
        writeSettings(out, [
          [1, 0],
          [3, 1],
          [4, 100],
          [5, 20_000],
          [6, 1000],
        ]),
      ),
      acknowledgement,
      written((out) => writeWindowUpdate(out, 1, 500)),
      written((out) =>
        writeSettings(out, [
          [3, 0],
          [4, 65_535],
        ]),
      ),
      answer(1, "429", '{"reason":"TooManyRequests"}'),
    ],
    [
      hello,
      Buffer.from([0, 0, 1, frameType.headers, 0, 0, 0, 0, 1, 0x88]),
      Buffer.from([0, 0, 0, frameType.continuation, flag.endHeaders, 0, 0, 0, 1]),
      Buffer.from([0, 0, 4, frameType.data, flag.padded, 0, 0, 0, 1, 2, 0x7b, 0, 0]),
    ],
  ];
  return lives.flatMap((life) => [0, 1, 2].map((step) => Buffer.concat([Buffer.from([step]), ...life])));
}

function hpackSeeds(): Buffer[] {
  const lists = [
    [":status", "200", "apns-id", "eabeae54-14a8-11e5-b60b-1697f925ec7b"],
    [":status", "410", "content-type", "application/json", "date", "Tue, 24 Nov 2026 00:00:00 GMT"],
  ];
  return (["always", "never"] as const).flatMap((huffman) => {
    const encoder = new HpackEncoder({ huffman, indexing: () => "incremental" });
    const blocks = [...lists, ...lists].map((list, at) => {
      if (at === 2) encoder.setMaxTableSize(100);
      const block = written((out) => encoder.encode(out, list));
      return Buffer.concat([Buffer.from([block.length - 1]), block]);
    });
    return [Buffer.concat(blocks), ...blocks];
  });
}

/** The client's engine. */
const watched = ["/packages/apns/dist/http2/"];

export const targets: Readonly<Record<"binary" | "connection" | "hpack" | "server", Target>> = {
  binary,
  connection: { run: runConnection, seeds: connectionSeeds(), framesAt: 1, watched },
  hpack: { run: runHpack, seeds: hpackSeeds(), framesAt: 0, watched },
  server,
};
