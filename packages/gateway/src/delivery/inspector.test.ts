import { expect, test } from "vitest";
import { accepted, draft, FakeSender, noAnswer, openBench, rest, unavailable } from "./bench.test-support.ts";

const own = "01234567-89ab-4def-8123-456789abcdef";
const token = "ab".repeat(32);

test("shows what Apple is given, by both names and within the app only", async () => {
  const { delivery, clock } = await openBench({});
  const fields = { priority: 5, expirationSeconds: 0, collapseId: "score", registeredAtMs: 7 } as const;
  const dueAtMs = clock.now() + 60_000;
  const [id = ""] = await delivery.submit("demo", [
    draft({ deviceTokens: [token], apnsId: own, ...fields, dueAtMs }),
  ]);
  const inspection = await delivery.inspect("demo", id.toUpperCase());
  expect(inspection).toMatchObject({
    record: { id, status: "scheduled", apnsId: own },
    ...{ storedAtMs: clock.now(), dueAtMs },
    content: {
      deviceToken: token,
      settings: { topic: "com.example", pushType: "alert", priority: 5, expirationSeconds: 0 },
      ...{ registeredAtMs: 7, delivery: "at-least-once" },
    },
  });
  expect(Buffer.from(inspection?.content?.payload ?? []).toString()).toBe('{"aps":{}}');
  expect(inspection).not.toHaveProperty("settledAtMs");
  expect(await delivery.inspect("demo", own)).toEqual(inspection);
  expect(await delivery.inspect("other", id)).toBeUndefined();
  expect(await delivery.inspect("demo", `${id.slice(0, -4)}0001`)).toBeUndefined();
  expect(await delivery.inspect("demo", "nonsense")).toBeUndefined();
});

test.each([
  ["after an answer of Apple's", unavailable, false],
  ["after an attempt without an answer", noAnswer, true],
] as const)("tells when it is tried again %s", async (_name, reply, isInDoubt) => {
  const sender = new FakeSender(reply);
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  const [id = ""] = await delivery.submit("demo", [draft({ deviceTokens: [token] })]);
  await rest();
  const settledAtMs = clock.now();
  const inspection = await delivery.inspect("demo", id);
  expect(inspection).toMatchObject({ settledAtMs, isInDoubt, content: { deviceToken: token } });
  const atMs = inspection?.nextTryAtMs ?? 0;
  expect(atMs - settledAtMs).toBeGreaterThan(1_000);
  sender.reply = accepted;
  await clock.pass(atMs - settledAtMs + 1_000);
  const settled = await delivery.inspect("demo", id);
  expect(settled).not.toHaveProperty("nextTryAtMs");
  expect(settled?.isInDoubt).toBe(false);
});

test("tells that a killed gateway may have sent it", async () => {
  const bench = await openBench({ senderFor: () => new FakeSender() });
  const [id = ""] = await bench.delivery.submit("demo", [draft()]);
  await rest();
  expect((await bench.delivery.inspect("demo", id))?.isInDoubt).toBe(false);
  await bench.delivery.pause("demo");
  const delivery = await bench.restart();
  expect((await delivery.inspect("demo", id))?.isInDoubt).toBe(true);
});

test("what is tried again for longer than payloads are kept is shown all the same", async () => {
  const sender = new FakeSender(unavailable);
  const retention = { bodiesMs: 1_000, recordsMs: 2_000_000, requestKeysMs: 1_000, verdictsMs: 1_000 };
  const { delivery, clock } = await openBench({ senderFor: () => sender, retention });
  const [id = ""] = await delivery.submit("demo", [draft({ deviceTokens: [token] })]);
  await clock.pass(150_000);
  expect(await delivery.inspect("demo", id)).toMatchObject({
    record: { status: "queued" },
    content: { deviceToken: token },
  });
  sender.reply = accepted;
  await clock.pass(150_000);
  const inspection = await delivery.inspect("demo", id);
  expect(inspection?.record.status).toBe("accepted");
  expect(inspection).not.toHaveProperty("content");
});

test("a route says since when it is at a stop, and a pause since when it is one", async () => {
  const { delivery, clock } = await openBench({});
  await delivery.submit("demo", [draft()]);
  await rest();
  const sinceMs = clock.now();
  await clock.pass(30_000);
  expect(delivery.status("demo").routes).toMatchObject([
    { waitingFor: "no sender", waitingSinceMs: sinceMs },
  ]);
  const pausedAtMs = clock.now();
  await delivery.pause("demo");
  expect(delivery.status("demo").routes).toMatchObject([{ waitingSinceMs: pausedAtMs }]);
});
