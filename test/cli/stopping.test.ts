/** How `carillon serve` ends while Apple's side still owes answers. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { cleanUp, makeFolder, start } from "../support/command-line.ts";
import { type PeerRequest, RawPeer } from "../support/raw-peer.ts";
import { deviceToken, providerKey, topic } from "../support/sending.ts";

let peer: RawPeer | undefined;

afterEach(async () => {
  await cleanUp();
  await peer?.close();
});

/** A gateway with one notification in flight: Apple's side has it and has not answered. */
async function serveInFlight() {
  const arrived: PeerRequest[] = [];
  const apple = await RawPeer.start({ onRequest: (request) => void arrived.push(request) });
  peer = apple;
  const folder = makeFolder();
  writeFileSync(join(folder, "AuthKey_ABC123DEFG.p8"), providerKey);
  writeFileSync(join(folder, "ca.pem"), apple.ca);
  const credentials = {
    token: { keyFile: "AuthKey_ABC123DEFG.p8", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
  };
  const app = {
    name: "demo",
    topic,
    environment: "sandbox",
    endpoint: apple.endpoint,
    ca: "ca.pem",
    credentials,
  };
  writeFileSync(
    join(folder, "carillon.yaml"),
    JSON.stringify({ listen: { port: 0 }, data: "data", apps: [app] }),
  );
  const server = start(["serve"], { folder });
  const [, url = ""] = await server.untilPrinted(/listening on (\S+)/);
  const [, keyFile = ""] = await server.untilPrinted(/admin key: (.*)/);
  const answered = fetch(`${url}/v1/apps/demo/notifications?wait=20`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${readFileSync(keyFile, "utf8")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ to: { token: deviceToken(1) }, alert: "Hello" }),
  }).then(async (response) => response.json() as Promise<{ results: { status: string }[] }>);
  // Where a test stops the server under it, the answer may fail.
  answered.catch(() => undefined);
  await apple.until(() => arrived.length === 1, "the notification at Apple's side");
  return { server, answered, request: arrived[0]! };
}

test("what is in flight is answered before it ends, and the caller who waits hears of it", async () => {
  const { server, answered, request } = await serveInFlight();
  server.signal("SIGTERM");
  await server.untilPrinted(/^stopping/m);
  request.connection.answer(request);
  expect((await answered).results).toMatchObject([{ status: "accepted" }]);
  const { status, stdout } = await server.ended();
  expect({ status, last: stdout.trimEnd().split("\n").at(-1) }).toEqual({ status: 0, last: "stopped" });
});

test("a second signal ends it at once, with a word and status 3", async () => {
  const { server } = await serveInFlight();
  server.signal("SIGINT");
  await server.untilPrinted(/^stopping/m);
  // Signals that come together are one, so this one comes until it is heard.
  const impatience = setInterval(() => server.signal("SIGINT"), 50);
  const { status, stdout, stderr } = await server.ended().finally(() => clearInterval(impatience));
  expect(status).toBe(3);
  expect(stderr).toContain("stopped at once");
  expect(stdout).not.toMatch(/^stopped$/m);
});
