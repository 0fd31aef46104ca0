import { startSimulator } from "@carillon/simulator";
import { expect, onTestFinished, test } from "vitest";
import { appFor, call, configFor, demoPath, openGateway, temporaryFolder } from "./support/gateways.ts";
import { deviceToken } from "./support/sending.ts";

async function openSimulator(options: Parameters<typeof startSimulator>[0] = {}) {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

const finalWithin = { timeout: 20_000, interval: 50 };

test("a push goes from the HTTP call over the disk and HTTP/2 to Apple, under the id that the caller got", async () => {
  const simulator = await openSimulator();
  const gateway = await openGateway(configFor(temporaryFolder(), appFor(simulator)));
  const written = '{ "aps" : { "alert": "H\\u00e9llo" }, "orderId": 7.0 }';

  const sent = await call(
    gateway,
    demoPath,
    `{"to":{"token":"${deviceToken(1)}"},"payload":${written},"collapseId":"news","priority":5,"reference":"r1"}`,
  );
  expect(sent.status).toBe(202);
  const { id } = sent.body.results[0];
  const [push] = await simulator.history.waitFor({ apnsId: id, timeoutMs: 20_000 });
  expect(push).toMatchObject({
    deviceToken: deviceToken(1),
    topic: simulator.topic,
    pushType: "alert",
    status: 200,
  });
  expect(push).toHaveProperty("headers.apns-priority", "5");
  expect(push).toHaveProperty("headers.apns-collapse-id", "news");
  expect(Buffer.from(push?.payload ?? "").toString()).toBe(written);

  await expect
    .poll(async () => (await call(gateway, `${demoPath}/${id}`)).body.status, finalWithin)
    .toBe("accepted");
  const { body } = await call(gateway, `${demoPath}/${id}`);
  expect(body).toMatchObject({ id, apnsId: id, reference: "r1", attempts: [{ outcome: "accepted" }] });
});

test("with wait the answer tells what Apple said, to each recipient", async () => {
  const simulator = await openSimulator();
  const gateway = await openGateway(configFor(temporaryFolder(), appFor(simulator)));
  const { status, body } = await call(gateway, `${demoPath}?wait=20`, {
    notifications: [
      { to: { tokens: [deviceToken(1), deviceToken(2)] }, alert: "Hello" },
      { to: { token: "abc" }, alert: "Hello" },
      { to: { token: deviceToken(3) }, alert: "Hello", topic: "com.example.other", pushType: "hologram" },
    ],
  });
  expect(status).toBe(200);
  const [first, second, invalid, strange] = body.results;
  expect([first.status, second.status]).toEqual(["accepted", "accepted"]);
  expect(invalid.error.errors[0].pointer).toBe("/notifications/1/to/token");
  expect(strange).toMatchObject({ status: "rejected", reason: "InvalidPushType" });
  expect(simulator.history.count({ status: 200 })).toBe(2);
});

test("the caller's own apnsId goes to Apple, and either id finds the notification", async () => {
  const simulator = await openSimulator();
  const gateway = await openGateway(configFor(temporaryFolder(), appFor(simulator)));
  const apnsId = "123E4567-E89B-12D3-A456-426614174000";
  const { body } = await call(gateway, `${demoPath}?wait=20`, {
    to: { token: deviceToken(1) },
    alert: "x",
    apnsId,
  });
  const [{ id, status }] = body.results;
  expect(status).toBe("accepted");
  expect(simulator.history.find({ apnsId })).toHaveLength(1);
  for (const name of [apnsId, apnsId.toLowerCase(), id, id.toUpperCase()])
    expect((await call(gateway, `${demoPath}/${name}`)).body).toMatchObject({
      id,
      apnsId: apnsId.toLowerCase(),
    });
  expect((await call(gateway, `${demoPath}/123e4567-e89b-12d3-a456-426614174001`)).status).toBe(404);
});

test("while Apple cannot be reached notifications wait, also over a new start, and go out when it is back", async () => {
  const dir = temporaryFolder();
  const dataDir = temporaryFolder();
  const before = await startSimulator({ dir });
  const { port } = before;
  const app = appFor(before);
  await before.close();

  const first = await openGateway(configFor(dataDir, app));
  const sent = await call(first, demoPath, {
    to: { tokens: [deviceToken(1), deviceToken(2)] },
    alert: "Hello",
  });
  expect(sent.status).toBe(202);
  const ids: string[] = sent.body.results.map((result: { id: string }) => result.id);
  await expect
    .poll(async () => (await call(first, "/readyz")).body, finalWithin)
    .toMatchObject({ status: "ready", queued: 2, waiting: [{ app: "demo", environment: "sandbox" }] });
  expect((await call(first, `${demoPath}/${ids[0]}`)).body.status).toBe("queued");
  await first.close({ deadlineMs: 500 });

  const second = await openGateway(configFor(dataDir, app));
  expect((await call(second, `${demoPath}/${ids[0]}`)).body.status).toBe("queued");
  const back = await openSimulator({ dir, port });
  const pushes = await back.history.waitFor({ count: 2, timeoutMs: 20_000 });
  expect(pushes.map((push) => push.apnsId).sort()).toEqual([...ids].sort());
  for (const id of ids)
    await expect
      .poll(async () => (await call(second, `${demoPath}/${id}`)).body.status, finalWithin)
      .toBe("accepted");
  expect((await call(second, "/readyz")).body).toMatchObject({ queued: 0, waiting: [] });
});
