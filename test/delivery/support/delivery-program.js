// The delivery with as little around it as can be, for the kill test: it starts three times as fast as a gateway, and so
// dies more often. HTTP on one side, a client of the simulator on the other.
import { createServer } from "node:http";
import { ApnsClient } from "@carillon/apns";
import { openDelivery } from "../../../packages/gateway/dist/delivery/index.js";

const { dataDir, maxInFlight, endpoint, ca, credentials } = JSON.parse(process.argv[2]);
const sender = new ApnsClient({ endpoint, ca, credentials, retry: { attempts: 1 } });
const logger = { info() {}, warn() {}, error: (fields, message) => console.error(message, fields) };
const delivery = await openDelivery({
  dataDir,
  senderFor: () => sender,
  logger,
  routeLimits: { maxInFlight },
  memory: { maxLaneBytes: 16 * 1024, maxResidentBytes: 64 * 1024 },
});

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const [status, body] = await answer(request, Buffer.concat(chunks).toString());
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});

async function answer(request, text) {
  const id = request.url.split("/")[5];
  if (request.method === "GET") return [200, await delivery.find("demo", id)];
  const drafts = JSON.parse(text).notifications.map(draftOf);
  try {
    const key = request.headers["idempotency-key"];
    const known = await delivery.recall("demo", key);
    if (known !== undefined) return [202, JSON.parse(known.record)];
    const answerTo = (ids) => ({ results: ids.map((id) => ({ id, status: "queued" })) });
    const record = (ids) => JSON.stringify(answerTo(ids.list()));
    return [202, answerTo(await delivery.submit("demo", drafts, { key, record }))];
  } catch (error) {
    return [503, { detail: error.message }];
  }
}

function draftOf({ to, payload, lane = "normal", delivery = "at-least-once" }) {
  return {
    deviceTokens: to.tokens ?? [to.token],
    payload: Buffer.from(JSON.stringify(payload)),
    topic: "com.example.demo",
    pushType: "alert",
    lane,
    delivery,
    environment: "sandbox",
  };
}

server.listen(0, "127.0.0.1", () =>
  process.send({ url: `http://127.0.0.1:${server.address().port}`, adminKey: "none" }),
);
