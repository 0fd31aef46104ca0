/**
 * One of the servers that `bench/simulator.ts` compares, in a process of its own: `simulator` or `node:http2`. `fork`ed with that name
 * and a folder, it keeps its credentials there, and sends its port, an `authorization` and how long the start took.
 */
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";

const [name, dir = ""] = process.argv.slice(2);

if (name === "simulator") await serveSimulator();
else serveNode();
process.on("disconnect", () => process.exit(0));

async function serveSimulator(): Promise<void> {
  const startedAt = performance.now();
  const { startSimulator } = await import("@carillon/simulator");
  const simulator = await startSimulator({ dir });
  const startMs = performance.now() - startedAt;
  const { loadProviderKey, signProviderToken } = await import("@carillon/apns");
  const { key, keyId, teamId } = simulator.credentials.token;
  const claims = { keyId, teamId, issuedAtSeconds: Math.floor(Date.now() / 1000) };
  const authorization = `bearer ${signProviderToken(loadProviderKey(key), claims)}`;
  process.send?.({ port: simulator.port, authorization, startMs });
}

/** The least that Node's own server has to do for an answer of Apple's. */
async function serveNode(): Promise<void> {
  const { readFileSync } = await import("node:fs");
  const [cert, key] = ["server.pem", "server-key.pem"].map((file) => readFileSync(`${dir}/${file}`));
  const server = createSecureServer({
    cert: cert ?? "",
    key: key ?? "",
    settings: { maxConcurrentStreams: 1000 },
  });
  server.on("stream", (stream) => {
    stream.on("data", () => {});
    stream.on("end", () => {
      stream.respond(
        { ":status": 200, "apns-id": "EABEAE54-14A8-11E5-B60B-1697F925EC7B" },
        { endStream: true },
      );
    });
  });
  server.listen(0, "127.0.0.1", () => {
    process.send?.({ port: (server.address() as AddressInfo).port, authorization: "bearer x", startMs: 0 });
  });
}
