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
} from "./bench.test-support.ts";
import type { DurableDeliveryOptions } from "./durable-delivery.ts";
import type { DeliveryPolicy } from "./notification-draft.ts";
import { defaults } from "./open-delivery.ts";
import { silentTeller } from "./route-teller.ts";

/** A delivery with one sender for all routes. */
async function openWith(sender: FakeSender, options: Partial<DurableDeliveryOptions> = {}) {
  return openBench({ senderFor: () => sender, ...options });
}

const routeLimits = { ...defaults.routeLimits, maxInFlight: 10 };

const policies: readonly DeliveryPolicy[] = ["at-least-once", "at-most-once"];

test.each(policies)("%s: a start after a kill takes up what was not settled", async (policy) => {
  const sender = new FakeSender();
  const bench = await openWith(sender, { routeLimits });
  const ids = await bench.delivery.submit("demo", [draft({ devices: 30, delivery: policy })]);
  await rest();
  expect(sender.sent).toHaveLength(10);
  sender.answer(accepted, 4);
  await rest();
  expect(sender.sent).toHaveLength(14);
  const inFlight = new Set(sender.open.map(({ notification }) => notification.apnsId));
  sender.open.length = 0;
  sender.reply = accepted;
  const delivery = await bench.restart();
  await bench.clock.pass(1_000);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  const times = (id: string): number => sender.sent.filter(({ apnsId }) => apnsId === id).length;
  for (const id of ids) {
    const again = inFlight.has(id) && policy === "at-least-once";
    expect(times(id)).toBe(again ? 2 : 1);
    const status = inFlight.has(id) && policy === "at-most-once" ? "unknown" : "accepted";
    expect(await delivery.find("demo", id)).toMatchObject({ status });
  }
});

test("a stop tells nobody of Apple's troubles: what it breaks off comes back without an answer", async () => {
  const sender = new FakeSender();
  const told: string[] = [];
  const bench = await openWith(sender, {
    tellerFor: () => ({ ...silentTeller, retrying: ({ kind }) => told.push(kind) }),
  });
  await bench.delivery.submit("demo", [draft({ devices: 200 })]);
  await rest();
  sender.answer(noAnswer, 1);
  await rest();
  expect(told).toEqual(["indeterminate"]);
  const stopped = bench.delivery.stop(1_000);
  await bench.clock.pass(10_000);
  await stopped;
  expect(sender.open.length).toBeGreaterThan(60);
  sender.answer(noAnswer);
  await rest();
  expect(told).toEqual(["indeterminate"]);
});

test("what a kill cut off and what then expires is unknown, for Apple may have it", async () => {
  const sender = new FakeSender();
  const bench = await openWith(sender, { routeLimits });
  const expirationSeconds = Math.ceil(bench.clock.now() / 1_000) + 30;
  const ids = await bench.delivery.submit("demo", [draft({ devices: 12, expirationSeconds })]);
  const [never = ""] = await bench.delivery.submit("demo", [
    draft({ expirationSeconds, delivery: "at-most-once" }),
  ]);
  await rest();
  sender.open.length = 0;
  sender.reply = unavailable;
  const delivery = await bench.restart();
  await bench.clock.pass(40_000);
  expect(await delivery.find("demo", ids[0] ?? "")).toMatchObject({
    ...{ status: "unknown", reason: "expired after an attempt without an answer" },
    attempts: expect.arrayContaining([expect.objectContaining({ reason: "ServiceUnavailable" })]),
  });
  // What is at-most-once is written down before it leaves, and this one had not left.
  expect(await delivery.find("demo", never)).toMatchObject({ status: "expired" });
});

test("what a kill cut off is unknown when it expired while nobody ran", async () => {
  const sender = new FakeSender();
  const bench = await openWith(sender);
  const expirationSeconds = Math.ceil(bench.clock.now() / 1_000) + 1;
  const [id = ""] = await bench.delivery.submit("demo", [draft({ expirationSeconds })]);
  await rest();
  await bench.clock.pass(5_000);
  const delivery = await bench.restart();
  await bench.clock.pass(1_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "unknown", attempts: [] });
  expect(sender.sent).toHaveLength(1);
});

test("what a kill cut off is not cancelled, for Apple may have it; what is at-most-once is", async () => {
  const sender = new FakeSender();
  const bench = await openWith(sender, { routeLimits });
  const [sent = ""] = await bench.delivery.submit("demo", [draft({ devices: 10 })]);
  const [once = ""] = await bench.delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await rest();
  await bench.delivery.pause("demo");
  const delivery = await bench.restart();
  expect(await delivery.cancel("demo", sent)).toMatchObject({ kind: "too-late", cause: "in-doubt" });
  expect(await delivery.cancel("demo", once)).toMatchObject({ kind: "cancelled" });
});

test("a stop that does not wait for its answers leaves in doubt what had left, and nothing else", async () => {
  const sender = new FakeSender();
  const bench = await openWith(sender, { routeLimits });
  const { clock, store } = bench;
  const batchOf = (id: string): string => id.slice(0, -4);
  const [left = ""] = await bench.delivery.submit("demo", [draft({ devices: 10 })]);
  const [waits = ""] = await bench.delivery.submit("demo", [draft({ devices: 10 })]);
  await rest();
  const isInDoubt = async (id: string) => (await store.find(batchOf(id), []))?.isInDoubt;
  bench.held.keepsOpen = true;
  const stopped = bench.delivery.stop(1_000);
  await clock.pass(20_000);
  await stopped;
  expect(await isInDoubt(left)).toBe(true);
  expect(await isInDoubt(waits)).toBe(false);
});

test("at-most-once: nothing leaves before it is on disk that it does", async () => {
  const sender = new FakeSender();
  const { delivery, held, store } = await openWith(sender);
  const open = held.hold("settle");
  const [id = ""] = await delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await rest();
  expect(sender.sent).toEqual([]);
  open();
  await rest();
  expect(sender.sent).toHaveLength(1);
  expect((await store.find(id.slice(0, -4), []))?.outcomes).toEqual(Uint8Array.of(3));
});

test("at-most-once: what provably did nothing may leave again, what was written may not", async () => {
  const sender = new FakeSender(unreachable);
  const { delivery, clock } = await openWith(sender);
  const [back = ""] = await delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await clock.pass(2_000);
  expect(sender.sent.length).toBeGreaterThan(1);
  sender.reply = accepted;
  await clock.pass(1_000);
  expect(await delivery.find("demo", back)).toMatchObject({ status: "accepted" });
  sender.reply = noAnswer;
  sender.sent.length = 0;
  const [written = ""] = await delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await clock.pass(100_000);
  expect(sender.sent).toHaveLength(1);
  expect(await delivery.find("demo", written)).toMatchObject({ status: "unknown", reason: "timeout" });
});

test("at-most-once: what came back before a kill leaves after it", async () => {
  const sender = new FakeSender(unreachable);
  const bench = await openWith(sender);
  const [id = ""] = await bench.delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await rest();
  sender.reply = accepted;
  const delivery = await bench.restart();
  await bench.clock.pass(1_000);
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted" });
});

test("a node that was taken for dead counts nothing twice and sends at-most-once no second time", async () => {
  const sender = new FakeSender();
  const bench = await openWith(sender, { routeLimits });
  const { delivery, clock, store, held } = bench;
  await delivery.submit("demo", [draft({ devices: 20 })]);
  await delivery.submit("demo", [draft({ devices: 20, delivery: "at-most-once" })]);
  await rest();
  const [node = ""] = held.nodes;
  await store.release(node, []);
  await clock.pass(10_001);
  expect(bench.log).toContain("this node was taken for dead; it fetches its batches anew");
  sender.reply = accepted;
  sender.answer(accepted);
  await clock.pass(5_000);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  expect(await store.summarize()).toEqual([]);
  const times = new Map<string, number>();
  for (const { deviceToken } of sender.sent) times.set(deviceToken, (times.get(deviceToken) ?? 0) + 1);
  expect(times.size).toBe(40);
  expect(Math.max(...times.values())).toBeLessThanOrEqual(2);
});

test("at-most-once: another node that took the batch over sends it, and this one does not", async () => {
  const sender = new FakeSender();
  const { delivery, held, store } = await openWith(sender);
  const open = held.hold("settle");
  await delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await rest();
  const [node = ""] = held.nodes;
  await store.release(node, []);
  const queue = { app: "demo", environment: "sandbox", lane: "urgent" };
  await store.claim({ node: "other", queue, dueAtMs: 9e12, maxBatches: 1, maxBytes: 1 });
  open();
  await rest();
  expect(sender.sent).toEqual([]);
  expect(delivery.health.inFlight).toBe(0);
});

test("at-most-once: what this node lost and fetched again before it left leaves once", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock, held, store } = await openWith(sender);
  const open = held.hold("settle");
  await delivery.submit("demo", [draft({ delivery: "at-most-once" })]);
  await rest();
  const [node = ""] = held.nodes;
  await store.release(node, []);
  await clock.pass(10_001);
  expect(held.calls).toContain("claim");
  open();
  await clock.pass(5_000);
  expect(sender.sent).toHaveLength(1);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
});
