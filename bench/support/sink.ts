/**
 * Apple's side reduced to what a sender's speed depends on: TLS, frames, an answer 200 with an `apns-id` for each request.
 * It looks into nothing it need not, so that in a benchmark the sender is the slower side. Runs as a process of its own:
 * `fork`ed, it sends its address and certificate authority, and answers "usage" with what it has seen and used.
 *
 * SINK_DELAY_MS holds every answer and every window update back by that time, as a long path would (half of the round
 * trip lies in each direction; for a sender only the sum shows).
 * SINK_CREDIT_STEP is how many bytes it lets pass before it gives window back (default: a quarter of it, at most 16 KB).
 * SINK_MARKS=1 makes it read the marks of bench/support/sink-marks.ts, answer as they say, and tell when they came.
 * SINK_WINDOW is the connection's receive window in bytes (default: as large as HTTP/2 has; 65535 is APNs').
 */
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { makeServerCertificate } from "../../test/support/server-certificate.ts";
import { refusal, SinkMarks } from "./sink-marks.ts";

const marks = process.env.SINK_MARKS === "1" ? new SinkMarks() : undefined;
const delayMs = Number(process.env.SINK_DELAY_MS ?? 0);
const window = Number(process.env.SINK_WINDOW ?? 0x7fffffff);
const creditStep = Number(process.env.SINK_CREDIT_STEP ?? Math.min(16_384, window / 4));
const streamLimit = Number(process.env.SINK_STREAMS ?? 1000);
const defaultWindow = 65_535;
const preface = 24;
const [data, headers, settings, ping] = [0, 1, 4, 6];

let requests = 0;
let connections = 0;

const certificate = await makeServerCertificate();
const server = createServer(
  {
    cert: certificate.cert,
    key: certificate.key,
    ALPNProtocols: ["h2"],
    requestCert: true,
    rejectUnauthorized: false,
  },
  serve,
);
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port, ca: certificate.ca });
});
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const seen = marks === undefined ? {} : { marks: marks.report() };
  process.send?.({ requests, connections, cpuMs: (user + system) / 1000, ...seen });
});
process.on("disconnect", () => process.exit(0));

/** HEADERS, END_STREAM | END_HEADERS: `:status 200` and an `apns-id`, the name and a 36-byte value as plain literals. */
function answerTemplate(): Buffer {
  const block = Buffer.concat([
    Buffer.from([0x88, 0x00, 7]),
    Buffer.from("apns-id"),
    Buffer.from([36]),
    Buffer.from("EABEAE54-14A8-11E5-B60B-1697F925EC7B"),
  ]);
  return Buffer.concat([Buffer.from([0, 0, block.length, headers, 0x05, 0, 0, 0, 0]), block]);
}

const answer = answerTemplate();
/** Answers that go out in one write at most: half of what is usually outstanding, so that both sides have work. */
const answersAtOnce = 256;

/** Buffers full of answers in which only the stream ids are missing; used again once the socket has them. */
class Answers {
  private readonly spare: Buffer[] = [];
  private room = this.spareRoom();
  private used = 0;
  private readonly write: (bytes: Buffer, written: () => void) => void;

  constructor(write: (bytes: Buffer, written: () => void) => void) {
    this.write = write;
  }

  /** Answers the stream whose id stands at `at`. */
  add(bytes: Buffer, at: number): void {
    const { room, used } = this;
    room[used + 5] = bytes[at] as number;
    room[used + 6] = bytes[at + 1] as number;
    room[used + 7] = bytes[at + 2] as number;
    room[used + 8] = bytes[at + 3] as number;
    this.used = used + answer.length;
    if (this.used === room.length) this.flush();
  }

  flush(): void {
    if (this.used === 0) return;
    const { room } = this;
    this.write(room.subarray(0, this.used), () => this.spare.push(room));
    this.room = this.spareRoom();
    this.used = 0;
  }

  private spareRoom(): Buffer {
    return this.spare.pop() ?? Buffer.alloc(answer.length * answersAtOnce, answer);
  }
}

function serve(socket: TLSSocket): void {
  connections += 1;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  const hello = Buffer.alloc(9 + 18 + 13);
  hello.writeUInt8(18, 2);
  hello.writeUInt8(settings, 3);
  hello.writeUInt16BE(1, 9);
  hello.writeUInt32BE(4096, 11);
  hello.writeUInt16BE(3, 15);
  hello.writeUInt32BE(streamLimit, 17);
  hello.writeUInt16BE(4, 21);
  hello.writeUInt32BE(Math.min(window, 65_535 * 16), 23);
  writeWindowUpdate(hello, 27, window - defaultWindow);
  socket.write(window > defaultWindow ? hello : hello.subarray(0, 27));

  let rest: Buffer = Buffer.alloc(0);
  let seenPreface = false;
  let toCredit = 0;
  const later = (bytes: Buffer, written?: () => void): void => {
    if (delayMs === 0) socket.write(bytes, written);
    else setTimeout(() => socket.destroyed || socket.write(bytes, written), delayMs);
  };
  const answers = new Answers(later);

  let isScheduled = false;
  /** All that is answered in one turn of the loop goes out in as few writes as its size allows. */
  const flush = (): void => {
    isScheduled = false;
    answers.flush();
    if (toCredit <= creditStep) return;
    const update = Buffer.alloc(13);
    writeWindowUpdate(update, 0, toCredit);
    toCredit = 0;
    later(update);
  };

  socket.on("data", (chunk: Buffer) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!seenPreface && bytes.length >= preface) {
      bytes = bytes.subarray(preface);
      seenPreface = true;
    }
    const end = seenPreface ? bytes.length : 0;
    let at = 0;
    while (end - at >= 9) {
      const length =
        ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
      if (end - at < 9 + length) break;
      const type = bytes[at + 3];
      const flags = bytes[at + 4] as number;
      if (type === data) toCredit += length;
      if ((type === data || type === headers) && (flags & 1) !== 0) {
        requests += 1;
        const fate = type === data ? marks?.read(bytes, at + 9, at + 9 + length) : undefined;
        if (fate === undefined) answers.add(bytes, at + 5);
        else if (fate !== "silence") later(refusal(fate, bytes, at + 5));
      } else if (type === settings && (flags & 1) === 0) {
        later(Buffer.from([0, 0, 0, settings, 1, 0, 0, 0, 0]));
      } else if (type === ping && (flags & 1) === 0) {
        const pong = Buffer.from(bytes.subarray(at, at + 17));
        pong[4] = 1;
        later(pong);
      }
      at += 9 + length;
    }
    rest = bytes.subarray(at);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  });
}

function writeWindowUpdate(target: Buffer, at: number, increment: number): void {
  target.writeUInt8(4, at + 2);
  target.writeUInt8(8, at + 3);
  target.writeUInt32BE(increment, at + 9);
}
