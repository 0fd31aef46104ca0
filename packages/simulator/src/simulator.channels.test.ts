/** Broadcast channels over the wire. */
import { ApnsClient, liveActivityPayload } from "@carillon/apns";
import { afterEach, expect, test } from "vitest";
import { startSimulator } from "./simulator.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: SimulatorOptions = {}, credentials: "token" | "certificate" = "token") {
  const simulator = await startSimulator(options);
  const { endpoint, channelsEndpoint, ca, topic } = simulator;
  const client = new ApnsClient({
    ...{ endpoint, channelsEndpoint, ca, topic },
    credentials: simulator.credentials[credentials],
    retry: { baseDelayMs: 1, maxDelayMs: 1 },
  });
  closers.push(
    () => simulator.close(),
    () => client.close(),
  );
  return { simulator, client };
}

async function createChannel({ channels }: ApnsClient, storage: "none" | "most-recent" = "most-recent") {
  const created = await channels.create({ storage });
  if (created.kind !== "created") throw new Error(JSON.stringify(created));
  return created.channelId;
}

const payload = liveActivityPayload.update({ contentState: { score: 1 } });
const app = "com.example.demo";

const ways = [
  ["the push port", {}, "token"],
  ["the push port", {}, "certificate"],
  ["a port of their own", { channelsPort: 0, assumptions: { channelsManagedAt: "channels-port" } }, "token"],
] as const;

test.each(ways)("a channel's whole life, on %s", async (_, options, credentials) => {
  const { simulator, client } = await start(options, credentials);
  const channelId = await createChannel(client);
  expect(await client.channels.read(channelId)).toMatchObject({ kind: "read", storage: "most-recent" });
  expect(await client.channels.list()).toMatchObject({ kind: "listed", channelIds: [channelId] });
  const expiration = Math.floor(Date.now() / 1000) + 600;
  const sent = await client.broadcast({ channelId, payload, expiration });
  if (sent.kind !== "accepted") throw new Error(JSON.stringify(sent));
  expect(simulator.channels.find(app, channelId)?.stored).toMatchObject({ requestId: sent.requestId });
  expect(simulator.history.find({ channelId })).toMatchObject([
    { apnsId: sent.requestId, topic: app, pushType: "liveactivity", status: 200 },
  ]);
  expect(await client.channels.delete(channelId)).toMatchObject({ kind: "deleted" });
  expect(await client.channels.delete(channelId)).toMatchObject({ kind: "rejected", reason: "BadPath" });
  expect(await client.broadcast({ channelId, payload })).toMatchObject({ reason: "ChannelNotRegistered" });
  const about = simulator.history.find({ kind: "channels" });
  expect(about.map(({ headers, status }) => `${headers[":method"]} ${status}`)).toEqual([
    ...["POST 201", "GET 200", "GET 200", "DELETE 204", "DELETE 404"],
  ]);
  expect(about[0]).toMatchObject({ channelId, topic: app, reason: undefined, answer: "sent" });
  expect(JSON.parse(String(about[0]?.payload))).toEqual({
    "message-storage-policy": 1,
    "push-type": "LiveActivity",
  });
  expect(simulator.history.find({ kind: "any", channelId })).toHaveLength(6);
});

test("a list of 10,000 channels comes whole", async () => {
  const { simulator, client } = await start();
  while (simulator.channels.hasRoom(app)) simulator.channels.create(app, "none");
  const listed = await client.channels.list();
  expect(listed.kind === "listed" && listed.channelIds).toEqual(simulator.channels.list(app));
  expect(await client.channels.create({ storage: "none" })).toMatchObject({
    reason: "CannotCreateChannelConfig",
  });
});

test("the channels' own port takes no pushes, and connections of all ports count together", async () => {
  const { simulator } = await start({ channelsPort: 0 });
  const { channelsEndpoint, ca, credentials, topic, endpoint } = simulator;
  const send = async (at: string) => {
    const client = new ApnsClient({ endpoint: at, ca, credentials: credentials.token, topic });
    closers.push(() => client.close());
    return client.send({ deviceToken: "aabbccdd", payload: { aps: {} } });
  };
  expect(await send(channelsEndpoint)).toMatchObject({ kind: "rejected", reason: "BadPath" });
  expect(await send(endpoint)).toMatchObject({ kind: "accepted" });
  expect(simulator.history.find({ kind: "channels" })).toMatchObject([{ connection: 1, reason: "BadPath" }]);
  expect(simulator.history.pushes).toMatchObject([{ connection: 2 }]);
});

test("a scenario reaches requests about channels: one that is processed in silence is done all the same", async () => {
  const { simulator, client } = await start();
  simulator.setScenario({
    rules: [
      { times: 1, do: { answer: { status: 503, reason: "ServiceUnavailable" } } },
      { when: { request: 3 }, do: [{ silence: { request: "processed" } }, "close"] },
    ],
  });
  expect(await client.channels.create({ storage: "none" })).toMatchObject({ attempts: 2, kind: "created" });
  expect(simulator.channels.list(app)).toHaveLength(1);
  expect(await client.channels.create({ storage: "none" })).toMatchObject({ kind: "indeterminate" });
  expect(simulator.channels.list(app)).toHaveLength(2);
  expect(simulator.history.find({ kind: "channels" }).at(-1)).toMatchObject({
    answer: "withheld",
    status: 201,
  });
});
