/** The simulator's half of a connection under the bytes of any client. */
import assert from "node:assert/strict";
import {
  ByteWriter,
  connectionPreface,
  flag,
  frameType,
  HpackEncoder,
  writeFrameHeader,
  writeGoaway,
  writeHeaders,
  writePing,
  writeRstStream,
  writeSettings,
  writeWindowUpdate,
} from "@carillon/apns/http2";
import { ServerConnection, type ServerRequest } from "../../packages/simulator/dist/http2/index.js";
import { ServerWatch } from "./server-watch.ts";
import type { Target } from "./target.ts";

/** How the server behaves, by the bits of an input's second byte. */
const manner = {
  /** Answers wait for the next piece. */
  late: 1,
  body: 2,
  /** Two bodies fill the connection's window. */
  longBody: 4,
  /** GOAWAY after the second request, with the first one's id. */
  goaway: 8,
  fewStreams: 16,
  /** The limit falls to one stream at the first request. */
  lowersLimit: 32,
  /** Every third request is reset. */
  resets: 64,
  /** The preface is the input's. */
  anyPreface: 128,
} as const;

/** A lower limit holds from its acknowledgement on, which a client may never send. */
const mostStreams = 100;

const answerFields = [":status", "200", "apns-id", "eabeae54-14a8-11e5-b60b-1697f925ec7b"];
const shortBody = Buffer.from('{"reason":"BadDeviceToken"}');
const longBody = Buffer.alloc(40_000, 0x20);

/** A whole life of a connection. The first byte says how long the pieces are, the second how the server behaves. */
function runServer(input: Buffer): void {
  const behaves = (how: number): boolean => ((input[1] ?? 0) & how) !== 0;
  const watch = new ServerWatch();
  const unanswered: ServerRequest[] = [];
  const server = new ServerConnection(
    {
      request: (request) => {
        watch.request(request);
        unanswered.push(request);
        if (!behaves(manner.late)) answerAll();
      },
      broken: (error) => watch.broken(error),
    },
    { streamLimit: behaves(manner.fewStreams) ? 2 : mostStreams },
  );
  const body = behaves(manner.longBody) ? longBody : behaves(manner.body) ? shortBody : undefined;
  const answerAll = (): void => {
    for (const { streamId } of unanswered.splice(0)) {
      if (behaves(manner.resets) && watch.requests % 3 === 0) server.reset(streamId, 2);
      else server.answer(streamId, answerFields, body);
      watch.answered(body?.length ?? 0);
      if (behaves(manner.lowersLimit) && watch.requests === 1) server.setStreamLimit(1);
      if (behaves(manner.goaway) && watch.requests === 2) server.goaway(undefined, watch.firstRequest);
    }
  };
  const receive = (bytes: Buffer): void => {
    watch.sent(bytes);
    server.receive(bytes);
    assert(server.openStreams <= mostStreams, `${server.openStreams} streams are open`);
    watch.wrote(server.takeOutput());
    answerAll();
    watch.wrote(server.takeOutput());
  };
  if (!behaves(manner.anyPreface)) receive(Buffer.from(connectionPreface, "latin1"));
  const step = [input.length, 1, 7, 64][(input[0] ?? 0) % 4] || 1;
  for (let at = 2; at < input.length; at += step) receive(input.subarray(at, at + step));
  server.socketClosed();
  assert.equal(server.phase, "closed");
  assert.equal(server.takeOutput(), undefined);
}

function written(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(256);
  write(out);
  return out.take();
}

function seeds(): Buffer[] {
  const hello = Buffer.concat([
    written((out) => writeSettings(out, [[3, 100]])),
    written((out) => writeFrameHeader(out, 0, frameType.settings, flag.ack, 0)),
  ]);
  const data = (stream: number, content: string, flags: number): Buffer =>
    written((out) => {
      writeFrameHeader(out, content.length, frameType.data, flags, stream);
      out.latin1(content);
    });
  const pushFields = [":method", "POST", ":scheme", "https", ":path", "/3/device/ab", "apns-topic", "a.b"];
  let encoder = new HpackEncoder();
  const open = (stream: number, flags: number, fields: readonly string[] = pushFields): Buffer =>
    written((out) => writeHeaders(out, encoder, stream, fields, flags, 16_384));
  const push = (stream: number): Buffer =>
    Buffer.concat([open(stream, 0), data(stream, '{"aps":{"alert":"Hello"}}', flag.endStream)]);
  const lives: (() => Buffer[])[] = [
    () => [hello, push(1), push(3), push(5), push(7), push(9)],
    () => [
      hello,
      written((out) => writeSettings(out, [[4, 100_000]])),
      ...[push(1), push(3)],
      written((out) => writeWindowUpdate(out, 0, 50_000)),
    ],
    () => [hello, open(1, 0), open(3, 0), data(1, "{}", flag.endStream), data(3, "{}", flag.endStream)],
    () => [hello, open(1, flag.endStream, [...pushFields, "x", "y".repeat(9000)]), push(3)],
    () => [hello, open(1, 0), data(1, "x".repeat(9000), 0), data(1, "y", flag.endStream), push(3)],
    () => [hello, open(1, 0), data(1, "{}", 0), open(1, flag.endStream, ["a-trailer", "its value"]), push(3)],
    () => [hello, open(1, 0), written((out) => writeRstStream(out, 1, 8)), push(3), push(5)],
    () => [
      written((out) =>
        writeSettings(out, [
          [1, 0],
          [4, 10],
          [5, 20_000],
        ]),
      ),
      ...[push(1), push(3), push(5)],
      written((out) => writeWindowUpdate(out, 1, 50_000)),
      written((out) => writeWindowUpdate(out, 0, 50_000)),
      written((out) => writeSettings(out, [[4, 65_535]])),
    ],
    () => [
      hello,
      written((out) => writePing(out, Buffer.alloc(8), 0)),
      Buffer.from([0, 0, 5, frameType.priority, 0, 0, 0, 0, 1, 0, 0, 0, 3, 9]),
      push(1),
      written((out) => writeGoaway(out, 0, 0)),
    ],
    () => [
      hello,
      written((out) => writeFrameHeader(out, 1, frameType.headers, flag.endStream, 1)),
      Buffer.from([0x83]),
      written((out) => writeFrameHeader(out, 2, frameType.continuation, flag.endHeaders, 1)),
      Buffer.from([0x87, 0x84]),
      push(3),
    ],
  ];
  const heads = [0, manner.body, manner.late | manner.longBody, manner.goaway | manner.longBody];
  const plain = lives.flatMap((life) => {
    encoder = new HpackEncoder();
    const frames = Buffer.concat(life());
    return heads.map((how, step) => Buffer.concat([Buffer.from([step, how]), frames]));
  });
  const others = [manner.fewStreams | manner.late, manner.lowersLimit, manner.resets].map((how) =>
    Buffer.concat([Buffer.from([0, how]), plain[0]!.subarray(2)]),
  );
  const preface = Buffer.concat([
    Buffer.from([2, manner.anyPreface]),
    Buffer.from(connectionPreface, "latin1"),
    plain[0]!.subarray(2),
  ]);
  return [...plain, ...others, preface];
}

export const server: Target = {
  run: runServer,
  seeds: seeds(),
  framesAt: 2,
  watched: ["/packages/simulator/dist/http2/", "/packages/apns/dist/http2/hpack/"],
};
