/** Clients that others wrote, unchanged, against the simulator. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProviderKey, signProviderToken } from "@carillon/apns";
import { type Simulator, type SimulatorOptions, startSimulator } from "@carillon/simulator";
import apn from "@parse/node-apn";
import { ApnsClient as Apns2Client, Notification as Apns2Notification } from "apns2";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasCommand, runCommand } from "../support/command.ts";

const topic = "com.example.demo";
const gone = "dead".repeat(16);
const tokenOf = (ordinal: number): string => ordinal.toString(16).padStart(64, "a");

let dir: string;
let simulator: Simulator;
const closers: (() => unknown)[] = [];

async function start(options: SimulatorOptions = {}): Promise<void> {
  simulator = await startSimulator({ dir, ...options });
  const started = simulator;
  closers.push(() => started.close());
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "carillon-interop-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  await start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function bearer(): string {
  const { key, keyId, teamId } = simulator.credentials.token;
  return `bearer ${signProviderToken(loadProviderKey(key), { keyId, teamId, issuedAtSeconds: Math.floor(Date.now() / 1000) })}`;
}

/** How many pushes each device token got that were accepted: all 1 where none was lost or doubled. */
function expectOnceEach(count: number): void {
  const counts = [...simulator.history.countByDeviceToken({ status: 200 }).values()];
  expect(counts).toEqual(new Array(count).fill(1));
}

describe("node:http2", () => {
  interface Answer {
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }

  function open(credentials: object = {}) {
    const session = connect(simulator.endpoint, { ca: simulator.ca, ...credentials });
    session.on("error", () => {});
    closers.push(() => session.destroy());
    const send = (headers: Record<string, string>, body = '{"aps":{}}'): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":method": "POST", "apns-topic": topic, ...headers });
        let answer: IncomingHttpHeaders = {};
        let text = "";
        stream.on("response", (received) => {
          answer = received;
        });
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        stream.on("end", () => resolve({ headers: answer, body: text }));
        stream.on("error", reject);
        stream.end(body);
      });
    return { session, send };
  }

  test("an accepted push, and a refused one", async () => {
    const { send } = open();
    const authorization = bearer();
    const apnsId = "eabeae54-14a8-11e5-b60b-1697f925ec7b";
    const accepted = await send({ ":path": `/3/device/${tokenOf(1)}`, authorization, "apns-id": apnsId });
    expect(accepted).toMatchObject({ headers: { ":status": 200, "apns-id": apnsId }, body: "" });
    expect(accepted.headers["apns-unique-id"]).toMatch(/^[0-9a-f-]{36}$/);
    const refused = await send({ ":path": "/3/device/nothex", authorization });
    expect(refused).toMatchObject({
      headers: { ":status": 400, "content-type": "application/json" },
      body: '{"reason":"BadDeviceToken"}',
    });
    expect(refused.headers["apns-id"]).toMatch(/^[0-9A-F-]{36}$/);
  });

  test("learns the stream limit of 1, and of 1000 behind the first push", async () => {
    const { session, send } = open();
    const limits: (number | undefined)[] = [];
    session.on("remoteSettings", ({ maxConcurrentStreams }) => limits.push(maxConcurrentStreams));
    const raised = new Promise<void>((resolve) => {
      session.on("remoteSettings", () => limits.length === 2 && resolve());
    });
    await send({ ":path": `/3/device/${tokenOf(1)}`, authorization: bearer() });
    await raised;
    expect(limits).toEqual([1, 1000]);
  });

  test("a header list over the limit, and a body over it", async () => {
    const { send } = open(simulator.credentials.certificate);
    const path = `/3/device/${tokenOf(1)}`;
    expect((await send({ ":path": path, "x-large": "x".repeat(9000) })).headers[":status"]).toBe(431);
    const large = await send({ ":path": path }, "x".repeat(4097));
    expect(large.body).toBe('{"reason":"PayloadTooLarge"}');
  });

  test("a body far over the limit is answered and the rest declined", async () => {
    const { session, send } = open(simulator.credentials.certificate);
    const path = `/3/device/${tokenOf(1)}`;
    const large = await send({ ":path": path }, "x".repeat(1_000_000)).catch((error: Error) => error);
    // Node either shows the answer or the reset with NO_ERROR behind it; the connection goes on in both cases.
    if (!(large instanceof Error)) expect(large.headers[":status"]).toBe(413);
    expect(simulator.history.pushes).toMatchObject([{ reason: "PayloadTooLarge" }]);
    expect((await send({ ":path": path })).headers[":status"]).toBe(200);
    expect(session.closed).toBe(false);
  });

  test("production gives no unique id", async () => {
    const certificate = simulator.credentials.certificate;
    await simulator.close();
    await start({ environment: "production" });
    const { send } = open(certificate);
    expect((await send({ ":path": `/3/device/${tokenOf(1)}` })).headers["apns-unique-id"]).toBeUndefined();
  });

  test("closing the simulator ends the session with its GOAWAY", async () => {
    const { session, send } = open(simulator.credentials.certificate);
    const goaway = new Promise((resolve) => {
      session.on("goaway", (code, lastStreamId, debug) => resolve([code, lastStreamId, debug?.toString()]));
    });
    await send({ ":path": `/3/device/${tokenOf(1)}` });
    await simulator.close();
    expect(await goaway).toEqual([constants.NGHTTP2_NO_ERROR, 1, '{"reason":"Shutdown"}']);
  });
});

describe("@parse/node-apn 8.1.0", () => {
  function provider(credentials: object): apn.Provider {
    // Its types lack `address`, `port` and `ca`, which its documentation has.
    const options = { ...credentials, address: "localhost", port: simulator.port, ca: [simulator.ca] };
    const made = new apn.Provider(options as ConstructorParameters<typeof apn.Provider>[0]);
    closers.push(() => made.shutdown());
    return made;
  }

  function notification(): apn.Notification {
    const made = new apn.Notification({ topic, pushType: "alert" });
    made.alert = "Hello";
    return made;
  }

  test.each(["token", "certificate"] as const)("sends with a %s, and reads a 410", async (kind) => {
    const { kind: _, ...credentials } = simulator.credentials[kind];
    const sender = provider(kind === "token" ? { token: credentials } : credentials);
    simulator.devices.unregister(gone, 1_700_000_000_000);
    const tokens = Array.from({ length: 50 }, (_, ordinal) => tokenOf(ordinal));
    const { sent, failed } = await sender.send(notification(), [...tokens, gone]);
    expect(sent.map(({ device }) => device).sort()).toEqual(tokens.sort());
    expect(failed).toMatchObject([
      { device: gone, status: 410, response: { reason: "Unregistered", timestamp: 1_700_000_000_000 } },
    ]);
    expectOnceEach(50);
  });
});

describe("channels of @parse/node-apn 8.1.0", () => {
  function provider(): apn.Provider {
    const { kind: _, ...token } = simulator.credentials.token;
    const { port } = new URL(simulator.channelsEndpoint);
    const addresses = {
      ...{ address: "localhost", port: simulator.port, ca: [simulator.ca] },
      ...{ manageChannelsAddress: "localhost", manageChannelsPort: Number(port) },
    };
    const made = new apn.Provider({ token, ...addresses } as ConstructorParameters<typeof apn.Provider>[0]);
    closers.push(() => made.shutdown());
    return made;
  }

  test.each([
    ["on the port for pushes", {}],
    ["on a port of their own", { channelsPort: 0 }],
  ])("are made, read, listed, spoken to and deleted %s", async (_, options) => {
    await simulator.close();
    await start(options);
    const sender = provider();
    const about = (fields: object): apn.Notification => Object.assign(new apn.Notification(), fields);
    const manage = async (action: apn.ChannelAction, fields: object = {}) => {
      const { sent, failed } = await sender.manageChannels(about(fields), topic, action);
      expect(failed).toEqual([]);
      return sent[0] as unknown as Record<string, unknown>;
    };
    const policy = about({});
    policy.payload = { "message-storage-policy": 1 };
    const created = await sender.manageChannels(policy, topic, "create" as apn.ChannelAction);
    expect(created.failed).toEqual([]);
    const channelId = (created.sent[0] as unknown as Record<string, string>)["apns-channel-id"];
    expect(simulator.channels.list(topic)).toEqual([channelId]);
    expect(await manage("read" as apn.ChannelAction, { channelId })).toMatchObject({
      "message-storage-policy": 1,
    });
    expect(await manage("readAll" as apn.ChannelAction)).toMatchObject({ channels: [channelId] });
    const update = about({ channelId, pushType: "liveactivity", expiry: 0 });
    update.rawPayload = { aps: { timestamp: 1, event: "update", "content-state": {} } };
    expect(await sender.broadcast(update, topic)).toMatchObject({ sent: [{ bundleId: topic }], failed: [] });
    expect(simulator.history.pushes).toMatchObject([{ channelId, status: 200, pushType: "liveactivity" }]);
    await manage("delete" as apn.ChannelAction, { channelId });
    expect(await sender.broadcast(update, topic)).toMatchObject({
      failed: [{ status: 400, response: { reason: "ChannelNotRegistered" } }],
    });
  });
});

describe("apns2 12.2.0", () => {
  test("sends with a token, and reads a 410", async () => {
    const { key, keyId, teamId } = simulator.credentials.token;
    const client = new Apns2Client({
      team: teamId,
      keyId,
      signingKey: key,
      defaultTopic: topic,
      host: "localhost",
    });
    // It always connects to port 443: give it the same pool, with its own options, for the simulator's port.
    const holder = client as unknown as {
      client: { constructor: new (origin: string, options: object) => never };
    };
    holder.client = new holder.client.constructor(simulator.endpoint, {
      connections: 32,
      pipelining: 1,
      allowH2: true,
      maxConcurrentStreams: 100,
      connect: { ca: simulator.ca },
    });
    closers.push(() => client.close());
    simulator.devices.unregister(gone, 1_700_000_000_000);
    const all = Array.from(
      { length: 50 },
      (_, ordinal) => new Apns2Notification(tokenOf(ordinal), { aps: {} }),
    );
    await client.sendMany(all);
    await expect(client.send(new Apns2Notification(gone, { aps: {} }))).rejects.toMatchObject({
      reason: "Unregistered",
      statusCode: 410,
    });
    expectOnceEach(50);
  });
});

/** Arguments that `curl`, `nghttp` and `h2load` share. */
const headersOf = (headers: Record<string, string>): string[] =>
  Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);

// A machine without one of these programs skips its tests; Debian has them as curl and nghttp2-client.
describe.skipIf(!hasCommand("curl"))("curl", () => {
  const curl = (path: string, ...args: string[]) => {
    const fixed = ["--silent", "--show-error", "--http2", "--include", "--cacert", simulator.files?.ca ?? ""];
    return runCommand("curl", [
      ...fixed,
      "--data",
      '{"aps":{"alert":"Hello"}}',
      ...args,
      simulator.endpoint + path,
    ]);
  };

  test("Apple's own command line for a token", async () => {
    const headers = { authorization: bearer(), "apns-topic": topic, "apns-push-type": "alert" };
    const { stdout, stderr } = await curl(`/3/device/${tokenOf(1)}`, ...headersOf(headers));
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^HTTP\/2 200 \r\napns-id: [0-9A-F-]{36}\r\napns-unique-id: [0-9a-f-]{36}\r\n\r\n$/,
    );
    expect(simulator.history.pushes[0]?.payload.toString()).toBe('{"aps":{"alert":"Hello"}}');
  });

  test("Apple's own command line for a certificate", async () => {
    const { cert = "", certKey = "" } = simulator.files ?? {};
    const { stdout } = await curl(
      `/3/device/${tokenOf(1)}`,
      "--cert",
      cert,
      "--key",
      certKey,
      "-H",
      `apns-topic: ${topic}`,
    );
    expect(stdout).toMatch(/^HTTP\/2 200 /);
  });

  test("the probes without credentials answer as Apple's", async () => {
    const get = await curl("/3/device/", "--get");
    expect(get.stdout).toMatch(/^HTTP\/2 405 [\s\S]*\{"reason":"MethodNotAllowed"\}$/);
    const post = await curl("/3/device/aaaa", "--data", "{}");
    expect(post.stdout).toMatch(/^HTTP\/2 403 [\s\S]*\{"reason":"MissingProviderToken"\}$/);
  });
});

describe.skipIf(!hasCommand("nghttp"))("nghttp", () => {
  test("sends one push and sees a clean connection", async () => {
    const payload = join(dir, "payload.json");
    writeFileSync(payload, '{"aps":{"alert":"Hello"}}');
    const headers = headersOf({ authorization: bearer(), "apns-topic": topic });
    const url = `${simulator.endpoint}/3/device/${tokenOf(1)}`;
    const { stdout } = await runCommand("nghttp", [
      "--verbose",
      "--no-verify-peer",
      ...headers,
      "--data",
      payload,
      url,
    ]);
    expect(stdout).toContain("[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):1]");
    expect(stdout).toMatch(/:status: 200/);
    expect(stdout).not.toMatch(/recv GOAWAY|recv RST_STREAM/);
  });
});

describe.skipIf(!hasCommand("h2load"))("h2load", () => {
  test("20,000 pushes over 4 connections are all answered 200", async () => {
    const payload = join(dir, "payload.json");
    writeFileSync(payload, '{"aps":{"alert":"Hello"}}');
    const headers = headersOf({ authorization: bearer(), "apns-topic": topic });
    const load = ["--requests=20000", "--clients=4", "--max-concurrent-streams=100"];
    const url = `${simulator.endpoint}/3/device/${tokenOf(1)}`;
    const { stdout } = await runCommand("h2load", [...load, ...headers, "--data", payload, url]);
    expect(stdout).toContain("status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx");
    expect(simulator.history.count({ status: 200 })).toBe(20_000);
  });
});
