import { expect, test } from "vitest";
import { StoreFailedError } from "../store/index.ts";
import { accepted, draft, FakeSender, openBench, rest } from "./bench.test-support.ts";
import { QueueFullError } from "./delivery-errors.ts";
import { DurableDelivery, type DurableDeliveryOptions } from "./durable-delivery.ts";
import { defaults } from "./open-delivery.ts";

/** A delivery with one sender for all routes. */
async function openWith(sender: FakeSender, options: Partial<DurableDeliveryOptions> = {}) {
  return openBench({ senderFor: () => sender, ...options });
}

const routeLimits = { ...defaults.routeLimits, maxInFlight: 10 };

test("a damaged batch is told for each of its notifications, and the others leave", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock, store, log } = await openWith(sender);
  const queue = { app: "demo", environment: "sandbox", lane: "urgent" };
  const id = "00000000-0000-7000-8000-00000000";
  const body = Buffer.from("no batch at all");
  const times = { dueAtMs: 1, storedAtMs: 1 };
  await store.add([{ id, queue, count: 3, ...times, kind: "original", body, ownIds: [] }]);
  await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 10 })]);
  await clock.pass(1_000);
  expect(log).toContain("a stored batch is damaged");
  for (const place of [0, 1, 2])
    expect(await delivery.find("demo", `${id}000${place}`)).toMatchObject({
      status: "rejected",
      reason: "damaged-on-disk",
    });
  expect(sender.sent).toHaveLength(1);
  expect(await store.summarize()).toEqual([]);
});

test("on a full disk nothing is taken, outcomes wait, and all goes on when there is room", async () => {
  const sender = new FakeSender();
  const { delivery, clock, held } = await openWith(sender);
  const [before = ""] = await delivery.submit("demo", [draft()]);
  await rest();
  held.fault = "full";
  const refused = delivery.submit("demo", [draft()]);
  await expect(refused).rejects.toThrow(QueueFullError);
  await expect(refused).rejects.toMatchObject({ retryAfterSeconds: 30 });
  sender.answer(accepted);
  await clock.pass(60_000);
  expect(delivery.health).toEqual({ state: "ready", queued: 1, inFlight: 1 });
  held.fault = undefined;
  await clock.pass(1_000);
  expect(delivery.health).toEqual({ state: "ready", queued: 0, inFlight: 0 });
  expect(await delivery.find("demo", before)).toMatchObject({ status: "accepted" });
  const [after = ""] = await delivery.submit("demo", [draft()]);
  await rest();
  sender.answer(accepted);
  await rest();
  expect(await delivery.find("demo", after)).toMatchObject({ status: "accepted" });
});

test("what is on disk only is fetched again after a full disk kept it there", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock, held } = await openWith(sender);
  await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 5_000 })]);
  held.fault = "full";
  await clock.pass(10_000);
  expect(sender.sent).toEqual([]);
  held.fault = undefined;
  await clock.pass(2_000);
  expect(sender.sent).toHaveLength(1);
});

test("stop takes nothing more, waits for what is in flight, and hands the rest back", async () => {
  const sender = new FakeSender();
  const { delivery, held, store } = await openWith(sender, { routeLimits });
  const ids = await delivery.submit("demo", [draft({ devices: 15 })]);
  await rest();
  let hasStopped = false;
  const stopped = delivery.stop(10_000).then(() => {
    hasStopped = true;
  });
  await expect(delivery.submit("demo", [draft()])).rejects.toThrow("The gateway is stopping.");
  await rest();
  expect(hasStopped).toBe(false);
  expect(delivery.health.state).toBe("stopping");
  const closes = held.calls.length;
  sender.answer(accepted);
  await stopped;
  expect(sender.sent).toHaveLength(10);
  expect(held.calls.slice(closes)).toEqual(["settle", "release", "close"]);
  expect(ids).toHaveLength(15);
  await expect(store.summarize()).rejects.toThrow(/closed/);
});

test("stop does not wait longer than it may, for Apple or for the disk", async () => {
  const sender = new FakeSender();
  const { delivery, clock, held } = await openWith(sender);
  await delivery.submit("demo", [draft({ devices: 2 })]);
  await rest();
  sender.answer(accepted, 1);
  held.fault = "full";
  let hasStopped = false;
  void delivery.stop(3_000).then(() => {
    hasStopped = true;
  });
  await clock.pass(2_999);
  expect(hasStopped).toBe(false);
  await clock.pass(5_001);
  expect(hasStopped).toBe(true);
  // What comes too late changes nothing and harms nobody.
  sender.answer(accepted);
  await clock.pass(60_000);
});

test("what is stored while it stops is answered, and is there after the next start", async () => {
  const sender = new FakeSender();
  const bench = await openWith(sender);
  const open = bench.held.hold("add");
  const submitted = bench.delivery.submit("demo", [draft()]);
  await rest();
  const stopped = bench.delivery.stop(1_000);
  await rest();
  expect(bench.held.calls).not.toContain("close");
  open();
  expect(await submitted).toHaveLength(1);
  await bench.clock.pass(1_000);
  await stopped;
  expect(sender.sent.length).toBeLessThanOrEqual(1);
});

test("when the store has failed nothing is taken or sent any more, and whoever waits is told", async () => {
  const sender = new FakeSender();
  let fail = (): void => {};
  // Another node, which takes over what this one leaves.
  const { clock, store } = await openWith(new FakeSender());
  const failed = new Promise<StoreFailedError>((resolve) => {
    fail = () => resolve(new StoreFailedError("disk I/O error"));
  });
  const failing = new Proxy(store, {
    get: (target, name: keyof typeof store) => (name === "failed" ? failed : target[name]),
  });
  const logger = { info: () => {}, warn: () => {}, error: () => {} };
  const delivery = await DurableDelivery.start({
    ...{ ...defaults, store: failing, clock, random: Math.random, logger, routeLimits },
    senderFor: () => sender,
    rateOf: () => undefined,
  });
  const ids = await delivery.submit("demo", [draft({ devices: 20 })]);
  await rest();
  const waiting = delivery.waitUntilFinal("demo", ids, 1e9);
  fail();
  await rest();
  expect(delivery.health).toMatchObject({ state: "failed", detail: "disk I/O error" });
  expect(await waiting).toHaveLength(20);
  expect(sender.sent).toHaveLength(10);
  sender.answer(accepted);
  await clock.pass(100_000);
  expect(sender.sent).toHaveLength(10);
});

test("a damaged batch that a full disk has no room for is told when there is room", async () => {
  const { delivery, clock, held, store } = await openWith(new FakeSender(accepted));
  const queue = { app: "demo", environment: "sandbox", lane: "urgent" };
  const id = "00000000-0000-7000-8000-00000000";
  const times = { dueAtMs: 1, storedAtMs: 1 };
  await store.add([{ id, queue, count: 1, ...times, kind: "original", body: Buffer.from("?"), ownIds: [] }]);
  const open = held.hold("settle");
  await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 10 })]);
  await clock.pass(1_000);
  held.fault = "full";
  open();
  await clock.pass(5_000);
  expect(await store.find(id, [0])).toMatchObject({ outcomes: undefined });
  held.fault = undefined;
  await clock.pass(2_000);
  expect((await store.find(id, [0]))?.notes.get(0)).toMatchObject({ reason: "damaged-on-disk" });
});

test("an outcome that is known when it stops reaches the disk, also when Apple's time is over", async () => {
  const sender = new FakeSender();
  const { delivery, clock, held } = await openWith(sender);
  await delivery.submit("demo", [draft()]);
  await rest();
  const open = held.hold("settle");
  sender.answer(accepted);
  await rest();
  const stopped = delivery.stop(0);
  await clock.pass(4_000);
  expect(held.calls).not.toContain("close");
  open();
  await stopped;
  expect(held.calls.slice(-2)).toEqual(["release", "close"]);
});

test("who waits when it stops is told how things are, before the store is closed", async () => {
  const sender = new FakeSender();
  const { delivery, clock } = await openWith(sender);
  const ids = await delivery.submit("demo", [draft({ devices: 2 })]);
  await rest();
  const waiting = delivery.waitUntilFinal("demo", ids, 30_000);
  await rest();
  const stopped = delivery.stop(100);
  await clock.pass(10_000);
  expect(await waiting).toMatchObject([{ status: "queued" }, { status: "queued" }]);
  await stopped;
});
