import type { Outcome } from "@carillon/apns";
import { expect, test } from "vitest";
import {
  accepted,
  badToken,
  draft,
  FakeSender,
  noAnswer,
  openBench,
  rest,
  unavailable,
} from "./bench.test-support.ts";
import type { DurableDeliveryOptions } from "./durable-delivery.ts";
import type { DeliveryPolicy } from "./notification-draft.ts";

type Sent = Parameters<typeof accepted>[0];

function wrongEnvironment({ apnsId }: Sent): Outcome {
  return { kind: "rejected", apnsId, attempts: 1, status: 403, reason: "BadEnvironmentKeyIdInToken" };
}

function gone({ apnsId }: Sent): Outcome {
  const goneSinceMs = 1_699_999_000_000;
  return { kind: "rejected", apnsId, attempts: 1, status: 410, reason: "Unregistered", goneSinceMs };
}

/** A delivery of an app that resolves environments, with a sender for each. */
async function open(
  replies: { readonly sandbox?: FakeSender["reply"]; readonly production?: FakeSender["reply"] },
  options: Partial<DurableDeliveryOptions> = {},
) {
  const sandbox = new FakeSender(replies.sandbox);
  const production = new FakeSender(replies.production);
  const bench = await openBench({
    senderFor: (_app, environment) => (environment === "sandbox" ? sandbox : production),
    resolvesEnvironment: () => true,
    ...options,
  });
  return { ...bench, sandbox, production };
}

const openDraft = (fields: Parameters<typeof draft>[0] = {}) =>
  draft({ environmentChoice: "open", ...fields });
const policies: readonly DeliveryPolicy[] = ["at-least-once", "at-most-once"];

test.each(policies)(
  "%s: what one environment does not know is sent to the other once, as the same notification",
  async (policy) => {
    const { delivery, clock, sandbox, production } = await open({ sandbox: badToken, production: accepted });
    const apnsId = "0193b7a0-0000-7000-8000-00000000abcd";
    const wanted = openDraft({ delivery: policy, apnsId, lane: "bulk", collapseId: "c", reference: "r" });
    const [id = ""] = await delivery.submit("demo", [wanted]);
    await clock.pass(1_000);
    expect(sandbox.sent).toHaveLength(1);
    expect(production.sent).toMatchObject([{ apnsId, collapseId: "c", deviceToken: wanted.deviceTokens[0] }]);
    expect(await delivery.find("demo", id)).toMatchObject({
      ...{ environment: "sandbox", status: "accepted", reference: "r", lane: "bulk" },
      attempts: [
        { outcome: "rejected", reason: "BadDeviceToken", status: 400 },
        { outcome: "accepted", environment: "production" },
      ],
    });
    expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  },
);

test("what neither environment knows is rejected, after one try in each", async () => {
  const { delivery, clock, sandbox, production, store } = await open({
    ...{ sandbox: badToken, production: badToken },
  });
  const ids = await delivery.submit("demo", [openDraft({ devices: 20 })]);
  await clock.pass(1_000);
  expect([sandbox.sent.length, production.sent.length]).toEqual([20, 20]);
  for (const id of ids)
    expect(await delivery.find("demo", id)).toMatchObject({
      ...{ status: "rejected", reason: "BadDeviceToken" },
      attempts: [{ reason: "BadDeviceToken" }, { reason: "BadDeviceToken", environment: "production" }],
    });
  // Tokens that are bad in both say nothing against the second.
  const [inProduction, inSandbox] = delivery.status("demo").routes;
  expect([inProduction?.isEnvironmentSuspect, inSandbox?.isEnvironmentSuspect]).toEqual([false, true]);
  expect(await store.summarize()).toEqual([]);
});

test("what was found goes to the right environment at once, over a new start too, unless another one is named", async () => {
  const bench = await open({ sandbox: badToken, production: accepted });
  const { sandbox, production, clock } = bench;
  const wanted = openDraft({ devices: 3 });
  await bench.delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  const delivery = await bench.restart();
  const [id = ""] = await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  expect([sandbox.sent.length, production.sent.length]).toEqual([3, 6]);
  expect(await delivery.find("demo", id)).toMatchObject({ environment: "production", status: "accepted" });
  await delivery.submit("other", [wanted]);
  const { environmentChoice: _open, ...named } = wanted;
  await delivery.submit("demo", [named]);
  await clock.pass(1_000);
  expect(sandbox.sent.length).toBe(9);
});

test("of one submission each recipient goes where it belongs, and the ids keep their order", async () => {
  const { delivery, clock, sandbox, production } = await open({
    sandbox: (sent) => (sent.deviceToken.endsWith("0") ? badToken(sent) : accepted(sent)),
    production: accepted,
  });
  const wanted = openDraft({ devices: 40 });
  await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  sandbox.sent.length = 0;
  production.sent.length = 0;
  const ids = await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  const leftAs = new Map(
    [...sandbox.sent, ...production.sent].map((each) => [each.deviceToken, each.apnsId]),
  );
  expect(wanted.deviceTokens.map((token) => leftAs.get(token))).toEqual(ids);
  expect(production.sent.every(({ deviceToken }) => deviceToken.endsWith("0"))).toBe(true);
  expect(production.sent.length + sandbox.sent.length).toBe(40);
});

test("a device token that is gone there is found there", async () => {
  const { delivery, store, clock } = await open({ sandbox: badToken, production: gone });
  const wanted = openDraft();
  await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  expect(await store.findEnvironments("demo", wanted.deviceTokens)).toMatchObject([
    { environment: "production" },
  ]);
});

test("what was remembered wrongly is found again", async () => {
  const { delivery, store, clock, sandbox, production } = await open({
    ...{ sandbox: badToken, production: accepted },
  });
  const wanted = openDraft();
  await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  sandbox.reply = accepted;
  production.reply = badToken;
  const [id = ""] = await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  expect(await delivery.find("demo", id)).toMatchObject({ environment: "production", status: "accepted" });
  expect(await store.findEnvironments("demo", wanted.deviceTokens)).toMatchObject([
    { environment: "sandbox" },
  ]);
});

test("the second try may be tried again there, and no third environment is looked for", async () => {
  const { delivery, clock, sandbox, production } = await open({ sandbox: badToken, production: unavailable });
  const [id = ""] = await delivery.submit("demo", [openDraft()]);
  await clock.pass(1_000);
  production.reply = badToken;
  await clock.pass(60_000);
  expect(sandbox.sent).toHaveLength(1);
  const record = await delivery.find("demo", id);
  expect(record).toMatchObject({ status: "rejected", reason: "BadDeviceToken" });
  expect(record?.attempts.map(({ environment = "sandbox", reason }) => `${environment} ${reason}`)).toEqual([
    "sandbox BadDeviceToken",
    ...Array.from({ length: production.sent.length - 1 }, () => "production ServiceUnavailable"),
    "production BadDeviceToken",
  ]);
});

test("what waits there for its second try does not mix with what waits there for its first", async () => {
  const { delivery, clock, sandbox, production } = await open({ sandbox: badToken });
  const [second = ""] = await delivery.submit("demo", [openDraft()]);
  const [first = ""] = await delivery.submit("demo", [openDraft({ environment: "production" })]);
  await clock.pass(100);
  expect(production.open).toHaveLength(2);
  production.answer((sent) => ({ ...unavailable(sent), retryAfterMs: 10_000 }));
  production.reply = badToken;
  sandbox.reply = accepted;
  await clock.pass(60_000);
  expect(await delivery.find("demo", second)).toMatchObject({ status: "rejected" });
  expect(await delivery.find("demo", first)).toMatchObject({ status: "accepted" });
});

test("a try without an answer before does not keep the other environment from being tried", async () => {
  const { delivery, clock, sandbox, production } = await open({ sandbox: noAnswer, production: accepted });
  await clock.pass(1);
  const [id = ""] = await delivery.submit("demo", [openDraft()]);
  await rest();
  sandbox.reply = badToken;
  await clock.pass(60_000);
  expect(production.sent).toHaveLength(1);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted" });
});

test("where the key is not good in the other environment all end as if nobody had tried, and little is tried", async () => {
  const { delivery, clock, sandbox, production, log } = await open(
    { sandbox: badToken, production: wrongEnvironment },
    { routeLimits: { maxUnanswered: 5, maxInFlight: 10, maxInFlightBytes: 1e6, maxInFlightBytesInAll: 1e6 } },
  );
  const ids = await delivery.submit("demo", [openDraft({ devices: 100 })]);
  await clock.pass(5_000);
  expect(sandbox.sent).toHaveLength(100);
  expect(production.sent.length).toBeLessThanOrEqual(5);
  for (const id of ids)
    expect(await delivery.find("demo", id)).toMatchObject({ status: "rejected", reason: /BadDeviceToken$/ });
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  expect(delivery.waitingFor("demo", "production")).toBeUndefined();
  expect(log.filter((line) => line.includes("cannot be resolved"))).toHaveLength(1);
});

test.each(policies)(
  "%s: a kill at any step loses nothing and tries nothing twice that was answered",
  async (policy) => {
    const bench = await open({ sandbox: badToken, production: accepted });
    const { sandbox, production, clock } = bench;
    await clock.pass(1);
    const [id = ""] = await bench.delivery.submit("demo", [openDraft({ delivery: policy })]);
    await rest();
    // The first answer is on disk, and the retry with it, in the queue of the other environment.
    expect((await bench.store.summarize()).map(({ queue }) => queue.environment)).toEqual(["production"]);
    expect(production.sent).toEqual([]);
    let delivery = await bench.restart();
    production.reply = () => undefined;
    await clock.pass(1_000);
    expect([sandbox.sent.length, production.sent.length]).toEqual([1, 1]);
    // It is under way there.
    delivery = await bench.restart();
    production.reply = accepted;
    await clock.pass(1_000);
    const isOnce = policy === "at-most-once";
    expect([sandbox.sent.length, production.sent.length]).toEqual([1, isOnce ? 1 : 2]);
    expect(await delivery.find("demo", id)).toMatchObject({ status: isOnce ? "unknown" : "accepted" });
    expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  },
);

test("nothing is tried elsewhere for an app that does not want it, or where the environment is named", async () => {
  const { delivery, clock, production } = await open(
    { sandbox: badToken },
    { resolvesEnvironment: (app) => app === "demo" },
  );
  await delivery.submit("other", [openDraft()]);
  await delivery.submit("demo", [draft()]);
  await clock.pass(1_000);
  expect(production.sent).toEqual([]);
  expect(delivery.health).toMatchObject({ queued: 0 });
});

test("one that waits for its try elsewhere can be cancelled", async () => {
  const { delivery, clock, production } = await open({ sandbox: badToken });
  await clock.pass(1);
  const [id = ""] = await delivery.submit("demo", [openDraft()]);
  await rest();
  expect(await delivery.cancel("demo", id)).toMatchObject({ kind: "cancelled" });
  await clock.pass(1_000);
  expect(production.sent).toEqual([]);
});

test("what is found out is forgotten with the verdicts", async () => {
  const { delivery, store, clock } = await open({ sandbox: badToken, production: accepted });
  const wanted = openDraft();
  await delivery.submit("demo", [wanted]);
  await clock.pass(1_000);
  clock.jump(91 * 86_400_000);
  await clock.pass(120_000);
  expect(await store.findEnvironments("demo", wanted.deviceTokens)).toEqual([]);
});
