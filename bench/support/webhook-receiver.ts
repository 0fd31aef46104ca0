/**
 * A receiver of webhooks that is far away: answers each call after ANSWER_AFTER_MS, counts what came, and looks whether every cursor
 * is the one behind the one before.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceiverUsage {
  readonly calls: number;
  readonly bytes: number;
  readonly events: number;
  /** Cursors that did not follow the one before. */
  readonly outOfOrder: number;
}

const answerAfterMs = Number(process.env.ANSWER_AFTER_MS ?? 0);
const cursorStart = Buffer.from('{"cursor":"');
const [zero, nine] = [0x30, 0x39];
let calls = 0;
let bytes = 0;
let events = 0;
let outOfOrder = 0;
let last = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
  });
  request.on("end", () => {
    calls += 1;
    setTimeout(() => response.writeHead(204).end(), answerAfterMs);
    look(Buffer.concat(chunks));
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => process.send?.({ calls, bytes, events, outOfOrder } satisfies ReceiverUsage));
process.on("disconnect", () => process.exit());

function look(body: Buffer): void {
  for (let at = body.indexOf(cursorStart); at >= 0; at = body.indexOf(cursorStart, at + 1)) {
    let cursor = 0;
    for (let digit = at + cursorStart.length; ; digit += 1) {
      const byte = body[digit] ?? 0;
      if (byte < zero || byte > nine) break;
      cursor = cursor * 10 + byte - zero;
    }
    events += 1;
    if (cursor !== last + 1) outOfOrder += 1;
    last = cursor;
  }
}
