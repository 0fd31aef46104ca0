import type { Outcome, PreparedNotification } from "@carillon/apns";
import fc from "fast-check";
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
import type { NotificationDraft } from "./notification-draft.ts";
import { defaults } from "./open-delivery.ts";

const own = "123e4567-e89b-12d3-a456-426614174000";
const routeLimits = { ...defaults.routeLimits, maxInFlight: 2 };

test("what waits in memory is cancelled, never sent, and final for those who wait for it", async () => {
  const sender = new FakeSender();
  const { delivery, store } = await openBench({ senderFor: () => sender, routeLimits });
  const ids = await delivery.submit("demo", [draft({ devices: 5 })]);
  await rest();
  expect(sender.sent).toHaveLength(2);
  const waiting = delivery.waitUntilFinal("demo", [ids[3] ?? ""], 30_000);
  // One of them is the next to leave.
  for (const place of [2, 3])
    expect(await delivery.cancel("demo", ids[place] ?? "")).toMatchObject({
      kind: "cancelled",
      record: { id: ids[place], status: "cancelled", attempts: [] },
    });
  expect(await waiting).toMatchObject([{ status: "cancelled" }]);
  expect(delivery.health.queued).toBe(3);
  sender.reply = accepted;
  sender.answer(accepted);
  await rest();
  expect(sender.sent.map(({ apnsId }) => apnsId)).toEqual([ids[0], ids[1], ids[4]]);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  expect(await store.summarize()).toEqual([]);
});

test("what is scheduled is cancelled on disk, by the caller's own id too", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock, store, restart } = await openBench({ senderFor: () => sender });
  const dueAtMs = clock.now() + 60_000;
  const [mine = "", other = ""] = await delivery.submit("demo", [
    draft({ dueAtMs, apnsId: own }),
    draft({ dueAtMs }),
  ]);
  expect(await delivery.cancel("other", mine)).toBeUndefined();
  expect(await delivery.cancel("demo", own.toUpperCase())).toMatchObject({ kind: "cancelled" });
  expect(delivery.health.queued).toBe(1);
  const second = await restart();
  await clock.pass(70_000);
  expect(sender.sent.map(({ apnsId }) => apnsId)).toEqual([other]);
  expect(await second.find("demo", mine)).toMatchObject({ status: "cancelled" });
  // A second time it is what it is.
  expect(await second.cancel("demo", mine)).toMatchObject({ kind: "cancelled" });
  expect(await second.cancel("demo", other)).toMatchObject({ kind: "too-late", cause: "final" });
  expect(await store.summarize()).toEqual([]);
});

test("what waits to be tried again is cancelled while nothing is in doubt, and keeps its attempts", async () => {
  const sender = new FakeSender(unavailable);
  const { delivery, clock, store } = await openBench({ senderFor: () => sender });
  const [id = "", doubtful = ""] = await delivery.submit("demo", [draft(), draft()]);
  sender.reply = (notification) => (notification.apnsId === id ? unavailable : noAnswer)(notification);
  await clock.pass(5_000);
  expect(await delivery.cancel("demo", id)).toMatchObject({
    kind: "cancelled",
    record: { status: "cancelled", attempts: [{ reason: "ServiceUnavailable" }, {}, {}] },
  });
  expect(await delivery.cancel("demo", doubtful)).toMatchObject({ kind: "too-late", cause: "in-doubt" });
  const before = sender.sent.filter(({ apnsId }) => apnsId === id).length;
  sender.reply = accepted;
  await clock.pass(60_000);
  expect(sender.sent.filter(({ apnsId }) => apnsId === id)).toHaveLength(before);
  expect(await delivery.find("demo", doubtful)).toMatchObject({ status: "accepted" });
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
  expect(await store.summarize()).toEqual([]);
});

test("what is in flight is not cancelled, and says what became of it", async () => {
  const sender = new FakeSender();
  const { delivery } = await openBench({ senderFor: () => sender });
  const [id = ""] = await delivery.submit("demo", [draft()]);
  await rest();
  expect(await delivery.cancel("demo", id)).toMatchObject({
    ...{ kind: "too-late", cause: "in-flight", record: { status: "queued" } },
  });
  sender.answer(accepted);
  await rest();
  expect(await delivery.cancel("demo", id)).toMatchObject({
    ...{ kind: "too-late", cause: "final", record: { status: "accepted" } },
  });
});

test("what came back unsent waits again, and is cancelled", async () => {
  const sender = new FakeSender(unreachable);
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  const ids = await delivery.submit("demo", [draft(), draft({ delivery: "at-most-once" })]);
  await rest();
  for (const id of ids) expect(await delivery.cancel("demo", id)).toMatchObject({ kind: "cancelled" });
  sender.sent.length = 0;
  sender.reply = accepted;
  await clock.pass(60_000);
  expect(sender.sent).toEqual([]);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
});

test("a disk without room cancels nothing, and the notification goes its way", async () => {
  const sender = new FakeSender();
  const { delivery, held } = await openBench({ senderFor: () => sender, routeLimits });
  const ids = await delivery.submit("demo", [draft({ devices: 4 })]);
  await rest();
  held.refuses = "cancel";
  await expect(delivery.cancel("demo", ids[3] ?? "")).rejects.toMatchObject({ name: "QueueFullError" });
  held.refuses = undefined;
  expect(await delivery.find("demo", ids[3] ?? "")).toMatchObject({ status: "queued" });
  sender.reply = accepted;
  sender.answer(accepted);
  await rest();
  expect(sender.sent).toHaveLength(4);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
});

test("two callers who cancel the same are told the same", async () => {
  const { delivery } = await openBench({ senderFor: () => new FakeSender(), routeLimits });
  const ids = await delivery.submit("demo", [draft({ devices: 4 })]);
  await rest();
  const id = ids[3] ?? "";
  const both = await Promise.all([delivery.cancel("demo", id), delivery.cancel("demo", id)]);
  expect(both.map((each) => each?.kind)).toEqual(["cancelled", "cancelled"]);
});

type Step =
  | { readonly kind: "submit"; readonly devices: number; readonly draft: Partial<NotificationDraft> }
  | { readonly kind: "cancel"; readonly which: number; readonly waits: boolean }
  | { readonly kind: "answer"; readonly how: keyof typeof answers }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "turns"; readonly turns: number }
  | { readonly kind: "restart" };

const answers: Record<string, (notification: PreparedNotification) => Outcome> = {
  accepted,
  unavailable,
  noAnswer,
  unreachable,
};

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("submit"),
      devices: fc.integer({ min: 1, max: 6 }),
      draft: fc.record(
        {
          dueAtMs: fc.constantFrom(0, 2_000, 10_000),
          delivery: fc.constantFrom("at-most-once", "at-least-once"),
          lane: fc.constantFrom("urgent", "bulk"),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("cancel"), which: fc.nat(), waits: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("answer"),
      how: fc.constantFrom("accepted", "unavailable", "noAnswer", "unreachable"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 1, max: 4_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("turns"), turns: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart") }) },
) as fc.Arbitrary<Step>;

test("in whatever order things happen, what is cancelled is not sent any more, and each ends in one way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const sender = new FakeSender();
      const bench = await openBench({
        senderFor: () => sender,
        routeLimits,
        // Little room: some of it is on disk only.
        memory: { ...defaults.memory, maxLaneBytes: 300, maxResidentBytes: 600 },
      });
      const { clock, store } = bench;
      let { delivery } = bench;
      const ids: string[] = [];
      /** How often each had been sent when it was cancelled. */
      const sentBefore = new Map<string, number>();
      /** What a kill left without an answer: Apple may have it. */
      const cutOff = new Set<string>();
      const timesSent = (id: string): number => sender.sent.filter(({ apnsId }) => apnsId === id).length;
      const cancel = async (id: string): Promise<void> => {
        const cancellation = await delivery.cancel("demo", id).catch(() => undefined);
        if (cancellation?.kind === "cancelled" && !sentBefore.has(id)) sentBefore.set(id, timesSent(id));
      };
      for (const each of steps)
        switch (each.kind) {
          case "submit": {
            const { dueAtMs = 0, ...rest } = each.draft;
            const due = dueAtMs === 0 ? {} : { dueAtMs: clock.now() + dueAtMs };
            ids.push(...(await delivery.submit("demo", [draft({ devices: each.devices, ...rest, ...due })])));
            break;
          }
          case "cancel": {
            const id = ids[each.which % Math.max(ids.length, 1)];
            if (id === undefined) break;
            const cancelled = cancel(id);
            if (each.waits) await cancelled;
            break;
          }
          case "answer":
            sender.answer(answers[each.how] ?? accepted);
            break;
          case "pass":
            await clock.pass(each.ms);
            break;
          case "turns":
            await rest(each.turns);
            break;
          case "restart":
            for (const { notification } of sender.open.splice(0)) cutOff.add(notification.apnsId ?? "");
            delivery = await bench.restart();
            break;
        }
      await rest();
      sender.reply = accepted;
      sender.answer(accepted);
      for (let round = 0; round < 20 && delivery.health.queued > 0; round += 1) await clock.pass(10_000);
      expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
      expect(await store.summarize()).toEqual([]);
      for (const id of ids) {
        const status = (await delivery.find("demo", id))?.status;
        if (sentBefore.has(id)) expect(cutOff).not.toContain(id);
        if (sentBefore.has(id))
          expect([id, status, timesSent(id)]).toEqual([id, "cancelled", sentBefore.get(id)]);
        else if (timesSent(id) === 0) expect(["cancelled", "unknown"]).toContain(status);
        else expect(["accepted", "unknown", "cancelled"]).toContain(status);
      }
    }),
    { numRuns: 150 },
  );
}, 120_000);
