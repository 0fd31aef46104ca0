import {
  ApnsClient,
  alertPayload,
  backgroundPayload,
  contentChangedPayload,
  dataPayload,
  fileProviderPayload,
  liveActivityPayload,
  type Notification,
  type PushType,
} from "@carillon/apns";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { afterEach, expect, test } from "vitest";
import { deviceToken } from "../support/sending.ts";

let simulator: Simulator | undefined;
let client: ApnsClient | undefined;

afterEach(async () => {
  await client?.close();
  await simulator?.close();
});

const begin = { attributesType: "Order", attributes: {}, contentState: {}, alert: { title: "a", body: "b" } };

/** One push of every type that either credential may send. */
const pushes: readonly Omit<Notification, "deviceToken">[] = [
  { payload: alertPayload({ body: "Hello" }) },
  { payload: backgroundPayload() },
  { payload: dataPayload({ step: 1 }), pushType: "complication" },
  { payload: dataPayload({ call: 1 }), pushType: "voip", expiration: 0 },
  { payload: dataPayload({ speaker: "Ann" }), pushType: "pushtotalk", expiration: 0 },
];

/** What takes a provider token, or is not sure to go with a certificate. */
const tokenPushes: readonly Omit<Notification, "deviceToken">[] = [
  { payload: contentChangedPayload(), pushType: "controls" },
  { payload: contentChangedPayload(), pushType: "widgets" },
  { payload: fileProviderPayload({ containerIdentifier: "root" }) },
  { payload: dataPayload(), pushType: "location" },
  { payload: liveActivityPayload.start(begin) },
  { payload: liveActivityPayload.update({ contentState: {} }), priority: 5 },
  { payload: liveActivityPayload.end() },
];

async function start(kind: "token" | "certificate"): Promise<{ simulator: Simulator; client: ApnsClient }> {
  simulator = await startSimulator({ judgement: "strict" });
  const { endpoint, ca, credentials } = simulator;
  const topic = kind === "token" ? { topic: simulator.topic } : {};
  client = new ApnsClient({ endpoint, ca, credentials: credentials[kind], ...topic });
  return { simulator, client };
}

test.each(["token", "certificate"] as const)(
  "what the builders make is taken by a strict judge, type by type, with a %s",
  async (kind) => {
    const { simulator, client } = await start(kind);
    const all = kind === "token" ? [...pushes, ...tokenPushes] : pushes;
    for (const [each, push] of all.entries()) {
      const outcome = await client.send({ ...push, deviceToken: deviceToken(each) });
      expect(outcome, JSON.stringify(push)).toMatchObject({ kind: "accepted" });
    }
    const types = new Set(simulator.history.pushes.map(({ pushType }) => pushType));
    const expected: PushType[] = ["alert", "background", "complication", "pushtotalk", "voip"];
    if (kind === "token") expected.push("controls", "fileprovider", "liveactivity", "location", "widgets");
    expect([...types].sort()).toEqual(expected.sort());
  },
);

test("push types that want a provider token are refused here, before the judge refuses them", async () => {
  const { simulator, client } = await start("certificate");
  for (const push of tokenPushes.slice(0, 4))
    await expect(client.send({ ...push, deviceToken: deviceToken(1) })).rejects.toMatchObject({
      code: "bad-notification",
      problems: [expect.objectContaining({ field: "pushType" })],
    });
  expect(simulator.history.pushes).toHaveLength(0);
});

test("an outcome that was not accepted names its connection, as the snapshot does", async () => {
  const { simulator, client } = await start("token");
  const push = { payload: alertPayload({ body: "Hello" }), deviceToken: deviceToken(1) };
  const good = await client.send(push);
  expect(good).toMatchObject({ kind: "accepted" });
  expect(good).not.toHaveProperty("connection");
  simulator.devices.unregister(deviceToken(1));
  const [connection] = client.snapshot().connections;
  expect(await client.send(push)).toMatchObject({
    kind: "rejected",
    connection: { number: 1, remoteAddress: connection?.remoteAddress },
  });
  expect(connection?.number).toBe(1);
});
