import { expect, test } from "vitest";
import { accepted, draft, FakeSender, noAnswer, openBench, rest } from "./bench.test-support.ts";

const own = "01234567-89ab-4def-8123-456789abcdef";

test("finds by our id and by the caller's own, whatever its case, and within the app only", async () => {
  const { delivery, clock } = await openBench({});
  const [id = ""] = await delivery.submit("demo", [draft({ apnsId: own, reference: "r" })]);
  const record = {
    ...{ id, app: "demo", environment: "sandbox", lane: "urgent", status: "queued", reason: "no sender" },
    ...{ reference: "r", apnsId: own, storedAt: new Date(clock.now()).toISOString(), attempts: [] },
  };
  expect(await delivery.find("demo", id)).toEqual(record);
  expect(await delivery.find("demo", id.toUpperCase())).toEqual(record);
  expect(await delivery.find("demo", own)).toEqual(record);
  expect(await delivery.find("demo", own.toUpperCase())).toEqual(record);
  expect(await delivery.find("other", id)).toBeUndefined();
  expect(await delivery.find("other", own)).toBeUndefined();
});

test("of several with the same own id it finds the newest", async () => {
  const { delivery } = await openBench({});
  await delivery.submit("demo", [draft({ apnsId: own })]);
  const [id] = await delivery.submit("demo", [draft({ apnsId: own })]);
  expect(await delivery.find("demo", own)).toMatchObject({ id });
});

test("an own id that looks like one of ours is found all the same", async () => {
  const { delivery } = await openBench({});
  const apnsId = "01234567-89ab-7def-8123-456789abcdef";
  const [id] = await delivery.submit("demo", [draft({ apnsId })]);
  expect(await delivery.find("demo", apnsId)).toMatchObject({ id, apnsId });
});

test.each(["", "nonsense", "01234567-89ab-7def-8123-456789abcdef"])(
  "%j is nothing anybody knows",
  async (id) => {
    const { delivery } = await openBench({});
    await delivery.submit("demo", [draft()]);
    expect(await delivery.find("demo", id)).toBeUndefined();
  },
);

test("a place beyond its batch is unknown", async () => {
  const { delivery } = await openBench({});
  const [id = ""] = await delivery.submit("demo", [draft()]);
  expect(await delivery.find("demo", `${id.slice(0, -4)}0001`)).toBeUndefined();
});

test("Apple gets the caller's own id, also when it is sent again", async () => {
  const sender = new FakeSender(noAnswer);
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  await delivery.submit("demo", [draft({ apnsId: own })]);
  await clock.pass(10_000);
  expect(sender.sent.length).toBeGreaterThan(1);
  expect(new Set(sender.sent.map(({ apnsId }) => apnsId))).toEqual(new Set([own]));
  expect(await delivery.find("demo", own)).toMatchObject({ status: "queued", apnsId: own });
});

test("a record outlives its payload, without what stood there", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openBench({
    senderFor: () => sender,
    retention: { bodiesMs: 1_000, recordsMs: 200_000, requestKeysMs: 1_000, verdictsMs: 1_000 },
  });
  const [id = ""] = await delivery.submit("demo", [draft({ reference: "r", apnsId: own })]);
  await rest();
  expect(await delivery.find("demo", id)).toMatchObject({ status: "accepted", reference: "r" });
  await clock.pass(100_000);
  const record = await delivery.find("demo", own);
  expect(record).toMatchObject({ id, status: "accepted" });
  expect(record).not.toHaveProperty("reference");
  await clock.pass(200_000);
  expect(await delivery.find("demo", id)).toBeUndefined();
});

test("waiting for both names of a notification ends when it is final", async () => {
  const sender = new FakeSender();
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  const [id = ""] = await delivery.submit("demo", [draft({ apnsId: own })]);
  await rest();
  const waiting = delivery.waitUntilFinal("demo", [id, own, "unknown"], 30_000);
  sender.answer(accepted);
  await clock.pass(1_000);
  expect((await waiting).map(({ status }) => status)).toEqual(["accepted", "accepted"]);
});
