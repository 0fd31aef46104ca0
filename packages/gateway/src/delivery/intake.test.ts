import { expect, test } from "vitest";
import { type NewBatch, StoreFailedError } from "../store/index.ts";
import { accepted, draft, FakeSender, openBench, rest } from "./bench.test-support.ts";
import { QueueFullError } from "./delivery-errors.ts";
import type { DurableDeliveryOptions } from "./durable-delivery.ts";

/** A delivery that sends nothing, and what it has the store add. */
async function openIntake(options: Partial<DurableDeliveryOptions> = {}) {
  const bench = await openBench(options);
  const adds: (readonly NewBatch[])[] = [];
  const { store } = bench;
  const add = store.add.bind(store);
  store.add = (batches, keys) => {
    adds.push(batches);
    return add(batches, keys);
  };
  return { ...bench, adds };
}

const limits = {
  maxQueued: 1_000,
  maxQueuedBytes: 1_000_000,
  maxQueuedPerApp: 600,
  maxQueuedBytesPerApp: 1_000_000,
};

test("single submissions that come while a commit runs share one batch and one commit", async () => {
  const { delivery, held, adds } = await openIntake();
  const open = held.hold("add");
  const first = delivery.submit("demo", [draft()]);
  await rest();
  const others = Array.from({ length: 100 }, () => delivery.submit("demo", [draft()]));
  await rest();
  open();
  const ids = (await Promise.all([first, ...others])).flat();
  expect(adds.map((batches) => batches.map(({ count }) => count))).toEqual([[1], [100]]);
  expect(new Set(ids).size).toBe(101);
  expect(new Set(ids.slice(1).map((id) => id.slice(0, -4))).size).toBe(1);
  expect(ids.slice(1).map((id) => Number.parseInt(id.slice(-4), 16))).toEqual([...Array(100).keys()]);
});

test("nobody is answered before the commit", async () => {
  const { delivery, held } = await openIntake();
  const open = held.hold("add");
  let isAnswered = false;
  const submitted = delivery.submit("demo", [draft()]).then(() => {
    isAnswered = true;
  });
  await rest();
  expect(isAnswered).toBe(false);
  open();
  await submitted;
});

test("gives one id for each recipient, in order, however many batches they fill", async () => {
  const { delivery, adds } = await openIntake();
  const drafts = [draft({ devices: 1_500 }), draft({ devices: 2 }), draft({ lane: "bulk", devices: 3 })];
  const ids = await delivery.submit("demo", drafts);
  expect(ids).toHaveLength(1_505);
  expect(adds).toHaveLength(1);
  expect(adds[0]?.map(({ queue, count }) => `${queue.lane} ${count}`)).toEqual([
    "urgent 1000",
    "urgent 502",
    "bulk 3",
  ]);
  const devices = drafts.flatMap(({ deviceTokens }) => deviceTokens);
  const sender = new FakeSender(accepted);
  const bench = await openBench({ senderFor: () => sender });
  const again = await bench.delivery.submit("demo", drafts);
  await rest(200);
  const deviceOf = new Map(sender.sent.map(({ apnsId, deviceToken }) => [apnsId, deviceToken]));
  expect(again.map((id) => deviceOf.get(id))).toEqual(devices);
});

test("a run becomes what its drafts would, gets ids in its order, and counts for the limits", async () => {
  const sender = new FakeSender(accepted);
  const { delivery } = await openBench({ senderFor: () => sender, queueLimits: limits });
  const digits = (index: number): string => index.toString(16).padStart(64, "0");
  const { deviceTokens: _tokens, payload: _payload, ...shared } = draft();
  const runOf = (recipients: number) => {
    const text = Array.from({ length: recipients }, (_, index) => digits(index)).join("");
    const spans = Array.from({ length: recipients }, (_, index) => [
      2 + index * 64,
      66 + index * 64,
      0,
      2,
      0,
      0,
    ]);
    const bytes = Buffer.from(`{}${text}`);
    return { shared, bytes, spans: Uint32Array.from(spans.flat()), recipients, payloadBytes: 2 };
  };
  const ids = await delivery.take("demo", [runOf(300), draft(), runOf(2)]);
  expect(ids.length).toBe(303);
  await rest(200);
  const deviceOf = new Map(sender.sent.map(({ apnsId, deviceToken }) => [apnsId, deviceToken]));
  const devices = ids.list().map((id) => deviceOf.get(id));
  expect(devices.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, index) => digits(index)));
  expect(devices.slice(301)).toEqual([digits(0), digits(1)]);
  expect(Buffer.from(sender.sent[0]?.payload ?? "").toString()).toBe("{}");
  await expect(delivery.take("demo", [runOf(601)])).rejects.toThrow(QueueFullError);
});

test("puts into one batch only what shares app, environment, lane, policy and time", async () => {
  const { delivery, clock, adds } = await openIntake();
  const later = clock.now() + 60_000;
  await Promise.all([
    delivery.submit("demo", [
      draft(),
      draft({ environment: "production" }),
      draft({ lane: "bulk" }),
      draft({ delivery: "at-most-once" }),
      draft({ dueAtMs: later }),
      draft({ dueAtMs: later + 1 }),
      draft({ dueAtMs: clock.now() - 5_000 }), // is due at once, like the first
    ]),
    delivery.submit("other", [draft()]),
  ]);
  const batches = adds.flat();
  expect(batches.map(({ count }) => count)).toEqual([2, 1, 1, 1, 1, 1, 1]);
  expect(batches.map(({ dueAtMs }) => dueAtMs - clock.now())).toEqual([0, 0, 0, 0, 60_000, 60_001, 0]);
  expect(batches.map(({ leaseTo }) => leaseTo !== undefined)).toEqual([
    ...[true, true, true, true, false, false, true],
  ]);
});

test("an empty submission is answered at once", async () => {
  const { delivery, adds } = await openIntake();
  expect(await delivery.submit("demo", [])).toEqual([]);
  expect(adds).toEqual([]);
});

test("refuses what the queue has no room for, as a whole, and has room again when some have left", async () => {
  const sender = new FakeSender();
  const { delivery } = await openIntake({ queueLimits: limits, senderFor: () => sender });
  await delivery.submit("demo", [draft({ devices: 500 })]);
  const refused = delivery.submit("demo", [draft({ devices: 101 })]);
  await expect(refused).rejects.toThrow(QueueFullError);
  await expect(refused).rejects.toMatchObject({ retryAfterSeconds: 10 });
  expect(delivery.health.queued).toBe(500);
  await delivery.submit("demo", [draft({ devices: 100 })]);
  await rest();
  for (let step = 0; step < 4; step += 1) {
    sender.answer(accepted, 50);
    await rest();
  }
  expect(delivery.health.queued).toBe(400);
  await delivery.submit("demo", [draft({ devices: 200 })]);
});

test("counts what waits for the disk as queued, and forgets it when it was refused", async () => {
  const { delivery, held } = await openIntake({ queueLimits: limits });
  const open = held.hold("add");
  const submitted = delivery.submit("demo", [draft({ devices: 400 })]);
  expect(delivery.health.queued).toBe(400);
  await expect(delivery.submit("demo", [draft({ devices: 201 })])).rejects.toThrow(QueueFullError);
  await rest();
  held.fault = "full";
  open();
  await expect(submitted).rejects.toThrow("The disk is full");
  expect(delivery.health.queued).toBe(0);
  held.fault = undefined;
  await delivery.submit("demo", [draft({ devices: 600 })]);
});

test("everything that shares a commit which fails is refused, and what comes after goes its way", async () => {
  const { delivery, held } = await openIntake();
  const open = held.hold("add");
  const first = delivery.submit("demo", [draft()]);
  await rest();
  const together = [delivery.submit("demo", [draft()]), delivery.submit("other", [draft()])];
  held.fault = "full";
  open();
  for (const each of [first, ...together]) await expect(each).rejects.toThrow(QueueFullError);
  held.fault = "failed";
  await expect(delivery.submit("demo", [draft()])).rejects.toThrow(StoreFailedError);
  held.fault = undefined;
  expect(await delivery.submit("demo", [draft()])).toHaveLength(1);
  expect(delivery.health.queued).toBe(1);
});

test("takes no more than 64 MiB while the disk is slow", async () => {
  const { delivery, held } = await openIntake();
  const open = held.hold("add");
  const large = () => draft({ payload: Buffer.alloc(8 * 1024 * 1024) });
  const taken = Array.from({ length: 8 }, () => delivery.submit("demo", [large()]).catch(() => "refused"));
  await rest();
  const refused = delivery.submit("demo", [large()]);
  await expect(refused).rejects.toThrow("The disk cannot keep up.");
  await expect(refused).rejects.toMatchObject({ retryAfterSeconds: 1 });
  open();
  await Promise.all(taken);
  expect(await delivery.submit("demo", [large()])).toHaveLength(1);
});

test("keeps in memory what has room there, and leaves the rest on disk", async () => {
  const memory = { maxAppBytes: 1_000_000, maxLaneBytes: 20_000, maxResidentBytes: 1_000_000 };
  const { delivery, adds } = await openIntake({ memory });
  for (let index = 0; index < 5; index += 1) await delivery.submit("demo", [draft({ devices: 300 })]);
  const held = adds.flat().map(({ leaseTo }) => leaseTo !== undefined);
  expect(held).toEqual([true, true, false, false, false]);
});

test("a caller's own ids are stored with their places", async () => {
  const { delivery, adds } = await openIntake();
  const apnsId = "01234567-89ab-4def-8123-456789abcdef";
  await delivery.submit("demo", [draft(), draft({ apnsId })]);
  expect(adds[0]?.[0]?.ownIds).toEqual([{ place: 1, apnsId }]);
});

test("bytes of what has left are free again, however often", async () => {
  const { delivery } = await openIntake({ queueLimits: limits, senderFor: () => new FakeSender(accepted) });
  for (let round = 0; round < 30; round += 1) {
    await delivery.submit("demo", [draft({ payload: Buffer.alloc(100_000) })]);
    await rest();
  }
  expect(delivery.health.queued).toBe(0);
});
