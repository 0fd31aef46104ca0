import { expect, test } from "vitest";
import type { EventRequest, NewEvent, StoredEvent } from "./event-store.ts";
import { type NewBatch, type Note, outcomeCode, type Settlement, type Store } from "./store.ts";
import type { StoreUnderTest, WithStore } from "./store-cases.test-support.ts";

const types = ["accepted", "rejected", "expired", "unknown", "cancelled", "retrying"].map(
  (word) => `notification.${word}`,
);
const all: EventRequest = { after: 0, types: [...types, "test"], limit: 1_000 };
const { accepted, noted } = outcomeCode;

let made = 0;

function batch(fields: Partial<NewBatch> = {}): NewBatch {
  made += 1;
  return {
    id: `00000000-0000-7000-8000-${made.toString(16).padStart(8, "0")}`,
    queue: { app: "demo", environment: "sandbox", lane: "normal" },
    ...{ count: 10, dueAtMs: 1_000, storedAtMs: 1_000, kind: "original", ownIds: [] },
    body: new Uint8Array(10),
    ...fields,
  };
}

function settlement(id: string, byPlace: Record<number, number>, rest: Partial<Settlement> = {}): Settlement {
  const places = Uint16Array.from(Object.keys(byPlace).map(Number));
  const codes = Uint8Array.from(Object.values(byPlace));
  return {
    node: "n1",
    atMs: 2_000,
    batches: [{ batch: id, places, codes }],
    notes: [],
    retries: [],
    ...rest,
  };
}

function event(name: string, app = "demo", type = "test"): NewEvent {
  return { app, type, data: JSON.stringify({ name }) };
}

function stretches({ data }: StoredEvent): number[] {
  return typeof data === "string" ? [] : [...data.stretches];
}

async function names(store: Store, request: Partial<EventRequest> = {}): Promise<string[]> {
  const { events } = await store.readEvents({ ...all, ...request });
  return events.map(({ data }) => (typeof data === "string" ? JSON.parse(data).name : "run"));
}

/** What every store's event log must do. */
export function eventCases(withStore: WithStore): void {
  const promise = (name: string, run: (subject: StoreUnderTest) => Promise<void>): void => {
    test(`events: ${name}`, () => withStore(run));
  };

  promise("numbers them from 1 without a gap, in order, also after a restart", async (subject) => {
    expect(await subject.store.readEvents(all)).toEqual({ events: [], cursor: 0, oldest: 1, newest: 0 });
    await Promise.all(["a", "b"].map((name) => subject.store.appendEvents([event(name)], 5)));
    await subject.reopen();
    await subject.store.appendEvents([event("c"), event("d")], 6);
    const { events, ...ends } = await subject.store.readEvents(all);
    expect(events.map(({ cursor, atMs }) => [cursor, atMs])).toEqual([
      [1, 5],
      [2, 5],
      [3, 6],
      [4, 6],
    ]);
    expect(ends).toEqual({ cursor: 4, oldest: 1, newest: 4 });
    expect(await names(subject.store)).toEqual(["a", "b", "c", "d"]);
  });

  promise("reads on behind a cursor, by app and type, and says how far it looked", async ({ store }) => {
    const mixed = [event("a"), event("b", "other"), event("c", "demo", "notification.expired"), event("d")];
    await store.appendEvents(mixed, 5);
    expect(await names(store, { after: 1 })).toEqual(["b", "c", "d"]);
    expect(await names(store, { app: "demo" })).toEqual(["a", "c", "d"]);
    expect(await names(store, { types: ["notification.expired"] })).toEqual(["c"]);
    expect(await store.readEvents({ ...all, limit: 2 })).toMatchObject({ cursor: 2 });
    expect(await store.readEvents({ ...all, upTo: 3 })).toMatchObject({ cursor: 3, newest: 4 });
    expect(await store.readEvents({ ...all, app: "nobody" })).toMatchObject({ events: [], cursor: 4 });
    expect(await store.readEvents({ ...all, after: 9 })).toMatchObject({ events: [], cursor: 9, newest: 4 });
  });

  promise("tells what is accepted as one run of a batch, each once", async ({ store }) => {
    const some = batch();
    await store.add([some]);
    const places = { 4: accepted, 3: accepted, 0: accepted, 9: accepted, 1: noted };
    await store.settle(settlement(some.id, places, { notes: [note(some.id, 1, "queued")] }));
    await store.settle(settlement(some.id, { 4: accepted, 5: accepted }));
    const { events } = await store.readEvents(all);
    expect(events.map(({ type }) => type)).toEqual([
      "notification.accepted",
      "notification.retrying",
      "notification.accepted",
    ]);
    expect(events[0]).toMatchObject({
      app: "demo",
      atMs: 2_000,
      data: { batch: some.id, environment: "sandbox" },
    });
    expect(events.map(stretches)).toEqual([
      [0, 0, 3, 4, 9, 9],
      [1, 1],
      [5, 5],
    ]);
  });

  promise(
    "tells an ending of a later try under the batch it came from, and no second one",
    async ({ store }) => {
      const some = batch();
      await store.add([some]);
      const notes = [note(some.id, 1, "queued"), note(some.id, 2, "queued")];
      await store.settle(settlement(some.id, { 1: noted, 2: noted }, { notes }));
      const ends = [
        note(some.id, 1, "accepted"),
        note(some.id, 2, "rejected", event("no", "demo", "notification.rejected")),
      ];
      await store.settle(settlement("nobody", {}, { notes: ends }));
      await store.settle(settlement("nobody", {}, { notes: ends }));
      const { events } = await store.readEvents({ ...all, after: 1 });
      expect(events.map(({ type }) => type)).toEqual(["notification.accepted", "notification.rejected"]);
      expect(stretches(events[0] as StoredEvent)).toEqual([1, 1]);
      expect(events[1]).toMatchObject({ data: '{"name":"no"}' });
    },
  );

  promise(
    "tells an ending that brought no words by its id, and cancelled ones as a run",
    async ({ store }) => {
      const some = batch();
      await store.add([some]);
      const notes = [
        note(some.id, 1, "unknown"),
        note(some.id, 2, "cancelled"),
        note(some.id, 3, "cancelled"),
      ];
      await store.settle(settlement(some.id, { 1: noted, 2: noted, 3: noted }, { notes }));
      const { events } = await store.readEvents(all);
      const told = events.map((each) => [each.type, ...stretches(each)]);
      expect(told).toEqual([
        ["notification.cancelled", 2, 3],
        ["notification.unknown", 1, 1],
      ]);
    },
  );

  promise(
    "reads what is about one thing: runs of its batch, and words that hold its name",
    async ({ store }) => {
      const [some, other] = [batch(), batch()];
      await store.add([some, other]);
      await store.settle(settlement(some.id, { 1: accepted }));
      await store.settle(settlement(other.id, { 1: accepted }));
      await store.appendEvents([event("needle"), event("hay"), event("a needle", "other")], 5);
      const { types } = all;
      const about = { batch: some.id, text: "needle" };
      const look = (request: Partial<EventRequest>) => store.readEvents({ ...all, ...request });
      expect(await look({ about })).toMatchObject({
        events: [{ cursor: 1 }, { cursor: 3 }, { cursor: 5 }],
        cursor: 5,
      });
      expect((await look({ about, app: "demo", after: 1 })).events).toMatchObject([{ cursor: 3 }]);
      expect((await look({ about, types: types.slice(0, 1) })).events).toMatchObject([{ cursor: 1 }]);
      expect((await look({ about: { text: "needle" } })).events).toMatchObject([
        { cursor: 3 },
        { cursor: 5 },
      ]);
      expect(await look({ about: { text: "nothing" } })).toMatchObject({ events: [], cursor: 5 });
    },
  );

  promise("finds the place of a moment in the log, whatever was forgotten", async ({ store }) => {
    expect(await store.seekEvent(5)).toBe(0);
    for (const atMs of [10, 20, 20, 30, 40]) await store.appendEvents([event("x")], atMs);
    const places = async () => {
      const found = [];
      for (const atMs of [0, 10, 11, 20, 21, 40, 41]) found.push(await store.seekEvent(atMs));
      return found;
    };
    expect(await places()).toEqual([0, 0, 1, 1, 3, 4, 5]);
    await store.purgeEvents({ beforeMs: 21, keepBytes: 1e9, limit: 100 });
    expect(await places()).toEqual([3, 3, 3, 3, 3, 4, 5]);
  });

  promise("appends nothing of a settlement that is refused", async ({ store }) => {
    const some = batch();
    await store.add([some]);
    const bad = settlement(some.id, { 1: accepted }, { retries: [batch({ id: some.id })] });
    await expect(store.settle(bad)).rejects.toThrow();
    await store.appendEvents([event("after")], 5);
    expect(await store.readEvents(all)).toMatchObject({ newest: 1, events: [{ cursor: 1, type: "test" }] });
  });

  promise("forgets by age and by size, a step at a time, and never the newest", async ({ store }) => {
    const text = "x".repeat(900);
    for (let each = 1; each <= 5; each += 1) await store.appendEvents([event(text)], each);
    const keepAll = { beforeMs: 0, keepBytes: 1e9, limit: 100 };
    expect(await store.purgeEvents(keepAll)).toBe(0);
    expect(await store.purgeEvents({ ...keepAll, beforeMs: 3 })).toBe(2);
    expect(await store.readEvents(all)).toMatchObject({ oldest: 3, newest: 5 });
    expect(await store.purgeEvents({ ...keepAll, keepBytes: 1_900 })).toBe(1);
    expect(await store.purgeEvents({ beforeMs: 99, keepBytes: 0, limit: 1 })).toBe(1);
    expect(await store.purgeEvents({ beforeMs: 99, keepBytes: 0, limit: 1 })).toBe(0);
    await store.appendEvents([event("next")], 6);
    expect(await store.readEvents(all)).toMatchObject({ oldest: 5, newest: 6 });
  });

  promise(
    "says that there is something new once it can be read, until it is told to stop",
    async ({ store }) => {
      let told = 0;
      const heard = new Promise<void>((resolve) => {
        const stop = store.onEvents(() => {
          told += 1;
          stop();
          resolve();
        });
      });
      await store.add([batch()]);
      await store.appendEvents([event("a")], 5);
      await heard;
      expect(await names(store)).toEqual(["a"]);
      await store.appendEvents([event("b")], 5);
      await store.summarize();
      expect(told).toBe(1);
    },
  );
}

function note(batch: string, place: number, status: string, event?: NewEvent): Note {
  return { batch, place, status, attempts: "", ...(event === undefined ? {} : { events: [event] }) };
}
