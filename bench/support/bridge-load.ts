/**
 * A sender of the binary protocol, in a process of its own. `fork`ed, it gets a `BridgeLoad`, writes that many frames over each of its
 * connections and says when the bridge has answered its end: then all of them are on disk. With `idle` it opens connections and
 * leaves them open.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { encodeFrame } from "@carillon/apns/binary";

export interface BridgeLoad {
  readonly port: number;
  /** The authority of the bridge's certificate. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly connections: number;
  /** Frames over each connection; `idle` writes one and stays. */
  readonly frames: number | "idle";
  /** Whether all have one payload, of 65 bytes, or each one of its own, of about 150. @default "one" */
  readonly payloads?: "one" | "each";
}

export interface BridgeLoadReport {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly cpuMs: number;
  /** Connections that were told an error. */
  readonly failed: number;
}

const framesAWrite = 500;
/** Made before: what is measured is the bridge. */
const differentWrites = 40;

process.once("message", (load: BridgeLoad) => void run(load));
process.once("disconnect", () => process.exit(0));

async function run(load: BridgeLoad): Promise<void> {
  const sockets: TLSSocket[] = [];
  for (let at = 0; at < load.connections; at += 50) {
    const some = Array.from({ length: Math.min(50, load.connections - at) }, () => open(load));
    sockets.push(...(await Promise.all(some)));
  }
  const { frames, payloads = "one" } = load;
  if (frames === "idle") {
    for (const [at, socket] of sockets.entries()) socket.write(block(at, 1, payloads));
    process.send?.("open");
    return;
  }
  const blocks = Array.from({ length: differentWrites }, (_, at) =>
    block(at * framesAWrite, framesAWrite, payloads),
  );
  const startedAtMs = performance.timeOrigin + performance.now();
  const before = process.cpuUsage();
  const failed = await Promise.all(sockets.map((socket) => write(socket, frames, blocks)));
  const { user, system } = process.cpuUsage(before);
  process.send?.({
    startedAtMs,
    endedAtMs: performance.timeOrigin + performance.now(),
    cpuMs: (user + system) / 1000,
    failed: failed.filter((each) => each).length,
  } satisfies BridgeLoadReport);
}

async function open({ port, ca, cert, key }: BridgeLoad): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", servername: "localhost", port, cert, key, ca });
  await once(socket, "secureConnect");
  return socket;
}

function block(from: number, count: number, payloads: "one" | "each"): Buffer {
  const frames = Array.from({ length: count }, (_, at) =>
    encodeFrame(2, {
      deviceToken: randomBytes(32),
      payload: Buffer.from(payloadOf(payloads === "one" ? 0 : from + at)),
      identifier: from + at + 1,
      ...{ expirationSeconds: 4_000_000_000, priority: 10 },
    }),
  );
  return Buffer.concat(frames);
}

function payloadOf(ordinal: number): string {
  if (ordinal === 0) return '{"aps":{"alert":"Hello, this is a usual text","sound":"default"}}';
  const body = `It should be with you in ${ordinal % 90} minutes, and no later`;
  return `{"aps":{"alert":{"title":"Your order has left","body":"${body}"},"sound":"default"},"order":${ordinal}}`;
}

/** Whether the bridge had anything to say. */
async function write(socket: TLSSocket, frames: number, blocks: readonly Buffer[]): Promise<boolean> {
  let told = 0;
  socket.on("data", (chunk: Buffer) => {
    told += chunk.length;
  });
  for (let written = 0, at = 0; written < frames; written += framesAWrite, at += 1)
    if (!socket.write(blocks[at % blocks.length]!)) await once(socket, "drain");
  socket.end();
  await once(socket, "close");
  return told > 0;
}
