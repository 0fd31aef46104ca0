import { expect, test } from "vitest";
import { outcomeCode, type Store } from "../store/index.ts";
import { openMemoryStore } from "../store/memory-store.test-support.ts";
import { EventSearch } from "./event-search.ts";

const batch = "00000000-0000-7000-8000-00000000";
const id = `${batch}0003`;
const token = "ab".repeat(32);

function open() {
  const store = openMemoryStore(() => 0);
  return { store, search: new EventSearch(store) };
}

async function append(store: Store, atMs: number, type: string, data: object, app = "demo"): Promise<void> {
  await store.appendEvents([{ app, type, data: JSON.stringify(data) }], atMs);
}

/** So many events about nobody, a thousand to a commit. */
async function appendMany(store: Store, count: number, atMs: (ordinal: number) => number): Promise<void> {
  for (let first = 0; first < count; first += 1_000) {
    const events = Array.from({ length: Math.min(1_000, count - first) }, () => ({
      ...{ app: "demo", type: "token.gone", data: "{}" },
    }));
    await store.appendEvents(events, atMs(first));
  }
}

test("finds how a notification ended by its id, not by who else names that", async () => {
  const { store, search } = open();
  await append(store, 5_000, "notification.rejected", { id: "other", reference: id });
  await append(store, 5_000, "token.gone", { notificationId: id });
  await append(store, 5_000, "notification.rejected", { id }, "other");
  await append(store, 5_000, "notification.rejected", { id });
  const found = await search.ending("demo", id, "rejected", { fromMs: 5_000 });
  expect(found.events).toMatchObject([{ cursor: "4", at: "1970-01-01T00:00:05.000Z", data: { id } }]);
  expect(await search.ending("demo", id, "expired", { fromMs: 5_000 })).toEqual({
    events: [],
    isWhole: true,
  });
});

test("finds the run of a batch that names it, and no other run", async () => {
  const { store, search } = open();
  const queue = { app: "demo", environment: "sandbox", lane: "normal" };
  const rest = { kind: "original", body: new Uint8Array(1), ownIds: [], dueAtMs: 1, storedAtMs: 1 } as const;
  await store.add([{ id: batch, queue, count: 10, ...rest }]);
  for (const place of [1, 3, 5]) {
    const settled = {
      batch,
      places: Uint16Array.of(place),
      codes: Uint8Array.of(outcomeCode.accepted),
    };
    await store.settle({ node: "n", atMs: 7_000, batches: [settled], notes: [], retries: [] });
  }
  const { events } = await search.ending("demo", id, "accepted", { fromMs: 1, untilMs: 7_000 });
  expect(events).toMatchObject([{ cursor: "2", data: { ids: ["0003"] } }]);
});

test("finds what was said of a device token where it was said, and of a route in its time", async () => {
  const { store, search } = open();
  const environment = "sandbox";
  await append(store, 1_000, "token.gone", { token, environment });
  await append(store, 10_000, "token.restored", { token, environment, cause: "request" });
  await append(store, 10_000, "token.suspect", { token, environment: "production" });
  await append(store, 10_000, "route.parked", { environment, reason: "InvalidProviderToken" });
  await append(store, 20_000, "route.released", { environment });
  const said = await search.ofToken("demo", environment, token, { fromMs: 5_000 });
  expect(said).toMatchObject({ events: [{ type: "token.restored" }], isWhole: true });
  const stops = await search.ofRoute("demo", environment, { fromMs: 5_000, untilMs: 15_000 });
  expect(stops.events).toMatchObject([{ type: "route.parked" }]);
});

test("looks at the ends of a time that is too long, and says so", async () => {
  const { store, search } = open();
  await append(store, 10_000, "notification.rejected", { id: "first" });
  await appendMany(store, 110_000, (ordinal) => 10_000 + ordinal);
  await append(store, 150_000, "notification.rejected", { id: "middle" });
  await appendMany(store, 110_000, (ordinal) => 150_000 + ordinal);
  await append(store, 300_000, "notification.rejected", { id: "last" });
  const look = async (wanted: string, untilMs?: number) => {
    const span = { fromMs: 10_000, ...(untilMs === undefined ? {} : { untilMs }) };
    const { events, isWhole } = await search.ending("demo", wanted, "rejected", span);
    return [events.length, isWhole];
  };
  expect((await look("first", 300_000))[0]).toBe(1);
  expect((await look("last", 300_000))[0]).toBe(1);
  expect(await look("middle", 300_000)).toEqual([0, false]);
  expect((await look("middle"))[0]).toBe(1);
  expect(await look("last")).toEqual([0, false]);
});
