// A sender in a process of its own, for row 54. JavaScript, so that it starts at once. What it is to do comes as JSON in argv;
// it says when it is ready, sends when it is told to, and tells its parent how many were accepted.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { ApnsClient } from "../../../packages/apns/dist/index.js";

const { endpoint, ca, topic, credentials, cacheFile, deviceTokens } = JSON.parse(process.argv[2]);

/** The cache in a file. A first token is never written over; one that was found and is too old is. */
let found;
const cache = {
  load() {
    found = readFileSync(cacheFile, "utf8");
    return found;
  },
  save(providerToken) {
    const draft = `${cacheFile}.${process.pid}`;
    writeFileSync(draft, providerToken, { mode: 0o600 });
    if (found !== undefined) renameSync(draft, cacheFile);
    else {
      try {
        linkSync(draft, cacheFile);
      } finally {
        rmSync(draft);
      }
    }
  },
};

// One connection each: two a process.
const clients = [0, 1].map(
  () => new ApnsClient({ endpoint, ca, topic, maxConnections: 1, credentials: { ...credentials, cache } }),
);
process.once("message", async () => {
  const sends = deviceTokens.map((deviceToken, each) =>
    clients[each % clients.length].send({ deviceToken, payload: { aps: { alert: "Hello" } } }),
  );
  const outcomes = await Promise.all(sends);
  await Promise.all(clients.map((client) => client.close()));
  process.send(outcomes.filter(({ kind }) => kind === "accepted").length, () => process.disconnect());
});
process.send("ready");
