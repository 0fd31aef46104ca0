import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApnsClient } from "@carillon/apns";
import { afterEach, expect, test } from "vitest";
import { type Simulator, startSimulator } from "./simulator.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options?: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  closers.push(() => simulator.close());
  return simulator;
}

function clientOf(simulator: Simulator, kind: "token" | "certificate" = "token"): ApnsClient {
  const client = new ApnsClient({
    endpoint: simulator.endpoint,
    ca: simulator.ca,
    credentials: simulator.credentials[kind],
    topic: simulator.topic,
  });
  closers.push(() => client.close());
  return client;
}

const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

test.each(["token", "certificate"] as const)("takes a push that comes with a %s", async (kind) => {
  const simulator = await start();
  const outcome = await clientOf(simulator, kind).send({ deviceToken, payload: { aps: { alert: "Hello" } } });
  expect(outcome).toMatchObject({ kind: "accepted" });
  expect(simulator.history.pushes).toMatchObject([
    { deviceToken, topic: "com.example.demo", pushType: "alert", status: 200, connection: 1, stream: 1 },
  ]);
  expect(simulator.history.pushes[0]?.payload.toString()).toBe('{"aps":{"alert":"Hello"}}');
});

test("answers 410 for a device that left, with the time when", async () => {
  const simulator = await start();
  simulator.devices.unregister(deviceToken.toUpperCase(), 1_700_000_000_123);
  expect(await clientOf(simulator).send({ deviceToken, payload: { aps: {} } })).toMatchObject({
    kind: "rejected",
    reason: "Unregistered",
    goneSinceMs: 1_700_000_000_123,
  });
});

test("a thousand pushes at once come through, each once", async () => {
  const simulator = await start();
  const client = clientOf(simulator);
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, (_, ordinal) =>
      client.send({ deviceToken: ordinal.toString(16).padStart(64, "0"), payload: { aps: {} } }),
    ),
  );
  expect(outcomes.every(({ kind }) => kind === "accepted")).toBe(true);
  const counts = [...simulator.history.countByDeviceToken({ status: 200 }).values()];
  expect(counts).toEqual(new Array(1000).fill(1));
});

test("keeps its credentials in a folder, where a sender finds them", async () => {
  const dir = mkdtempSync(join(tmpdir(), "carillon-simulator-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  const first = await start({ dir });
  await first.close();
  const second = await start({ dir });
  expect(second.ca).toBe(first.ca);
  expect(second.credentials).toEqual(first.credentials);
  expect(second.notices).toEqual([]);
  expect(readFileSync(second.files?.ca ?? "", "utf8")).toBe(second.ca);
  expect(readFileSync(second.files?.key ?? "", "utf8")).toBe(second.credentials.token.key);
});

test("names a port that is taken, and leaves nothing behind", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  closers.push(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  await expect(start({ port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
  const free = await start();
  await free.close();
  const options = { port: free.port, controlPort: port };
  await expect(start(options)).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
  await start({ port: free.port });
});

test("reports every wrong option at once", async () => {
  const options = { port: -1, controlPort: 65_536, topic: "a b", environment: "test", history: { limit: 0 } };
  await expect(start(options as unknown as SimulatorOptions)).rejects.toThrow(
    /port .*controlPort .*topic .*environment .*history\.limit /,
  );
});

test("closing twice is closing once", async () => {
  const simulator = await start({ controlPort: 0 });
  await Promise.all([simulator.close(), simulator.close()]);
  await simulator.close();
});

test("a key for some topics reaches these alone, and is good until it is revoked", async () => {
  const simulator = await start();
  const credentials = simulator.issueKey({ topics: ["com.example.other"] });
  const client = new ApnsClient({ endpoint: simulator.endpoint, ca: simulator.ca, credentials });
  closers.push(() => client.close());
  const send = (topic: string) => client.send({ deviceToken, topic, payload: { aps: { alert: "Hello" } } });
  expect(await send("com.example.demo")).toMatchObject({ reason: "TopicDisallowed" });
  expect(await send("com.example.other")).toMatchObject({ kind: "accepted" });
  simulator.revokeKey(credentials.keyId);
  expect(await send("com.example.other")).toMatchObject({ reason: "InvalidProviderToken" });
});

test("strict judgement refuses what the usual one takes, but for what is assumed otherwise", async () => {
  const simulator = await start({ judgement: "strict", assumptions: { badJson: "accept" } });
  const client = clientOf(simulator);
  const send = (payload: string) =>
    client.send({ deviceToken, payload, pushType: "alert" }).catch((error) => error);
  expect(await send('{"aps":{"content-available":1}}')).toMatchObject({ reason: "BadRequestPayload" });
  expect(await send('{"aps":{"alert":"Hello"}}')).toMatchObject({ kind: "accepted" });
});

test("an unknown assumption, and a scenario that is none, are refused", async () => {
  const assumptions = { colour: "red" } as object;
  await expect(start({ assumptions })).rejects.toThrow(/assumptions\.colour is not known; there are badJson/);
  await expect(start({ scenario: { rules: [{ do: "explode" as "close" }] } })).rejects.toThrow(
    /\/rules\/0\/do must be one of/,
  );
});
