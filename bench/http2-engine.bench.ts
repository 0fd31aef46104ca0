/**
 * What one request and one answer cost in the HTTP/2 engine, without a socket, a promise or JSON.
 *
 * Method: 1,000 requests are opened (10 header fields as APNs wants them, distinct paths and ids, 150 bytes of
 * body), the output is taken, and 1,000 prepared answers (`:status: 200` and `apns-id`) are received in pieces of
 * 16 KB. The two halves are timed apart; the answers are prepared outside both. The median and the best of many
 * rounds are printed.
 *
 * Run: npx tsc -b packages/apns && node --import tsx bench/http2-engine.bench.ts
 */
import { cpus } from "node:os";
import { pathToFileURL } from "node:url";
import {
  ByteWriter,
  ClientConnection,
  type ClientConnectionListener,
  flag,
  HpackEncoder,
  writeHeaders,
  writeSettings,
  writeWindowUpdate,
} from "@carillon/apns/http2";

const requestsPerRound = 1000;
const rounds = 400;
const pieceBytes = 16_384;

interface Figures {
  readonly openMicroseconds: number;
  readonly receiveMicroseconds: number;
  readonly requestBytes: number;
}

export function measureEngine(huffman: "always" | "never"): Figures {
  let answered = 0;
  const listener: ClientConnectionListener<number> = {
    capacityChanged() {},
    response(_tag, response) {
      if (response.status === 200) answered += 1;
    },
    failed() {},
    goaway() {},
    pong() {},
    broken(error) {
      throw new Error(error.detail);
    },
  };
  const client = new ClientConnection<number>(listener);
  client.receive(serverPreface());
  client.takeOutput();

  const body = Buffer.from(JSON.stringify({ aps: { alert: { title: "A title", body: "x".repeat(110) } } }));
  const authorization = `bearer ${"e".repeat(36)}.${"p".repeat(58)}.${"S".repeat(86)}`;
  const pushes = Array.from({ length: requestsPerRound }, (_, i) => requestFields(i, authorization));
  const answerEncoder = new HpackEncoder({ huffman });
  let nextStreamId = 1;
  let requestBytes = 0;
  const openTimes: number[] = [];
  const receiveTimes: number[] = [];

  for (let round = 0; round < rounds; round++) {
    const answers = prepareAnswers(answerEncoder, nextStreamId);
    nextStreamId += 2 * requestsPerRound;
    const started = process.hrtime.bigint();
    for (let i = 0; i < requestsPerRound; i++) {
      if (!client.canOpen(body.length)) throw new Error("no capacity");
      client.open(pushes[i]!, body, i);
    }
    const output = client.takeOutput();
    const opened = process.hrtime.bigint();
    requestBytes = (output?.length ?? 0) / requestsPerRound;
    const receiving = process.hrtime.bigint();
    for (const piece of answers) client.receive(piece);
    const received = process.hrtime.bigint();
    openTimes.push(Number(opened - started) / 1000 / requestsPerRound);
    receiveTimes.push(Number(received - receiving) / 1000 / requestsPerRound);
  }
  if (answered !== rounds * requestsPerRound) throw new Error(`${answered} answers`);
  return {
    openMicroseconds: median(openTimes.slice(rounds / 4)),
    receiveMicroseconds: median(receiveTimes.slice(rounds / 4)),
    requestBytes,
  };
}

function requestFields(i: number, authorization: string): string[] {
  const token = (i * 2_654_435_761).toString(16).padStart(64, "a5");
  return [
    ":method",
    "POST",
    ":scheme",
    "https",
    ":path",
    `/3/device/${token}`,
    ":authority",
    "api.push.apple.com",
    "authorization",
    authorization,
    "apns-topic",
    "com.example.demo",
    "apns-push-type",
    "alert",
    "apns-priority",
    "10",
    "apns-expiration",
    String(1_800_000_000 + i),
    "apns-id",
    apnsId(i),
  ];
}

function apnsId(i: number): string {
  return `eabeae54-14a8-11e5-b60b-${i.toString(16).padStart(12, "0")}`;
}

function serverPreface(): Buffer {
  const out = new ByteWriter();
  writeSettings(out, [[3, 1000]]);
  writeWindowUpdate(out, 0, 0x7fff_ffff - 65_535);
  return out.take();
}

/**
 * One turn's answers in pieces as a TLS socket would hand them over, with some window given back as a server does.
 */
function prepareAnswers(encoder: HpackEncoder, firstStreamId: number): Buffer[] {
  const out = new ByteWriter();
  for (let i = 0; i < requestsPerRound; i++) {
    const fields = [":status", "200", "apns-id", apnsId(i).toUpperCase()];
    writeHeaders(out, encoder, firstStreamId + 2 * i, fields, flag.endStream, 16_384);
  }
  writeWindowUpdate(out, 0, requestsPerRound * 150);
  const all = out.take();
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += pieceBytes) pieces.push(all.subarray(at, at + pieceBytes));
  return pieces;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores`);
  for (const huffman of ["never", "always"] as const) {
    const { openMicroseconds, receiveMicroseconds, requestBytes } = measureEngine(huffman);
    console.log(
      `answers ${huffman === "always" ? "in Huffman code" : "in plain text  "}: ` +
        `open ${openMicroseconds.toFixed(2)} µs (${requestBytes.toFixed(0)} bytes), ` +
        `receive ${receiveMicroseconds.toFixed(2)} µs`,
    );
  }
}
