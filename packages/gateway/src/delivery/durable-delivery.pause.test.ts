import { expect, test } from "vitest";
import { accepted, type Bench, draft, FakeSender, openBench, rest } from "./bench.test-support.ts";
import { DurableDelivery } from "./durable-delivery.ts";
import { defaults } from "./open-delivery.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** Another gateway on the same store, which it leaves open. */
function startNode(
  { store, clock }: Bench,
  sender: FakeSender,
  rateOf: (app: string) => number | undefined = () => undefined,
): Promise<DurableDelivery> {
  const shared = new Proxy(store, {
    get: (target, name: keyof typeof store) => (name === "close" ? async () => {} : target[name]),
  });
  return DurableDelivery.start({
    ...{ ...defaults, store: shared, clock, random: () => 0.5, logger: silent, rateOf },
    senderFor: () => sender,
  });
}

test("a paused app sends nothing and takes as before, others go on, and resuming sends everything", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 60_000 })]);
  await delivery.pause("demo", "wrong texts went out");
  const [id = ""] = await delivery.submit("demo", [draft({ devices: 3 })]);
  await delivery.submit("other", [draft()]);
  await clock.pass(600_000);
  expect(sender.sent).toHaveLength(1);
  expect(await delivery.find("demo", id)).toMatchObject({
    status: "queued",
    reason: "paused since 2023-11-14T22:13:20.000Z: wrong texts went out",
  });
  expect(delivery.status("demo")).toMatchObject({
    pause: { sinceMs: 1_700_000_000_000, reason: "wrong texts went out" },
    queued: 4,
    inFlight: 0,
  });
  expect(delivery.status("other")).toMatchObject({ queued: 0 });
  expect(delivery.status("other").pause).toBeUndefined();
  await delivery.resume("demo");
  await rest();
  expect(sender.sent).toHaveLength(5);
  expect(delivery.waitingFor("demo", "sandbox")).toBeUndefined();
});

test("what is in flight when an app is paused is settled", async () => {
  const sender = new FakeSender();
  const { delivery } = await openBench({ senderFor: () => sender });
  const [id = ""] = await delivery.submit("demo", [draft()]);
  await rest();
  await delivery.pause("demo");
  sender.answer(accepted);
  await rest();
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted" });
});

test("a pause outlives a kill, with its time and reason, and a clock that was set back", async () => {
  const sender = new FakeSender(accepted);
  const bench = await openBench({ senderFor: () => sender });
  await bench.delivery.pause("demo", "for the night");
  await bench.delivery.submit("demo", [draft({ devices: 5 })]);
  bench.clock.jump(-3_600_000);
  const delivery = await bench.restart();
  await bench.clock.pass(60_000);
  expect(sender.sent).toEqual([]);
  expect(delivery.status("demo").pause).toEqual({ sinceMs: 1_700_000_000_000, reason: "for the night" });
  await delivery.resume("demo");
  await rest();
  expect(sender.sent).toHaveLength(5);
});

test("on a full disk a pause is refused and does not hold", async () => {
  const { delivery, held } = await openBench({});
  held.fault = "full";
  await expect(delivery.pause("demo")).rejects.toThrow("The disk is full.");
  expect(delivery.status("demo").pause).toBeUndefined();
});

test("a paused app whose queue is full stops no other, on disk or in memory", async () => {
  const sender = new FakeSender(accepted);
  const { delivery } = await openBench({
    senderFor: () => sender,
    queueLimits: { ...defaults.queueLimits, maxQueuedPerApp: 5_000 },
    memory: { maxResidentBytes: 100_000, maxAppBytes: 100_000, maxLaneBytes: 100_000 },
  });
  await delivery.pause("stuck");
  for (let batch = 0; batch < 10; batch += 1) await delivery.submit("stuck", [draft({ devices: 500 })]);
  await expect(delivery.submit("stuck", [draft()])).rejects.toThrow("The queue of this app is full");
  for (let batch = 0; batch < 10; batch += 1) await delivery.submit("well", [draft({ devices: 500 })]);
  await expect.poll(() => sender.sent.length, { timeout: 20_000 }).toBe(5_000);
  expect(delivery.status("stuck")).toMatchObject({ queued: 5_000 });
});

test("row 22: a stop hands back what is paused, what waits for its rate and what must go out once at most", async () => {
  const sender = new FakeSender(accepted);
  const bench = await openBench({});
  const rateOf = (app: string) => (app === "slow" ? 10 : undefined);
  const delivery = await startNode(bench, sender, rateOf);
  await delivery.pause("paused");
  for (const app of ["paused", "slow"])
    for (const policy of ["at-least-once", "at-most-once"] as const)
      await delivery.submit(app, [draft({ devices: 200, delivery: policy })]);
  await bench.clock.pass(1_000);
  expect(sender.sent.length).toBeGreaterThan(5);
  expect(sender.sent.length).toBeLessThan(20);
  let hasStopped = false;
  void delivery.stop(10_000).then(() => {
    hasStopped = true;
  });
  await rest();
  expect(hasStopped).toBe(true);
  const again = await startNode(bench, sender, rateOf);
  await again.resume("paused");
  await bench.clock.pass(60_000);
  expect(sender.sent).toHaveLength(800);
  expect(new Set(sender.sent.map(({ deviceToken }) => deviceToken)).size).toBe(800);
  expect(again.health).toMatchObject({ queued: 0, inFlight: 0 });
});

test("row 85: what a dead node held goes out from another one when the lease has run out, and no earlier", async () => {
  const [first, second] = [new FakeSender(), new FakeSender(accepted)];
  const bench = await openBench({ senderFor: () => first });
  const other = await startNode(bench, second);
  await bench.delivery.submit("demo", [draft({ devices: 100 })]);
  await bench.delivery.submit("demo", [draft({ devices: 100, delivery: "at-most-once" })]);
  await rest();
  expect(first.sent).toHaveLength(64);
  bench.held.fault = "failed";
  await bench.clock.pass(29_000);
  expect(second.sent).toEqual([]);
  await bench.clock.pass(12_000);
  // At-most-once is never sent where nobody knows whether it was.
  expect(second.sent).toHaveLength(200);
  expect(other.health).toMatchObject({ queued: 0, inFlight: 0 });
});

test("another node keeps to a pause within ten seconds, and to its end", async () => {
  const sender = new FakeSender(accepted);
  const bench = await openBench({});
  const other = await startNode(bench, sender);
  await bench.delivery.pause("demo", "from elsewhere");
  await bench.clock.pass(10_000);
  expect(other.status("demo").pause?.reason).toBe("from elsewhere");
  await other.submit("demo", [draft()]);
  await rest();
  expect(sender.sent).toEqual([]);
  await bench.delivery.resume("demo");
  await bench.clock.pass(10_000);
  expect(sender.sent).toHaveLength(1);
});
