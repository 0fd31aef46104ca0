/** Floods over TLS, as failures.md 3.1 lists them for servers: the flood ends, memory stays, others are served. */
import { ApnsClient } from "@carillon/apns";
import {
  ByteWriter,
  flag,
  frameType,
  HpackEncoder,
  writeFrameHeader,
  writeHeaders,
} from "@carillon/apns/http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RawSender } from "./raw-sender.test-support.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

const { continuation, data, headers, ping, rstStream, settings, windowUpdate } = frameType;
const { endHeaders, endStream } = flag;

let simulator: Simulator;
let client: ApnsClient;

beforeAll(async () => {
  simulator = await startSimulator({ history: { limit: 1000 } });
  client = new ApnsClient({
    endpoint: simulator.endpoint,
    ca: simulator.ca,
    credentials: simulator.credentials.token,
    topic: simulator.topic,
  });
});
afterAll(async () => {
  await client.close();
  await simulator.close();
});

/** Writes the frames of one turn; `turn` counts from 0. */
type Flood = (out: ByteWriter, turn: number) => void;

const encoder = new HpackEncoder({ indexing: () => "without" });
const fields = [":method", "POST", ":scheme", "https", ":path", "/3/device/aabbccdd"];

function frame(out: ByteWriter, type: number, flags: number, streamId: number, payload: Uint8Array): void {
  writeFrameHeader(out, payload.length, type, flags, streamId);
  out.bytes(payload);
}

function openStream(out: ByteWriter, streamId: number, flags = 0): void {
  writeHeaders(out, encoder, streamId, fields, flags, 16_384);
}

const bomb = Buffer.concat([
  Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]),
  Buffer.alloc(4000, "x"),
  Buffer.alloc(12_000, 0xbe),
]);

const floods: Readonly<Record<string, Flood>> = {
  "rapid reset": (out, turn) => {
    openStream(out, 2 * turn + 1);
    frame(out, rstStream, 0, 2 * turn + 1, Buffer.from([0, 0, 0, 8]));
  },
  "made-you-reset by WINDOW_UPDATE of 0": (out, turn) => {
    openStream(out, 2 * turn + 1);
    frame(out, windowUpdate, 0, 2 * turn + 1, Buffer.alloc(4));
  },
  "made-you-reset by DATA after END_STREAM": (out, turn) => {
    openStream(out, 2 * turn + 1, endStream);
    frame(out, data, 0, 2 * turn + 1, Buffer.alloc(1));
  },
  "a header block without end": (out, turn) => {
    if (turn === 0) frame(out, headers, endStream, 1, Buffer.from([0x83]));
    else frame(out, continuation, 0, 1, Buffer.alloc(1000));
  },
  PING: (out) => frame(out, ping, 0, 0, Buffer.alloc(8)),
  SETTINGS: (out) => frame(out, settings, 0, 0, Buffer.alloc(0)),
  "SETTINGS of 2,700 entries": (out) =>
    frame(out, settings, 0, 0, Buffer.alloc(16_200, "000100001000", "hex")),
  "empty DATA": (out, turn) => {
    if (turn === 0) openStream(out, 1);
    frame(out, data, 0, 1, Buffer.alloc(0));
  },
  "empty HEADERS": (out, turn) => frame(out, headers, endHeaders | endStream, 2 * turn + 1, Buffer.alloc(0)),
  "HPACK bombs": (out, turn) => frame(out, headers, endHeaders | endStream, 2 * turn + 1, bomb),
  "frames of no known type": (out) => frame(out, 0xbe, 0, 0, Buffer.alloc(0)),
  "streams over the limit": (out, turn) => openStream(out, 2 * turn + 1),
  "bytes that are no frames": (out) => out.u8(0x40),
};

const mostTurns = 1_000_000;
const turnsAWrite = 100;

/** Floods without reading an answer until the connection ends; how many turns it took. */
async function attack(flood: Flood): Promise<number> {
  const sender = await RawSender.open({ port: simulator.port, ca: simulator.ca });
  sender.socket.pause();
  let turn = 0;
  try {
    while (!sender.isClosed && turn < mostTurns) {
      const out = new ByteWriter();
      for (let each = 0; each < turnsAWrite; each++) flood(out, turn++);
      if (!sender.socket.write(out.take())) await sender.writable();
      else await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    sender.destroy();
  }
  return turn;
}

test.each(Object.entries(floods))(
  "%s: ends, memory stays, and others are served meanwhile",
  async (_, flood) => {
    const before = process.memoryUsage().rss;
    let isOver = false;
    const attacks = Promise.all([attack(flood), attack(flood)]).finally(() => {
      isOver = true;
    });
    let served = 0;
    while (!isOver || served === 0) {
      const outcome = await client.send({ deviceToken: "aabbccdd", payload: { aps: {} } });
      expect(outcome.kind).toBe("accepted");
      served += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const turns of await attacks) expect(turns).toBeLessThan(mostTurns);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  },
);
