import { systemClock } from "@carillon/apns";
import { expect, test } from "vitest";
import type { Settlement, Store } from "../store/index.ts";
import type { Flight } from "./flight.ts";
import { LaneQueue } from "./lane-queue.ts";
import { Ledger } from "./ledger.ts";
import { BatchIds } from "./notification-id.ts";

const nowMs = 1_700_000_000_005;

/** The retry batches of one settlement with a retry due at each of these moments, in milliseconds from now. */
async function settled(delaysMs: readonly number[]): Promise<Settlement["retries"]> {
  const settlements: Settlement[] = [];
  const store: Pick<Store, "settle"> = {
    settle(settlement) {
      settlements.push(settlement);
      return Promise.resolve(settlement.batches.map(() => ({ settled: 1, open: 0, isHeld: true })));
    },
  };
  const ledger = new Ledger({
    ...{ store: store as Store, node: "node", ids: new BatchIds(() => nowMs), written: () => {} },
    clock: { ...systemClock, now: () => nowMs },
  });
  const lane = new LaneQueue({ app: "demo", environment: "sandbox", lane: "normal" });
  const run = { id: "0193aaaa-aaaa-7000-8000-00000000" };
  delaysMs.forEach((delayMs, place) => {
    const flight = { run, place, lane, payloadBytes: 2 } as unknown as Flight;
    const entry = {
      deviceToken: "ab".repeat(32),
      payload: Buffer.from("{}"),
      settings: { topic: "com.example" },
    };
    ledger.retried(
      flight,
      { batch: run.id, place, status: "queued", attempts: "" },
      {
        ...{ entry, lane, atMs: nowMs + delayMs },
        ...{ delivery: "at-least-once", environmentChoice: "fixed" },
      },
    );
  });
  await ledger.idle();
  expect(settlements).toHaveLength(1);
  return settlements[0]?.retries ?? [];
}

test("few retries come within a 32nd of their wait, three at once at most, and none comes early", async () => {
  const delaysMs = Array.from({ length: 100 }, (_, index) => 1_000 + index * 30);
  const retries = await settled(delaysMs);
  let first = 0;
  for (const { dueAtMs, count } of retries) {
    expect(count).toBeLessThanOrEqual(3);
    expect(dueAtMs).toBeGreaterThanOrEqual(nowMs + (delaysMs[first + count - 1] ?? 0));
    expect(dueAtMs).toBeLessThan(nowMs + (delaysMs[first] ?? 0) * (1 + 1 / 32));
    first += count;
  }
  expect(first).toBe(100);
});

test("many retries share few batches, and none comes early", async () => {
  const delaysMs = Array.from({ length: 2_000 }, (_, index) => 1_000 + index / 2);
  const retries = await settled(delaysMs);
  expect(retries.length).toBeLessThan(12);
  let first = 0;
  for (const { dueAtMs, count } of retries) {
    const latestMs = nowMs + (delaysMs[first + count - 1] ?? 0);
    expect(dueAtMs).toBeGreaterThanOrEqual(latestMs);
    expect(dueAtMs).toBeLessThan(latestMs + 128);
    first += count;
  }
  expect(first).toBe(2_000);
});
