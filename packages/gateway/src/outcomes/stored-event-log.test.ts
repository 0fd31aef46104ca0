import { expect, test } from "vitest";
import { ManualClock } from "../delivery/bench.test-support.ts";
import { outcomeCode, type Store } from "../store/index.ts";
import { openMemoryStore } from "../store/memory-store.test-support.ts";
import { idsOfRun } from "./event.ts";
import { CursorError } from "./event-log.ts";
import { EventLog } from "./stored-event-log.ts";

const batch = "00000000-0000-7000-8000-00000000";

function open(retention: { keepMs?: number; keepBytes?: number } = {}) {
  const clock = new ManualClock();
  const store = openMemoryStore(() => clock.now());
  const log = new EventLog({ store, clock, retention, logger: { warn: () => undefined } });
  return { clock, store, log };
}

async function append(store: Store, count: number, type = "token.gone", atMs = 0): Promise<void> {
  const events = Array.from({ length: count }, (_, name) => ({
    app: "demo",
    type,
    data: `{"name":${name}}`,
  }));
  await store.appendEvents(events, atMs);
}

async function refusal(reading: Promise<unknown>): Promise<CursorError> {
  const error = await reading.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CursorError);
  return error as CursorError;
}

test("an event has its cursor, its time, its app and what it tells", async () => {
  const { store, log } = open();
  await append(store, 1, "token.gone", 1_000);
  expect(await log.read({ limit: 10 })).toEqual({
    items: [
      { cursor: "1", at: "1970-01-01T00:00:01.000Z", app: "demo", type: "token.gone", data: { name: 0 } },
    ],
    cursor: "1",
  });
});

test("a run names each id once, and all of them come back from it", async () => {
  const { store, log } = open();
  const body = new Uint8Array(10);
  const queue = { app: "demo", environment: "sandbox", lane: "normal" };
  await store.add([
    { id: batch, queue, count: 1_000, dueAtMs: 1, storedAtMs: 1, kind: "original", body, ownIds: [] },
  ]);
  const places = Uint16Array.of(0, 1, 2, 500, 998, 999);
  const codes = new Uint8Array(6).fill(outcomeCode.accepted);
  await store.settle({ node: "n", atMs: 1, batches: [{ batch, places, codes }], notes: [], retries: [] });
  const { items } = await log.read({ limit: 10 });
  const data = { batch, ids: ["0000-0002", "01f4", "03e6-03e7"], count: 6, environment: "sandbox" };
  expect(items).toMatchObject([{ type: "notification.accepted", data }]);
  expect(idsOfRun(data)).toEqual(
    ["0000", "0001", "0002", "01f4", "03e6", "03e7"].map((place) => `${batch}${place}`),
  );
});

test("a reader goes on where it was, and an empty page says where that is", async () => {
  const { store, log } = open();
  await append(store, 5);
  const first = await log.read({ limit: 3 });
  const second = await log.read({ after: first.cursor, limit: 3 });
  expect([first, second].map(({ items }) => items.map(({ cursor }) => cursor))).toEqual([
    ["1", "2", "3"],
    ["4", "5"],
  ]);
  expect(await log.read({ after: second.cursor, limit: 3 })).toEqual({ items: [], cursor: "5" });
  expect(await log.read({ app: "nobody", limit: 3 })).toEqual({ items: [], cursor: "5" });
  expect(await log.ends()).toEqual({ oldest: "0", latest: "5" });
});

test("notifications that are tried again are told only to those who ask", async () => {
  const { store, log } = open();
  await append(store, 1, "notification.retrying");
  expect((await log.read({ limit: 3 })).items).toEqual([]);
  expect((await log.read({ types: ["notification.retrying"], limit: 3 })).items).toHaveLength(1);
});

test("a cursor that is too old, ahead or nonsense is refused with the one to go on from", async () => {
  const { store, log, clock } = open({ keepMs: 1_000 });
  await append(store, 3, "token.gone", clock.now());
  await clock.pass(2_000);
  await append(store, 1, "token.gone", clock.now());
  await clock.pass(60_000);
  expect(await log.ends()).toEqual({ oldest: "3", latest: "4" });
  for (const after of ["0", "2"])
    expect(await refusal(log.read({ after, limit: 1 }))).toMatchObject({ kind: "too-old", oldest: "3" });
  for (const after of ["5", "-1", "1e3", "x", "9".repeat(20)])
    expect(await refusal(log.read({ after, limit: 1 })), after).toMatchObject({
      kind: "unknown",
      oldest: "3",
    });
  expect((await log.read({ limit: 9 })).items).toHaveLength(1);
});

test("events are forgotten by size too, the newest never", async () => {
  const { store, log, clock } = open({ keepBytes: 500 });
  await append(store, 1_500, "token.gone", clock.now());
  await clock.pass(61_000);
  const { oldest, latest } = await log.ends();
  expect(latest).toBe("1500");
  expect(Number(oldest)).toBeGreaterThan(1_490);
  log.close();
  await append(store, 100, "token.gone", clock.now());
  await clock.pass(200_000);
  expect((await log.ends()).oldest).toBe(oldest);
});

test("what is written is what is read", async () => {
  const { store, log } = open();
  await append(store, 3, "token.gone", 1_000);
  await append(store, 2, "token.restored", 2_000);
  await store.appendEvents([{ app: 'a "name"', type: "route.parked", data: '{"é":[1,null]}' }], 3_000);
  const { items, cursor } = await log.readWritten({ limit: 10 });
  expect(items.map(({ text }) => JSON.parse(text))).toEqual((await log.read({ limit: 10 })).items);
  expect(items.map(({ cursor }) => cursor)).toEqual(["1", "2", "3", "4", "5", "6"]);
  expect(items.at(-1)?.type).toBe("route.parked");
  expect(cursor).toBe("6");
});

test("events that came faster than a thousand in 50 ms are forgotten faster still", async () => {
  const { store, log, clock } = open({ keepBytes: 500 });
  await append(store, 200_000);
  const before = await log.ends();
  await clock.pass(3_000);
  expect([before.oldest, (await log.ends()).oldest]).toEqual(["0", expect.stringMatching(/^19999\d$/)]);
});
