import { ApnsClient, ApnsError, liveActivityPayload } from "@carillon/apns";
import { type Simulator, type SimulatorOptions, startSimulator } from "@carillon/simulator";
import { afterEach, expect, test } from "vitest";
import { type PeerRequest, RawPeer } from "../support/raw-peer.ts";
import { clientFor, deviceToken } from "../support/sending.ts";

const channelId = "dHN0LXNyY2gtY2hubA==";
const payload = liveActivityPayload.update({ contentState: { score: 1 } });
const stopping: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
});

async function start(answer: (request: PeerRequest) => void, options = {}) {
  const peer = await RawPeer.start({ onRequest: answer });
  const client = clientFor(peer, options);
  stopping.push(
    () => peer.close(),
    () => client.close({ deadlineMs: 0 }),
  );
  return { peer, client };
}

/** A client of the simulator, which knows what Apple's channels are. */
async function startWithSimulator(options: SimulatorOptions = {}) {
  const simulator: Simulator = await startSimulator(options);
  const { endpoint, channelsEndpoint, ca, topic, credentials } = simulator;
  const client = new ApnsClient({ endpoint, channelsEndpoint, ca, topic, credentials: credentials.token });
  stopping.push(
    () => simulator.close(),
    () => client.close({ deadlineMs: 0 }),
  );
  return { simulator, client };
}

test("channels are made, read, listed and deleted", async () => {
  const { simulator, client } = await startWithSimulator();
  const made = await client.channels.create({ storage: "most-recent" });
  if (made.kind !== "created") throw new Error(JSON.stringify(made));
  expect(simulator.channels.find("com.example.demo", made.channelId)?.storage).toBe("most-recent");
  expect(await client.channels.read(made.channelId)).toMatchObject({ kind: "read", storage: "most-recent" });
  expect(await client.channels.list()).toMatchObject({ kind: "listed", channelIds: [made.channelId] });
  expect(await client.channels.delete(made.channelId)).toMatchObject({ kind: "deleted", attempts: 1 });
  expect(await client.channels.delete(made.channelId)).toMatchObject({
    kind: "rejected",
    status: 404,
    reason: "BadPath",
  });
  const requests = simulator.history.find({ kind: "channels" });
  expect(requests.map(({ headers }) => `${headers[":method"]} ${headers[":path"]}`)).toEqual([
    "POST /1/apps/com.example.demo/channels",
    "GET /1/apps/com.example.demo/channels",
    "GET /1/apps/com.example.demo/all-channels",
    "DELETE /1/apps/com.example.demo/channels",
    "DELETE /1/apps/com.example.demo/channels",
  ]);
  expect(requests[0]?.payload.toString()).toBe('{"message-storage-policy":1,"push-type":"LiveActivity"}');
  expect(requests[0]?.headers.authorization).toMatch(/^bearer \S+$/);
  expect(requests[0]?.headers["apns-request-id"]).toBe(made.requestId);
  const names = requests.flatMap(({ headers }) => Object.keys(headers));
  expect(names.filter((name) => name === "apns-topic" || name === "apns-id")).toEqual([]);
});

test("a list of 10,000 channels comes whole", async () => {
  const { simulator, client } = await startWithSimulator();
  const made = Array.from({ length: 10_000 }, () => simulator.channels.create("com.example.demo", "none"));
  const listed = await client.channels.list();
  expect(listed.kind === "listed" && listed.channelIds).toEqual(made.map(({ channelId: id }) => id));
});

test("a broadcast goes over the connection for notifications, with one provider token", async () => {
  const seen: PeerRequest[] = [];
  const { peer, client } = await start((request) => {
    seen.push(request);
    request.connection.answer(request);
  });
  expect(await client.send({ deviceToken: deviceToken(1), payload: { aps: { alert: "a" } } })).toMatchObject({
    kind: "accepted",
  });
  const sent = await client.broadcast({ channelId, payload, priority: 5 });
  expect(sent).toEqual({
    kind: "accepted",
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    attempts: 1,
  });
  expect(peer.connections).toHaveLength(1);
  expect(peer.providerTokens.size).toBe(1);
  const { headers, body } = seen[1]!;
  expect(Object.fromEntries(headers)).toMatchObject({
    ":path": "/4/broadcasts/apps/com.example.demo",
    "apns-channel-id": channelId,
    "apns-push-type": "liveactivity",
    "apns-expiration": "0",
    "apns-priority": "5",
    "apns-request-id": (sent as { requestId: string }).requestId,
  });
  expect(headers.has("apns-topic") || headers.has("apns-id")).toBe(false);
  expect(JSON.parse(body.toString())).toEqual(payload);
});

test("answers that are no success are outcomes, never exceptions", async () => {
  let reason = "";
  const { client } = await start((request) => request.connection.answer(request, 400, { reason }));
  for (reason of ["ChannelNotRegistered", "BadChannelId", "BroadcastFeatureNotEnabled", "TooCold"]) {
    const outcome = await client.broadcast({ channelId, payload });
    expect(outcome).toMatchObject({
      kind: reason === "TooCold" ? "unrecognized" : "rejected",
      status: 400,
      reason,
    });
    expect(outcome).not.toHaveProperty("apnsId");
  }
});

test("what passes is tried again; making a channel whose answer was lost is not", async () => {
  let requests = 0;
  const { client } = await start(
    (request) => {
      requests += 1;
      if (requests === 1) request.connection.answer(request, 503, { reason: "ServiceUnavailable" });
      else if (request.headers.get(":method") === "POST") request.connection.reset(request.stream, 2);
      else request.connection.headers(request.stream, [":status", "204"], "end");
    },
    { retry: { baseDelayMs: 1, maxDelayMs: 1 } },
  );
  expect(await client.channels.delete(channelId)).toMatchObject({ kind: "deleted", attempts: 2 });
  expect(await client.channels.create({ storage: "none" })).toMatchObject({
    kind: "indeterminate",
    cause: "reset",
    attempts: 1,
  });
});

test("a caller's mistakes reject, with every problem named", async () => {
  const { peer, client } = await start(() => undefined);
  const refused = (fields: readonly string[]) => ({
    code: "bad-notification",
    problems: fields.map((field) => expect.objectContaining({ field })),
  });
  await expect(client.broadcast({ channelId: "a b", payload: "" })).rejects.toMatchObject(
    refused(["channelId", "payload"]),
  );
  await expect(client.channels.read("../x")).rejects.toMatchObject(refused(["channelId"]));
  await expect(
    client.channels.create({ storage: "all" as "none", bundleId: "a/b", requestId: "1" }),
  ).rejects.toMatchObject(refused(["bundleId", "requestId", "storage"]));
  await client.close();
  await expect(client.channels.list()).rejects.toBeInstanceOf(ApnsError);
  await expect(client.broadcast({ channelId, payload })).rejects.toMatchObject({ code: "closed" });
  expect(peer.requests).toBe(0);
});

test("channels may be managed in another place than notifications are sent to", async () => {
  const { simulator, client } = await startWithSimulator({ channelsPort: 0 });
  expect(await client.channels.list()).toMatchObject({ kind: "listed" });
  expect(simulator.connections.all).toMatchObject([{ port: "channels", requests: 1 }]);
  expect(() => clientFor(simulator, { channelsEndpoint: "http://localhost" })).toThrow(
    /channelsEndpoint must be/,
  );
  expect(ApnsClient.prototype).toHaveProperty("broadcast");
});
