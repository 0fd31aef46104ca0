/** A receiver of webhooks that is far away: answers each call after ANSWER_AFTER_MS, and counts what came. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const answerAfterMs = Number(process.env.ANSWER_AFTER_MS ?? 0);
let calls = 0;
let bytes = 0;

const server = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    calls += 1;
    setTimeout(() => response.writeHead(204).end(), answerAfterMs);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => process.send?.({ calls, bytes }));
process.on("disconnect", () => process.exit());
