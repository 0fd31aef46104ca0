/** Rows 57 and 59 of docs/faults.md: one app's credentials fail, and its neighbours in the same gateway notice nothing. */
import type { Credentials } from "@carillon/apns";
import { type Simulator, startSimulator } from "@carillon/simulator";
import type { AppConfig, Gateway } from "carillon";
import { expect, test } from "vitest";
import { stopAfterTest } from "../support/faults.ts";
import { appFor, call, configFor, openGateway, temporaryFolder } from "../support/gateways.ts";
import { issuePushCertificate } from "../support/push-certificate.ts";
import { deviceToken } from "../support/sending.ts";

const names = ["first", "second", "third"] as const;
type Name = (typeof names)[number];
const patience = { timeout: 15_000, interval: 50 };

async function openSimulator(): Promise<Simulator> {
  const simulator = await startSimulator({ dir: temporaryFolder() });
  stopAfterTest(() => simulator.close());
  return simulator;
}

function threeApps(simulator: Simulator, thirds: Credentials): AppConfig[] {
  return names.map((name) => ({
    ...appFor(simulator),
    name,
    topic: `com.example.${name}`,
    credentials: name === "third" ? thirds : simulator.issueKey(),
  }));
}

/** The device tokens of one wave: 100 for an app. */
const devicesOf = (name: Name, wave: number): string[] =>
  Array.from({ length: 100 }, (_, each) => deviceToken((wave * 3 + names.indexOf(name)) * 100 + each));

async function submit(gateway: Gateway, name: Name, wave: number): Promise<string> {
  const to = { tokens: devicesOf(name, wave) };
  const { status, body } = await call(gateway, `/v1/apps/${name}/notifications`, { to, alert: "Hello" });
  expect(status).toBe(202);
  return body.results[99].id;
}

/** How many of a wave's devices got it once; more often counts as a failure. */
function delivered(simulator: Simulator, name: Name, wave: number): number {
  const counts = simulator.history.countByDeviceToken({ status: 200 });
  const each = devicesOf(name, wave).map((device) => counts.get(device) ?? 0);
  expect(Math.max(...each)).toBeLessThanOrEqual(1);
  return each.filter((count) => count === 1).length;
}

async function expectParked(gateway: Gateway, reason: string): Promise<void> {
  const waiting = async () => (await call(gateway, "/readyz")).body.waiting;
  await expect.poll(waiting, patience).toEqual([{ app: "third", environment: "sandbox", for: reason }]);
}

/** The third app cannot send, the others can; after a new start with a good key its queue goes out. */
async function expectBulkhead(gateway: Gateway, apps: readonly AppConfig[], options: Fault): Promise<void> {
  const { simulator, dataDir, reason } = options;
  const ids = await Promise.all(names.map((name) => submit(gateway, name, 1)));
  for (const name of ["first", "second"] as const)
    await expect.poll(() => delivered(simulator, name, 1), patience).toBe(100);
  await expectParked(gateway, reason);
  expect(delivered(simulator, "third", 1)).toBe(0);
  const path = `/v1/apps/third/notifications/${ids[2]}`;
  expect((await call(gateway, path)).body).toMatchObject({ status: "queued" });
  await gateway.close();

  const good = apps.map((app) =>
    app.name === "third" ? { ...app, credentials: simulator.issueKey() } : app,
  );
  const next = await openGateway(configFor(dataDir, ...good));
  await expect.poll(() => delivered(simulator, "third", 1), patience).toBe(100);
  await expect.poll(async () => (await call(next, path)).body.status, patience).toBe("accepted");
  for (const wave of [0, 1])
    expect(names.map((name) => delivered(simulator, name, wave))).toEqual([100, 100, 100]);
}

interface Fault {
  readonly simulator: Simulator;
  readonly dataDir: string;
  readonly reason: string;
}

test("row 57: a key that is revoked parks its own app; with a good key the queue goes out whole, each once", async () => {
  const simulator = await openSimulator();
  const key = simulator.issueKey();
  const apps = threeApps(simulator, key);
  const dataDir = temporaryFolder();
  const gateway = await openGateway(configFor(dataDir, ...apps));
  for (const name of names) await submit(gateway, name, 0);
  for (const name of names) await expect.poll(() => delivered(simulator, name, 0), patience).toBe(100);
  simulator.revokeKey(key.keyId);
  await expectBulkhead(gateway, apps, { simulator, dataDir, reason: "InvalidProviderToken" });
});

test("row 59: a certificate that runs out under way parks its own app; with a good key the queue goes out whole, each once", async () => {
  const simulator = await openSimulator();
  const endsAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2_000);
  const apps = threeApps(simulator, await issuePushCertificate(simulator, "com.example.third", endsAt));
  const dataDir = temporaryFolder();
  const gateway = await openGateway(configFor(dataDir, ...apps));
  for (const name of names) await submit(gateway, name, 0);
  for (const name of names) await expect.poll(() => delivered(simulator, name, 0), patience).toBe(100);
  await expect.poll(() => Date.now(), patience).toBeGreaterThan(endsAt.getTime() + 1_000);
  // What was opened in time goes on; Apple closes connections now and then, and looks again at the next one.
  simulator.setScenario({
    rules: {
      when: { topic: "com.example.third" },
      times: 1,
      do: [{ goaway: { last: 0 } }, { silence: { request: "ignored" } }],
    },
  });
  await expectBulkhead(gateway, apps, { simulator, dataDir, reason: "BadCertificate" });
});
