/** What an app that resolves environments makes of device tokens of the wrong one, with both of Apple's sides played. */
import { ApnsClient, systemClock } from "@carillon/apns";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { expect, onTestFinished, test } from "vitest";
import { type NotificationDraft, startDelivery } from "../../packages/gateway/dist/delivery/index.js";
import { Outcomes } from "../../packages/gateway/dist/outcomes/index.js";
import { SqliteStore } from "../../packages/gateway/dist/store/index.js";
import { temporaryFolder } from "../support/gateways.ts";
import { deviceToken } from "../support/sending.ts";

const logger = { info() {}, warn() {}, error() {} };

/** A client of a simulator, closed after the test. */
async function sendTo(environment: "production" | "sandbox") {
  const simulator = await startSimulator({ environment });
  onTestFinished(() => simulator.close());
  const { endpoint, ca, topic, credentials } = simulator;
  const sender = new ApnsClient({
    endpoint,
    ca,
    topic,
    credentials: credentials.token,
    retry: { attempts: 1 },
  });
  onTestFinished(() => sender.close({ deadlineMs: 0 }));
  return { simulator, sender };
}

async function openDelivery(dataDir: string, senders: Record<string, ApnsClient>) {
  const store = await SqliteStore.open({ dataDir });
  const outcomes = new Outcomes({ store, clock: systemClock, logger });
  const delivery = await startDelivery({
    ...{ store, logger },
    senderFor: (_app, environment) => senders[environment],
    resolvesEnvironment: () => true,
    tellerFor: (app, environment) => outcomes.tellerFor(app, environment),
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    outcomes.close();
    stopped ??= delivery.stop(5_000);
    return stopped;
  };
  onTestFinished(stop);
  return { delivery, outcomes, stop };
}

function draftTo(deviceTokens: readonly string[], { topic }: Simulator): NotificationDraft {
  const payload = Buffer.from('{"aps":{"alert":"Hello"}}');
  const rest = { lane: "normal", delivery: "at-least-once", environmentChoice: "open" } as const;
  return { deviceTokens, payload, topic, pushType: "alert", environment: "sandbox", ...rest };
}

test("row 63: 10,000 production tokens sent to the sandbox are all delivered by production, none is gone, and the next go there at once", {
  timeout: 90_000,
}, async () => {
  const [sandbox, production] = [await sendTo("sandbox"), await sendTo("production")];
  const tokens = Array.from({ length: 10_000 }, (_, index) => deviceToken(index));
  for (const token of tokens) sandbox.simulator.devices.describe(token, { environment: "production" });
  const dataDir = temporaryFolder();
  const senders = { sandbox: sandbox.sender, production: production.sender };
  const first = await openDelivery(dataDir, senders);
  const ids = await first.delivery.submit("demo", [draftTo(tokens, sandbox.simulator)]);
  await expect.poll(() => first.delivery.health.queued, { timeout: 60_000 }).toBe(0);
  const { pushes } = production.simulator.history;
  expect(new Set(pushes.map(({ apnsId }) => apnsId.toLowerCase()))).toEqual(new Set(ids));
  expect(pushes.every(({ status }) => status === 200)).toBe(true);
  expect(sandbox.simulator.history.pushes.map(({ status }) => status)).toEqual(tokens.map(() => 400));
  expect(await first.delivery.find("demo", ids[4_711] ?? "")).toMatchObject({
    status: "accepted",
    attempts: [{ reason: "BadDeviceToken" }, { outcome: "accepted", environment: "production" }],
  });
  const { items } = await first.outcomes.log.read({ limit: 1_000 });
  expect(new Set(items.map(({ type, data }) => `${type} ${data.environment}`))).toEqual(
    new Set(["notification.accepted production"]),
  );
  expect((await first.outcomes.feedback.list("demo", 0, 10)).items).toEqual([]);
  await first.stop();

  const second = await openDelivery(dataDir, senders);
  await second.delivery.submit("demo", [draftTo(tokens, sandbox.simulator)]);
  await expect.poll(() => second.delivery.health.queued, { timeout: 60_000 }).toBe(0);
  expect(sandbox.simulator.history.pushes).toHaveLength(10_000);
  expect(production.simulator.history.pushes).toHaveLength(20_000);
});

test("a key that is good in one environment only leaves the other one's route open", async () => {
  const [sandbox, production] = [await sendTo("sandbox"), await sendTo("production")];
  const { endpoint, ca, topic } = production.simulator;
  const credentials = production.simulator.issueKey({ environment: "sandbox" });
  const wrong = new ApnsClient({ endpoint, ca, topic, credentials, retry: { attempts: 1 } });
  onTestFinished(() => wrong.close({ deadlineMs: 0 }));
  const tokens = Array.from({ length: 200 }, (_, index) => deviceToken(index));
  for (const token of tokens) sandbox.simulator.devices.describe(token, { environment: "production" });
  const { delivery, outcomes } = await openDelivery(temporaryFolder(), {
    ...{ sandbox: sandbox.sender, production: wrong },
  });
  const [id = ""] = await delivery.submit("demo", [draftTo(tokens, sandbox.simulator)]);
  await expect.poll(() => delivery.health.queued, { timeout: 30_000 }).toBe(0);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "rejected", reason: /BadDeviceToken$/ });
  expect(delivery.waitingFor("demo", "production")).toBeUndefined();
  const { items } = await outcomes.log.read({ limit: 1_000 });
  expect(new Set(items.map(({ type, data }) => `${type} ${data.environment}`))).toEqual(
    new Set([
      "notification.rejected sandbox",
      "token.suspect sandbox",
      "token.restored sandbox",
      "environment.suspect sandbox",
    ]),
  );
});
