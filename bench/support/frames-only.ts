import { once } from "node:events";
import { connect } from "node:tls";
import type { Sender, Sink } from "./sender.ts";

/** The header block of one of our requests: path, provider token in Huffman code, `apns-id`, the rest by index. */
const blockBytes = 300;
const roomBytes = 1 << 20;
const mostWaiting = 1 << 16;
const headers = 1;
const hello = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/**
 * What is possible on this machine with this sink and Node's TLS: finished frames of the length of our requests are copied into
 * the socket, only the stream ids are new, and of an answer only its stream id is read. A promise each, as everywhere; no
 * JSON, checks, ids, HPACK, flow control or deadlines. It is the floor that the others stand on, no rival.
 */
export async function framesOnly(sink: Sink, body: string): Promise<Sender> {
  const socket = connect({ host: "localhost", port: sink.port, ca: sink.ca, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  socket.setNoDelay(true);
  socket.write(hello);

  const dataAt = 9 + blockBytes;
  const request = requestFrames(Buffer.from(body), dataAt);
  const waiting: ((value?: unknown) => void)[] = [];
  let streamId = 1;
  let out = Buffer.allocUnsafeSlow(roomBytes);
  let written = 0;
  let used = 0;
  const flush = (): void => {
    socket.write(out.subarray(written, used));
    written = used;
    if (used < roomBytes / 2) return;
    out = Buffer.allocUnsafeSlow(roomBytes);
    written = 0;
    used = 0;
  };

  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 9) {
      const end = at + 9 + bytes.readUInt16BE(at + 1);
      if (end > bytes.length) break;
      if (bytes[at + 3] === headers) waiting[(bytes.readUInt32BE(at + 5) >>> 1) % mostWaiting]?.();
      at = end;
    }
    rest = bytes.subarray(at);
  });

  return {
    send: () =>
      new Promise((resolve) => {
        if (used === written) setImmediate(flush);
        request.copy(out, used);
        out.writeUInt32BE(streamId, used + 5);
        out.writeUInt32BE(streamId, used + dataAt + 5);
        waiting[(streamId >>> 1) % mostWaiting] = resolve;
        streamId += 2;
        used += request.length;
      }),
    close: async () => socket.destroy(),
  };
}

/** HEADERS (END_HEADERS) with an empty block of the usual length, and DATA (END_STREAM); stream ids are missing. */
function requestFrames(body: Buffer, dataAt: number): Buffer {
  const bytes = Buffer.alloc(dataAt + 9 + body.length);
  bytes.writeUIntBE(blockBytes, 0, 3);
  bytes.writeUInt16BE((headers << 8) | 4, 3);
  bytes.writeUIntBE(body.length, dataAt, 3);
  bytes.writeUInt16BE(1, dataAt + 3);
  body.copy(bytes, dataAt + 9);
  return bytes;
}
