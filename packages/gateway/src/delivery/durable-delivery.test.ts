import { expect, test } from "vitest";
import {
  accepted,
  draft,
  FakeSender,
  noAnswer,
  openBench,
  rest,
  unavailable,
  unreachable,
  wrongKey,
} from "./bench.test-support.ts";
import type { DurableDeliveryOptions } from "./durable-delivery.ts";
import { defaults } from "./open-delivery.ts";

/** A delivery with one sender for all routes. */
async function openWith(sender: FakeSender, options: Partial<DurableDeliveryOptions> = {}) {
  return openBench({ senderFor: () => sender, ...options });
}

const routeLimits = { ...defaults.routeLimits, maxInFlight: 10 };

test("what was submitted leaves with its id, and is accepted once that is on disk", async () => {
  const sender = new FakeSender();
  const { delivery, store } = await openWith(sender);
  const [id = ""] = await delivery.submit("demo", [draft({ reference: "r1", priority: 5, collapseId: "c" })]);
  await rest();
  expect(sender.sent).toMatchObject([{ apnsId: id, topic: "com.example", priority: 5, collapseId: "c" }]);
  expect(delivery.health).toEqual({ state: "ready", queued: 1, inFlight: 1 });
  expect(await delivery.find("demo", id)).toMatchObject({
    id,
    status: "queued",
    reference: "r1",
    attempts: [],
  });
  sender.answer(accepted);
  await rest();
  expect(delivery.health).toEqual({ state: "ready", queued: 0, inFlight: 0 });
  expect(await delivery.find("demo", id)).toMatchObject({
    status: "accepted",
    attempts: [{ outcome: "accepted" }],
  });
  expect(await store.summarize()).toEqual([]);
});

test("in flight counts until the outcome is on disk, and no more than may be is", async () => {
  const sender = new FakeSender();
  const { delivery, held } = await openWith(sender, { routeLimits });
  await delivery.submit("demo", [draft({ devices: 25 })]);
  await rest();
  expect(sender.sent).toHaveLength(10);
  const open = held.hold("settle");
  sender.answer(accepted);
  await rest();
  expect(delivery.health).toMatchObject({ queued: 25, inFlight: 10 });
  expect(sender.sent).toHaveLength(10);
  open();
  await rest();
  expect(sender.sent).toHaveLength(20);
  expect(delivery.health).toMatchObject({ queued: 15, inFlight: 10 });
});

test("an answer makes room for another one before its outcome is on disk", async () => {
  const sender = new FakeSender();
  const { delivery, held } = await openWith(sender, {
    routeLimits: { ...defaults.routeLimits, maxUnanswered: 10, maxInFlight: 25 },
  });
  await delivery.submit("demo", [draft({ devices: 50 })]);
  await rest();
  expect(sender.sent).toHaveLength(10);
  const open = held.hold("settle");
  for (const sent of [20, 25, 25]) {
    sender.answer(accepted, 10);
    await rest();
    expect(sender.sent).toHaveLength(sent);
  }
  expect(delivery.health).toMatchObject({ queued: 50, inFlight: 25 });
  open();
  await rest();
  expect(sender.sent).toHaveLength(35);
});

test("bytes in flight are bounded too", async () => {
  const sender = new FakeSender();
  const { delivery } = await openWith(sender, {
    routeLimits: { ...routeLimits, maxInFlight: 100, maxInFlightBytes: 10_000 },
  });
  await delivery.submit("demo", [draft({ devices: 50, payload: Buffer.alloc(4_000, "x") })]);
  await rest();
  expect(sender.sent).toHaveLength(3);
  sender.answer(accepted, 1);
  await rest();
  expect(sender.sent).toHaveLength(4);
});

test("within a lane everything leaves in the order in which it was submitted", async () => {
  const sender = new FakeSender(accepted);
  const memory = { maxLaneBytes: 2_000, maxAppBytes: 4_000, maxResidentBytes: 4_000 };
  const { delivery, held } = await openWith(sender, {
    memory,
    routeLimits: { ...routeLimits, maxInFlight: 1 },
  });
  const ids: string[] = [];
  // More than fits into memory: most of it is fetched from disk later.
  for (let batch = 0; batch < 40; batch += 1)
    ids.push(...(await delivery.submit("demo", [draft({ devices: 7 })])));
  await expect.poll(() => delivery.health.queued, { timeout: 20_000 }).toBe(0);
  expect(sender.sent.map(({ apnsId }) => apnsId)).toEqual(ids);
  expect(held.calls).toContain("claim");
});

test("lanes share a route by their weights, and a flood in one leaves room for others", async () => {
  const sender = new FakeSender();
  const { delivery } = await openWith(sender, { routeLimits: { ...routeLimits, maxInFlight: 60 } });
  await delivery.submit("demo", [draft({ devices: 500, lane: "bulk" })]);
  await rest();
  expect(sender.sent).toHaveLength(45);
  const [urgent] = await delivery.submit("demo", [draft({ lane: "urgent" })]);
  await rest();
  expect(sender.sent.at(-1)?.apnsId).toBe(urgent);
});

test("a route whose key is refused keeps its queue and asks now and then; others go on; a new key frees it", async () => {
  const bad = new FakeSender(wrongKey);
  const good = new FakeSender(accepted);
  const senders: Record<string, FakeSender> = { bad, good };
  const { delivery, clock, log } = await openBench({ senderFor: (app) => senders[app], routeLimits });
  const ids = await delivery.submit("bad", [draft({ devices: 300 })]);
  await clock.pass(0);
  expect(bad.sent).toHaveLength(10);
  expect(delivery.waitingFor("bad", "sandbox")).toBe("InvalidProviderToken");
  expect(log).toEqual(["route paused; its notifications stay queued"]);
  expect(await delivery.find("bad", ids[0] ?? "")).toMatchObject({
    status: "queued",
    reason: "InvalidProviderToken",
  });

  await clock.pass(600_000);
  expect(bad.sent.length - 10).toBeGreaterThanOrEqual(10);
  expect(bad.sent.length - 10).toBeLessThanOrEqual(20);
  expect(delivery.health).toMatchObject({ queued: 300, inFlight: 0 });

  await delivery.submit("good", [draft({ devices: 200 })]);
  await rest(400);
  expect(good.sent).toHaveLength(200);

  senders.bad = new FakeSender(accepted);
  await clock.pass(1_000);
  await rest(400);
  expect(senders.bad.sent).toHaveLength(300);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  expect(await delivery.find("bad", ids[299] ?? "")).toMatchObject({ status: "accepted" });
});

test("a peer that is not there costs nothing of the budget, and sending goes on within a second of its return", async () => {
  const sender = new FakeSender(unreachable);
  const budget = { ...defaults.budget, maxAttempts: 5, maxAgeMs: 20_000 };
  const { delivery, clock } = await openWith(sender, { budget });
  const [id = ""] = await delivery.submit("demo", [draft({ devices: 3 })]);
  await clock.pass(60_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "queued", attempts: [] });
  sender.reply = accepted;
  await clock.pass(1_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted" });
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
});

test("one silent route does not keep twenty others from being served", async () => {
  const silent = new FakeSender();
  const others = new FakeSender(accepted);
  const { delivery } = await openBench({ senderFor: (app) => (app === "silent" ? silent : others) });
  const apps = Array.from({ length: 20 }, (_, index) => `app-${index}`);
  await Promise.all([
    delivery.submit("silent", [draft({ devices: 900 })]),
    ...apps.map((app) => delivery.submit(app, [draft({ devices: 30 })])),
  ]);
  await rest();
  expect(others.sent).toHaveLength(600);
});

test("routes that did not get their turn in one round get it in the next, though nothing comes back", async () => {
  const silent = new FakeSender();
  const { delivery } = await openBench({ senderFor: () => silent });
  const apps = Array.from({ length: 40 }, (_, index) => `app-${index}`);
  await Promise.all(apps.map((app) => delivery.submit(app, [draft({ devices: 30 })])));
  await rest();
  expect(silent.sent).toHaveLength(1_200);
});

test("what the service could not take comes again later, with the same id, and all attempts are told", async () => {
  const sender = new FakeSender(unavailable);
  const { delivery, clock, store } = await openWith(sender);
  const [id = ""] = await delivery.submit("demo", [draft({ reference: "mine" })]);
  await rest();
  expect(delivery.health).toMatchObject({ queued: 1, inFlight: 0 });
  await clock.pass(1_000);
  expect(sender.sent).toHaveLength(1);
  await clock.pass(5_000);
  expect(sender.sent).toHaveLength(3);
  sender.reply = accepted;
  await clock.pass(20_000);
  expect(new Set(sender.sent.map(({ apnsId }) => apnsId))).toEqual(new Set([id]));
  const record = await delivery.find("demo", id);
  expect(record).toMatchObject({ status: "accepted", reference: "mine" });
  expect(record?.attempts.map(({ outcome, reason }) => reason ?? outcome)).toEqual([
    ...["ServiceUnavailable", "ServiceUnavailable", "ServiceUnavailable", "accepted"],
  ]);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  expect(await store.summarize()).toEqual([]);
});

test("row 66: a retry that waits keeps nothing else from going straight through", async () => {
  const sender = new FakeSender(unavailable);
  const { delivery, held } = await openWith(sender);
  await delivery.submit("demo", [draft(), draft({ dueAtMs: 2_000_000_000_000 })]);
  await rest();
  sender.reply = accepted;
  held.calls.length = 0;
  await delivery.submit("demo", [draft()]);
  await rest();
  expect(sender.sent).toHaveLength(2);
  expect(held.calls).not.toContain("claim");
});

test("what was written and not answered comes again with the same id, and is unknown when its time is over", async () => {
  const sender = new FakeSender(noAnswer);
  const { delivery, clock } = await openWith(sender);
  const expirationSeconds = clock.now() / 1_000 + 60;
  const [id = ""] = await delivery.submit("demo", [draft({ expirationSeconds })]);
  await clock.pass(120_000);
  expect(sender.sent.length).toBeGreaterThan(3);
  expect(new Set(sender.sent.map(({ apnsId }) => apnsId))).toEqual(new Set([id]));
  expect(await delivery.find("demo", id)).toMatchObject({ status: "unknown" });
});

test("nothing is sent after its expiration, and an expired one does not hold up a paused route", async () => {
  const sender = new FakeSender(unreachable);
  const { delivery, clock } = await openWith(sender);
  const [dead = ""] = await delivery.submit("demo", [draft({ expirationSeconds: clock.now() / 1_000 + 10 })]);
  const [alive = ""] = await delivery.submit("demo", [draft()]);
  await clock.pass(9_000);
  const before = sender.sent.length;
  expect(before).toBeGreaterThan(2);
  sender.sent.length = 0;
  await clock.pass(2_000);
  sender.reply = accepted;
  await clock.pass(2_000);
  expect(await delivery.find("demo", dead)).toMatchObject({ status: "expired" });
  expect(await delivery.find("demo", alive)).toMatchObject({ status: "accepted" });
});

test("a sender that fails in its own way has sent nothing", async () => {
  const sender = new FakeSender(() => {
    throw new Error("closed");
  });
  const { delivery, clock } = await openWith(sender);
  const [id = ""] = await delivery.submit("demo", [draft()]);
  await rest();
  expect(await delivery.find("demo", id)).toMatchObject({ status: "queued", reason: "closed" });
  sender.reply = accepted;
  await clock.pass(5_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted" });
});

test("while there is no way to Apple everything waits", async () => {
  let sender: FakeSender | undefined;
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  const [id = ""] = await delivery.submit("demo", [draft()]);
  await clock.pass(100_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "queued", reason: "no sender" });
  sender = new FakeSender(accepted);
  await clock.pass(1_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted" });
});

test("what is for later stays on disk until then", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openWith(sender);
  const dueAtMs = clock.now() + 7_200_000;
  const [id = ""] = await delivery.submit("demo", [draft({ dueAtMs })]);
  expect(await delivery.find("demo", id)).toMatchObject({
    status: "scheduled",
    sendAt: new Date(dueAtMs).toISOString(),
  });
  await clock.pass(7_199_000);
  expect(sender.sent).toEqual([]);
  await clock.pass(1_000);
  expect(sender.sent).toHaveLength(1);
});

test("a clock that jumps ahead sends what is due by it within a second", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openWith(sender);
  await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 3_600_000 })]);
  clock.jump(3_600_000);
  await clock.pass(1_000);
  expect(sender.sent).toHaveLength(1);
});

test("a clock set back by an hour neither parks a route nor keeps waiting what was due", async () => {
  const sender = new FakeSender(unreachable);
  const memory = { maxLaneBytes: 1, maxAppBytes: 1, maxResidentBytes: 1 };
  const { delivery, clock, log } = await openWith(sender, { memory });
  const submitted: string[] = [];
  for (let batch = 0; batch < 5; batch += 1)
    submitted.push(...(await delivery.submit("demo", [draft({ devices: 2 })])));
  const later = clock.now() + 1_800_000;
  await delivery.submit("demo", [draft({ dueAtMs: later })]);
  await clock.pass(5_000);
  clock.jump(-3_600_000);
  sender.reply = accepted;
  await clock.pass(11_000);
  expect(log).toContain("the clock was set back");
  expect(new Set(sender.sent.map(({ apnsId }) => apnsId))).toEqual(new Set(submitted));
  expect(delivery.health).toMatchObject({ queued: 1, inFlight: 0 });
});

test("fetches no more from disk than has room in memory", async () => {
  const sender = new FakeSender();
  const memory = { maxLaneBytes: 1, maxAppBytes: 1, maxResidentBytes: 1 };
  const { delivery, held } = await openWith(sender, {
    memory,
    routeLimits: { ...routeLimits, maxInFlight: 9_000 },
  });
  // The first is kept in memory and in flight; the others wait on disk for the room it takes.
  for (let batch = 0; batch < 5; batch += 1) await delivery.submit("demo", [draft({ devices: 2 })]);
  await rest(100);
  expect(sender.sent).toHaveLength(2);
  expect(held.calls).not.toContain("claim");
  sender.answer(accepted);
  await rest(100);
  expect(sender.sent).toHaveLength(10);
});

test("an attempt tells in Apple's words what came of it, and over which connection", async () => {
  const connection = { number: 3, remoteAddress: "192.0.2.1" };
  const sender = new FakeSender((notification) => ({ ...unavailable(notification), connection }));
  const { delivery, clock } = await openWith(sender);
  const [id = ""] = await delivery.submit("demo", [draft()]);
  await rest();
  sender.reply = accepted;
  await clock.pass(20_000);
  expect((await delivery.find("demo", id))?.attempts).toEqual([
    {
      ...{ at: expect.any(String), outcome: "rejected", reason: "ServiceUnavailable", status: 503 },
      connection,
    },
    { at: expect.any(String), outcome: "accepted" },
  ]);
});
