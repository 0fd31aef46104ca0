import { expect, test } from "vitest";

import {
  type BatchSettlement,
  type NewBatch,
  type Note,
  outcomeCode,
  type QueueKey,
  type Store,
} from "./store.ts";

/** A store for one test, on fresh ground. */
export interface StoreUnderTest {
  store: Store;
  /** Closes the store and opens it again on the same ground. */
  reopen(): Promise<void>;
}

/** What makes a store for one test and takes it away afterwards, for instance a fixture of vitest. */
export type WithStore = (run: (subject: StoreUnderTest) => Promise<void>) => Promise<void>;

const queue: QueueKey = { app: "demo", environment: "sandbox", lane: "normal" };
const farFutureMs = 8_000_000_000_000;

let made = 0;

/** A batch of `count` whose body is `bytes` long and tells it from others. */
function batch(fields: Partial<NewBatch> & { bytes?: number } = {}): NewBatch {
  made += 1;
  const { bytes = 100, ...rest } = fields;
  return {
    id: `00000000-0000-7000-8000-${made.toString(16).padStart(8, "0")}`,
    queue,
    count: 3,
    dueAtMs: 1_000,
    storedAtMs: 1_000,
    kind: "original",
    body: new Uint8Array(bytes).fill(made),
    ownIds: [],
    ...rest,
  };
}

function codes(batch: string, byPlace: Readonly<Record<number, number>>): BatchSettlement {
  const places = Object.keys(byPlace).map(Number);
  return { batch, places: Uint16Array.from(places), codes: Uint8Array.from(Object.values(byPlace)) };
}

function note(batch: string, place: number, status: string, rest: Partial<Note> = {}): Note {
  return { batch, place, status, attempts: "", ...rest };
}

const nothing = { node: "n1", atMs: 2_000, batches: [], notes: [], retries: [] };
const everything = { node: "n1", queue, dueAtMs: farFutureMs, maxBatches: 100, maxBytes: 1e9 };
const { open, accepted, noted, started } = outcomeCode;

/** What every store must do, whatever lies below it. Each case gets a store of its own. */
export function storeCases(withStore: WithStore): void {
  const promise = (name: string, run: (subject: StoreUnderTest) => Promise<void>): void => {
    test(name, () => withStore(run));
  };

  promise("gives back what was added, byte by byte, also after a restart", async (subject) => {
    const small = batch({ bytes: 10 });
    const large = batch({ bytes: 9_000, dueAtMs: 5_000, storedAtMs: 4_000, count: 1_000 });
    const bodies = [small.body.slice(), large.body.slice()];
    expect(await subject.store.add([small, large])).toEqual(bodies);
    for (const round of ["at once", "after a restart"]) {
      if (round !== "at once") await subject.reopen();
      expect(await subject.store.find(large.id, []), round).toEqual({
        queue,
        count: 1_000,
        storedAtMs: 4_000,
        dueAtMs: 5_000,
        settledAtMs: undefined,
        outcomes: undefined,
        isInDoubt: false,
        body: bodies[1],
        notes: new Map(),
      });
      expect((await subject.store.find(small.id, []))?.body, round).toEqual(bodies[0]);
    }
  });

  promise("stores all batches of one call or none", async ({ store }) => {
    const known = batch();
    await store.add([known]);
    const fresh = batch();
    await expect(store.add([fresh, batch({ id: known.id })])).rejects.toThrow();
    expect(await store.find(fresh.id, [])).toBeUndefined();
    // The same one can be stored later, also where its queue was new in what was undone.
    const elsewhere = { ...queue, app: "elsewhere" };
    await expect(store.add([batch({ queue: elsewhere }), batch({ id: known.id })])).rejects.toThrow();
    const again = batch({ queue: elsewhere });
    await store.add([again]);
    expect((await store.find(again.id, []))?.queue).toEqual(elsewhere);
  });

  promise("lets others be stored that come at the same time as one that it refuses", async ({ store }) => {
    const known = batch();
    await store.add([known]);
    const before = batch();
    const after = batch();
    const calls = [store.add([before]), store.add([batch({ id: known.id })]), store.add([after])];
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await store.find(before.id, [])).toBeDefined();
    expect(await store.find(after.id, [])).toBeDefined();
  });

  promise(
    "hands out free batches once, those due first before others, and equals in order",
    async ({ store }) => {
      const late = batch({ dueAtMs: 3_000 });
      const first = batch({ dueAtMs: 1_000 });
      const second = batch({ dueAtMs: 1_000 });
      const early = batch({ dueAtMs: 500 });
      await store.add([late, first, second, early]);
      const claim = await store.claim({ ...everything, dueAtMs: 2_000 });
      expect(claim.batches.map(({ id }) => id)).toEqual([early.id, first.id, second.id]);
      expect(claim.batches[0]).toEqual({
        id: early.id,
        count: 3,
        storedAtMs: 1_000,
        dueAtMs: 500,
        body: new Uint8Array(100).fill(early.body[0] ?? made),
        outcomes: undefined,
        isInDoubt: false,
      });
      expect(claim.nextDueAtMs).toBe(3_000);
      expect(await store.claim({ ...everything, dueAtMs: 2_000, node: "n2" })).toEqual({
        batches: [],
        nextDueAtMs: 3_000,
      });
      const rest = await store.claim({ ...everything, dueAtMs: 3_000 });
      expect(rest.batches.map(({ id }) => id)).toEqual([late.id]);
      expect(rest.nextDueAtMs).toBeUndefined();
    },
  );

  promise(
    "hands out only batches of the queue asked for, and tells of none that never was",
    async ({ store }) => {
      const queues = [
        queue,
        { ...queue, lane: "bulk" },
        { ...queue, environment: "production" },
        { ...queue, app: "other" },
      ];
      const batches = queues.map((queue) => batch({ queue }));
      await store.add(batches);
      for (const [index, queue] of queues.entries()) {
        const claim = await store.claim({ ...everything, queue });
        expect(claim.batches.map(({ id }) => id)).toEqual([batches[index]?.id]);
      }
      expect(await store.claim({ ...everything, queue: { ...queue, app: "never" } })).toEqual({
        batches: [],
        nextDueAtMs: undefined,
      });
    },
  );

  promise(
    "hands out no more batches than asked for, and no more bytes except with the first",
    async ({ store }) => {
      const batches = [batch({ bytes: 5_000 }), batch({ bytes: 4_000 }), batch({ bytes: 4_000 }), batch()];
      await store.add(batches);
      const claimed = async (maxBatches: number, maxBytes: number): Promise<readonly string[]> =>
        (await store.claim({ ...everything, maxBatches, maxBytes })).batches.map(({ id }) => id);
      expect(await claimed(10, 4_999)).toEqual([batches[0]?.id]);
      expect(await claimed(10, 8_000)).toEqual([batches[1]?.id, batches[2]?.id]);
      await store.release("n1", []);
      expect(await claimed(2, 1e9)).toEqual([batches[0]?.id, batches[1]?.id]);
      // What a claim left aside can be claimed, settled and stored beside, as if nobody had looked at it.
      expect(await claimed(10, 1)).toEqual([batches[2]?.id]);
      expect(await claimed(10, 1)).toEqual([batches[3]?.id]);
    },
  );

  promise("keeps a batch that its node leased in storing it from others", async ({ store }) => {
    const held = batch({ leaseTo: "n1" });
    await store.heartbeat("n1", 60_000);
    await store.add([held]);
    expect((await store.claim({ ...everything, node: "n2" })).batches).toEqual([]);
    const [summary] = await store.summarize();
    expect(summary).toEqual({ queue, notifications: 3, bodyBytes: 100, nextDueAtMs: undefined });
    await store.release("n1", []);
    expect((await store.claim({ ...everything, node: "n2" })).batches.map(({ id }) => id)).toEqual([held.id]);
  });

  promise(
    "settles places one by one, and says how many were settled and how many stay open",
    async ({ store }) => {
      const some = batch({ count: 4, leaseTo: "n1" });
      await store.add([some]);
      const settle = (byPlace: Record<number, number>, atMs: number) =>
        store.settle({ ...nothing, atMs, batches: [codes(some.id, byPlace)] });
      expect(await settle({ 2: accepted }, 2_000)).toEqual([{ settled: 1, open: 3, isHeld: true }]);
      expect(await settle({ 0: noted, 3: started }, 3_000)).toEqual([{ settled: 1, open: 2, isHeld: true }]);
      expect(await store.find(some.id, [])).toMatchObject({
        outcomes: Uint8Array.of(noted, open, accepted, started),
        settledAtMs: 3_000,
      });
      expect((await store.summarize())[0]?.notifications).toBe(2);
      expect(await settle({ 1: accepted, 3: accepted }, 4_000)).toEqual([
        { settled: 2, open: 0, isHeld: true },
      ]);
      expect(await store.summarize()).toEqual([]);
      await store.release("n1", []);
      expect((await store.claim(everything)).batches).toEqual([]);
    },
  );

  promise("never overwrites a final code, and counts an echo of it as nothing", async ({ store }) => {
    const some = batch({ count: 3, leaseTo: "n1" });
    await store.add([some]);
    await store.settle({ ...nothing, batches: [codes(some.id, { 0: accepted, 1: noted })] });
    for (const code of [open, accepted, noted, started]) {
      const echo = { ...nothing, batches: [codes(some.id, { 0: code, 1: code })] };
      expect(await store.settle(echo)).toEqual([{ settled: 0, open: 1, isHeld: true }]);
      expect((await store.find(some.id, []))?.outcomes).toEqual(Uint8Array.of(accepted, noted, open));
    }
    const twice = { batch: some.id, places: Uint16Array.of(2, 2), codes: Uint8Array.of(noted, accepted) };
    expect(await store.settle({ ...nothing, batches: [twice] })).toEqual([
      { settled: 1, open: 0, isHeld: true },
    ]);
    expect((await store.find(some.id, []))?.outcomes).toEqual(Uint8Array.of(accepted, noted, noted));
  });

  promise("lets started go back to open and forth again, both of which stay open", async ({ store }) => {
    const some = batch({ count: 1, leaseTo: "n1" });
    await store.add([some]);
    for (const code of [started, open, started]) {
      expect(await store.settle({ ...nothing, batches: [codes(some.id, { 0: code })] })).toEqual([
        { settled: 0, open: 1, isHeld: true },
      ]);
      expect((await store.find(some.id, []))?.outcomes).toEqual(Uint8Array.of(code));
    }
    await store.release("n1", []);
    const [claimed] = (await store.claim(everything)).batches;
    expect(claimed?.outcomes).toEqual(Uint8Array.of(started));
  });

  promise(
    "marks nothing as started for a node that does not hold it, but takes any outcome",
    async ({ store }) => {
      const some = batch({ count: 2 });
      await store.add([some]);
      const mark = { ...nothing, batches: [codes(some.id, { 0: started })] };
      expect(await store.settle(mark)).toEqual([{ settled: 0, open: 2, isHeld: false }]);
      await store.claim({ ...everything, node: "n2" });
      expect(await store.settle(mark)).toEqual([{ settled: 0, open: 2, isHeld: false }]);
      expect((await store.find(some.id, []))?.outcomes?.[0] ?? open).toBe(open);
      expect(await store.settle({ ...mark, node: "n2" })).toEqual([{ settled: 0, open: 2, isHeld: true }]);
      const outcome = { ...nothing, batches: [codes(some.id, { 1: accepted })] };
      expect(await store.settle(outcome)).toEqual([{ settled: 1, open: 1, isHeld: false }]);
      expect((await store.find(some.id, []))?.outcomes).toEqual(Uint8Array.of(started, accepted));
    },
  );

  promise("ignores places and batches that do not exist", async ({ store }) => {
    const some = batch({ count: 2 });
    await store.add([some]);
    const strange = [codes(some.id, { 2: accepted, 900: accepted }), codes("unknown", { 0: accepted })];
    const notes = [note("unknown", 0, "rejected")];
    expect(await store.settle({ ...nothing, batches: strange, notes })).toEqual([
      { settled: 0, open: 2, isHeld: false },
      { settled: 0, open: 0, isHeld: false },
    ]);
  });

  promise("stores a settlement as a whole or not at all", async ({ store }) => {
    const some = batch({ count: 2 });
    const other = batch();
    await store.add([some, other]);
    const retry = batch({ kind: "retry", count: 1 });
    const bad = {
      ...nothing,
      batches: [codes(some.id, { 0: accepted, 1: noted }), codes(other.id, { 0: accepted })],
      notes: [note(some.id, 1, "queued")],
      retries: [retry, batch({ id: other.id, kind: "retry" })],
    };
    await expect(store.settle(bad)).rejects.toThrow();
    expect(await store.find(some.id, [0, 1])).toMatchObject({
      outcomes: undefined,
      isInDoubt: false,
      settledAtMs: undefined,
      notes: new Map(),
    });
    expect((await store.find(other.id, []))?.outcomes).toBeUndefined();
    expect(await store.find(retry.id, [])).toBeUndefined();
    expect((await store.summarize())[0]?.notifications).toBe(5);
  });

  promise("adds the attempts of a note while it is queued, and keeps its final form", async ({ store }) => {
    const some = batch();
    await store.add([some]);
    const write = (each: Note) => store.settle({ ...nothing, notes: [each] });
    await write(note(some.id, 1, "queued", { attempts: "one\n" }));
    await write(note(some.id, 1, "queued", { attempts: "two\n", reason: "busy" }));
    expect((await store.find(some.id, [0, 1]))?.notes).toEqual(
      new Map([[1, { status: "queued", reason: "busy", attempts: "one\ntwo\n" }]]),
    );
    await write(note(some.id, 1, "accepted", { attempts: "three\n" }));
    const final = new Map([[1, { status: "accepted", attempts: "one\ntwo\nthree\n" }]]);
    expect((await store.find(some.id, [1]))?.notes).toEqual(final);
    await write(note(some.id, 1, "rejected", { attempts: "four\n" }));
    await write(note(some.id, 1, "queued", { attempts: "five\n" }));
    expect((await store.find(some.id, [1]))?.notes).toEqual(final);
    expect((await store.find(some.id, [0, 2]))?.notes).toEqual(new Map());
  });

  promise("tells of a queued note in which retry it waits, until it is final", async ({ store }) => {
    const some = batch();
    await store.add([some]);
    const write = (each: Note) => store.settle({ ...nothing, notes: [each] });
    const waitsIn = (place: number) => ({ batch: `retry-${place}`, place });
    await write(note(some.id, 1, "queued", { waitsIn: waitsIn(5) }));
    expect((await store.find(some.id, [1]))?.notes.get(1)?.waitsIn).toEqual(waitsIn(5));
    await write(note(some.id, 1, "queued", { waitsIn: waitsIn(6) }));
    expect((await store.find(some.id, [1]))?.notes.get(1)?.waitsIn).toEqual(waitsIn(6));
    await write(note(some.id, 1, "accepted"));
    expect((await store.find(some.id, [1]))?.notes.get(1)).toEqual({ status: "accepted", attempts: "" });
  });

  promise("cancels what is free, for good, also across a restart", async (subject) => {
    const some = batch({ count: 2 });
    await subject.store.add([some]);
    const cancel = (place: number) =>
      subject.store.cancel({
        ...{ batch: some.id, place, isInDoubt: false, atMs: 5_000, note: note(some.id, place, "cancelled") },
      });
    expect(await cancel(0)).toEqual({ kind: "cancelled", open: 1 });
    expect(await cancel(0)).toEqual({ kind: "over" });
    expect(await cancel(2)).toEqual({ kind: "over" });
    await subject.reopen();
    expect((await subject.store.find(some.id, [0]))?.notes.get(0)?.status).toBe("cancelled");
    const [claimed] = (await subject.store.claim(everything)).batches;
    expect(claimed?.outcomes).toEqual(Uint8Array.of(noted, open));
    await subject.store.release("n1", []);
    expect(await cancel(1)).toEqual({ kind: "cancelled", open: 0 });
    expect((await subject.store.claim(everything)).batches).toEqual([]);
    expect(await subject.store.summarize()).toEqual([]);
    const unknown = { batch: "?", place: 0, isInDoubt: false, atMs: 0, note: note("?", 0, "cancelled") };
    expect(await subject.store.cancel(unknown)).toEqual({ kind: "over" });
  });

  promise("cancels what is held for its holder only, and nothing final", async ({ store }) => {
    const some = batch({ count: 3, leaseTo: "n1" });
    await store.add([some]);
    await store.settle({ ...nothing, batches: [codes(some.id, { 0: started, 2: accepted })] });
    const request = { batch: some.id, isInDoubt: false, atMs: 5_000, note: note(some.id, 0, "cancelled") };
    const cancel = (place: number, node?: string) =>
      store.cancel({ ...request, place, ...(node === undefined ? {} : { node }) });
    expect(await cancel(1)).toEqual({ kind: "held" });
    expect(await cancel(1, "n2")).toEqual({ kind: "held" });
    expect(await cancel(2, "n1")).toEqual({ kind: "over" });
    expect((await store.find(some.id, [0]))?.notes.size).toBe(0);
    // Its holder knows that what was started came back; of a free one nobody does.
    expect(await cancel(0, "n1")).toEqual({ kind: "cancelled", open: 1 });
    await store.settle({ ...nothing, batches: [codes(some.id, { 1: started })] });
    await store.release("n1", []);
    expect(await cancel(1)).toEqual({ kind: "over" });
    expect(await cancel(1, "n1")).toEqual({ kind: "held" });
  });

  promise("cancels in a retry, which is then gone, and notes it where it came from", async ({ store }) => {
    const original = batch({ count: 1 });
    await store.add([original]);
    const retry = batch({ kind: "retry", count: 1 });
    await store.settle({
      ...nothing,
      batches: [codes(original.id, { 0: noted })],
      notes: [note(original.id, 0, "queued", { attempts: "one\n" })],
      retries: [retry],
    });
    const cancelled = note(original.id, 0, "cancelled");
    const request = { batch: retry.id, place: 0, isInDoubt: false, atMs: 5_000, note: cancelled };
    expect(await store.cancel({ ...request, batch: original.id })).toEqual({ kind: "over" });
    expect(await store.cancel(request)).toEqual({ kind: "cancelled", open: 0 });
    expect(await store.find(retry.id, [])).toBeUndefined();
    expect((await store.find(original.id, [0]))?.notes.get(0)).toEqual({
      ...{ status: "cancelled", attempts: "one\n" },
    });
  });

  promise("forgets a retry as soon as it is settled, and nothing of what it came from", async ({ store }) => {
    const original = batch({ count: 2 });
    await store.add([original]);
    const retry = batch({ kind: "retry", count: 2, dueAtMs: 9_000 });
    await store.settle({
      ...nothing,
      batches: [codes(original.id, { 0: noted, 1: noted })],
      notes: [note(original.id, 0, "queued"), note(original.id, 1, "queued")],
      retries: [retry],
    });
    expect(await store.summarize()).toEqual([
      { queue, notifications: 2, bodyBytes: 100, nextDueAtMs: 9_000 },
    ]);
    expect((await store.claim({ ...everything, dueAtMs: 8_999 })).batches).toEqual([]);
    expect((await store.claim(everything)).batches.map(({ id }) => id)).toEqual([retry.id]);
    await store.settle({ ...nothing, batches: [codes(retry.id, { 0: noted })] });
    expect(await store.find(retry.id, [])).toBeDefined();
    expect(await store.settle({ ...nothing, batches: [codes(retry.id, { 1: noted })] })).toEqual([
      { settled: 1, open: 0, isHeld: true },
    ]);
    expect(await store.find(retry.id, [])).toBeUndefined();
    expect((await store.find(original.id, [0]))?.notes.get(0)?.status).toBe("queued");
    // An echo of it finds nothing.
    expect(await store.settle({ ...nothing, batches: [codes(retry.id, { 1: accepted })] })).toEqual([
      { settled: 0, open: 0, isHeld: false },
    ]);
  });

  promise("frees what a node holds when it releases it, with the outcomes so far", async ({ store }) => {
    const some = batch({ leaseTo: "n1" });
    const theirs = batch({ leaseTo: "n2" });
    await store.add([some, theirs]);
    await store.settle({ ...nothing, batches: [codes(some.id, { 1: accepted })] });
    await store.release("n1", []);
    const claim = await store.claim({ ...everything, node: "n3" });
    expect(claim.batches.map(({ id, outcomes }) => ({ id, outcomes }))).toEqual([
      { id: some.id, outcomes: Uint8Array.of(open, accepted, open) },
    ]);
  });

  promise(
    "frees what a node held whose lease has run out, and tells it and the one that inherits",
    async ({ store }) => {
      expect(await store.heartbeat("dead", -1)).toBe("held");
      const theirs = batch({ leaseTo: "dead" });
      await store.add([theirs]);
      expect((await store.claim(everything)).batches).toEqual([]);
      expect(await store.heartbeat("alive", 60_000)).toBe("inherited");
      expect((await store.claim({ ...everything, node: "alive" })).batches.map(({ id }) => id)).toEqual([
        theirs.id,
      ]);
      expect(await store.heartbeat("dead", 60_000)).toBe("lost");
      expect(await store.heartbeat("dead", 60_000)).toBe("held");
      expect(await store.heartbeat("alive", 60_000)).toBe("held");
      // Nobody's lease has run out now.
      await store.add([batch({ leaseTo: "dead" })]);
      await store.heartbeat("alive", 60_000);
      expect((await store.claim({ ...everything, node: "alive" })).batches).toEqual([]);
    },
  );

  promise("keeps in doubt, until it is settled, what a node held that is dead", async (subject) => {
    const held = batch({ leaseTo: "dead", count: 2 });
    const free = batch({ count: 1 });
    await subject.store.heartbeat("dead", -1);
    await subject.store.add([held, free]);
    await subject.store.heartbeat("n1", 60_000);
    const doubts = async () =>
      (await subject.store.claim(everything)).batches.map(({ id, isInDoubt }) => [id, isInDoubt]);
    expect(await doubts()).toEqual([
      [held.id, true],
      [free.id, false],
    ]);
    await subject.store.release("n1", []);
    await subject.reopen();
    expect(await doubts()).toEqual([
      [held.id, true],
      [free.id, false],
    ]);
    expect(await subject.store.find(held.id, [])).toMatchObject({ isInDoubt: true });
    // A store that is opened anew finds its nodes dead.
    await subject.reopen();
    expect(await subject.store.find(free.id, [])).toMatchObject({ isInDoubt: true });
  });

  promise(
    "keeps in doubt what a node says so of when it lets go, and only what it holds",
    async ({ store }) => {
      const some = batch({ leaseTo: "n1", count: 1 });
      const sure = batch({ leaseTo: "n1", count: 1 });
      const theirs = batch({ leaseTo: "n2", count: 1 });
      await store.add([some, sure, theirs]);
      await store.release("n1", [some.id, theirs.id]);
      expect(await store.find(some.id, [])).toMatchObject({ isInDoubt: true });
      expect(await store.find(sure.id, [])).toMatchObject({ isInDoubt: false });
      expect(await store.find(theirs.id, [])).toMatchObject({ isInDoubt: false });
      const cancel = (isInDoubt: boolean) =>
        store.cancel({
          ...{ batch: some.id, place: 0, isInDoubt, atMs: 5_000, note: note(some.id, 0, "cancelled") },
        });
      // Who looked before it came into doubt has to look again.
      expect(await cancel(false)).toEqual({ kind: "held" });
      expect(await cancel(true)).toEqual({ kind: "cancelled", open: 0 });
    },
  );

  promise("never takes a node's own batches from it because its sign of life was late", async ({ store }) => {
    await store.heartbeat("late", -1);
    await store.add([batch({ leaseTo: "late" })]);
    expect(await store.heartbeat("late", 60_000)).toBe("held");
    await store.heartbeat("other", 60_000);
    expect((await store.claim({ ...everything, node: "other" })).batches).toEqual([]);
  });

  promise("sums up what is open by queue, whoever holds it", async ({ store }) => {
    expect(await store.summarize()).toEqual([]);
    const other = { ...queue, lane: "urgent" };
    const held = batch({ leaseTo: "n1", bytes: 50, dueAtMs: 1 });
    const free = batch({ bytes: 60, dueAtMs: 7_000 });
    const settled = batch({ count: 1, dueAtMs: 1 });
    await store.add([held, free, settled, batch({ dueAtMs: 6_000 }), batch({ queue: other, count: 10 })]);
    await store.settle({
      ...nothing,
      batches: [codes(held.id, { 0: accepted }), codes(settled.id, { 0: accepted })],
    });
    const summaries = [...(await store.summarize())].sort((a, b) => a.queue.lane.localeCompare(b.queue.lane));
    expect(summaries).toEqual([
      { queue, notifications: 8, bodyBytes: 210, nextDueAtMs: 6_000 },
      { queue: other, notifications: 10, bodyBytes: 100, nextDueAtMs: 1_000 },
    ]);
  });

  promise("finds the newest notification of an app that bears a caller's own id", async ({ store }) => {
    const ownIds = [
      { place: 0, apnsId: "mine" },
      { place: 2, apnsId: "twice" },
      { place: 1, apnsId: "twice" },
    ];
    const first = batch({ ownIds });
    const second = batch({ ownIds: [{ place: 1, apnsId: "mine" }], queue: { ...queue, lane: "bulk" } });
    const others = batch({ ownIds: [{ place: 0, apnsId: "mine" }], queue: { ...queue, app: "other" } });
    await store.add([first]);
    expect(await store.findOwnId("demo", "mine")).toEqual({ batch: first.id, place: 0 });
    expect(await store.findOwnId("demo", "twice")).toEqual({ batch: first.id, place: 2 });
    await store.add([second, others]);
    expect(await store.findOwnId("demo", "mine")).toEqual({ batch: second.id, place: 1 });
    expect(await store.findOwnId("other", "mine")).toEqual({ batch: others.id, place: 0 });
    expect(await store.findOwnId("demo", "nobody's")).toBeUndefined();
    expect(await store.findOwnId("nobody", "mine")).toBeUndefined();
  });

  promise("purges bodies first and records later, of settled batches only", async ({ store }) => {
    const settled = batch({ count: 1, ownIds: [{ place: 0, apnsId: "mine" }] });
    const half = batch({ count: 2 });
    await store.add([settled, half]);
    await store.settle({
      ...nothing,
      atMs: 2_000,
      batches: [codes(settled.id, { 0: noted }), codes(half.id, { 0: accepted })],
      notes: [note(settled.id, 0, "rejected", { reason: "BadTopic" })],
    });
    const purge = (bodiesBeforeMs: number, recordsBeforeMs: number) =>
      store.purge({ bodiesBeforeMs, recordsBeforeMs, limit: 10 });
    expect(await purge(2_000, 2_000)).toEqual({ bodies: 0, records: 0 });
    expect(await purge(2_001, 2_000)).toEqual({ bodies: 1, records: 0 });
    const found = await store.find(settled.id, [0]);
    expect(found?.body).toBeUndefined();
    expect(found?.notes.get(0)?.reason).toBe("BadTopic");
    expect(await purge(2_001, 2_001)).toEqual({ bodies: 0, records: 1 });
    expect(await store.find(settled.id, [0])).toBeUndefined();
    expect(await store.findOwnId("demo", "mine")).toBeUndefined();
    expect(await purge(farFutureMs, farFutureMs)).toEqual({ bodies: 0, records: 0 });
    expect((await store.find(half.id, []))?.body).toBeDefined();
  });

  promise("keeps the record of a notification that is still being tried again", async ({ store }) => {
    const original = batch({ count: 1 });
    await store.add([original]);
    const retry = batch({ kind: "retry", count: 1 });
    await store.settle({
      ...nothing,
      batches: [codes(original.id, { 0: noted })],
      notes: [note(original.id, 0, "queued")],
      retries: [retry],
    });
    const purge = () => store.purge({ bodiesBeforeMs: farFutureMs, recordsBeforeMs: farFutureMs, limit: 10 });
    expect(await purge()).toEqual({ bodies: 1, records: 0 });
    await store.settle({
      ...nothing,
      batches: [codes(retry.id, { 0: noted })],
      notes: [note(original.id, 0, "accepted")],
    });
    expect(await purge()).toEqual({ bodies: 0, records: 1 });
  });

  promise("purges no more at once than it may", async ({ store }) => {
    const batches = Array.from({ length: 5 }, () => batch({ count: 1 }));
    await store.add(batches);
    await store.settle({ ...nothing, batches: batches.map(({ id }) => codes(id, { 0: accepted })) });
    const purge = { bodiesBeforeMs: farFutureMs, recordsBeforeMs: 0, limit: 2 };
    const gone: number[] = [];
    for (let round = 0; round < 4; round += 1) gone.push((await store.purge(purge)).bodies);
    expect(gone).toEqual([2, 2, 1, 0]);
  });

  promise("remembers a request's key with what the request brought, or neither", async (subject) => {
    const { store } = subject;
    const one = { app: "demo", key: "k", record: "first", atMs: 1_000 };
    const brought = batch();
    await store.add([brought], [one]);
    expect(await store.findRequestKey("demo", "k")).toEqual({ record: "first", atMs: 1_000, revision: 0 });
    expect(await store.findRequestKey("demo", "K")).toBeUndefined();
    expect(await store.findRequestKey("other", "k")).toBeUndefined();
    const late = batch();
    for (const key of [one, { ...one, replaces: 1 }, { ...one, key: "unknown", replaces: 0 }])
      await expect(store.add([late], [{ ...one, key: "new" }, key])).rejects.toMatchObject({
        name: "RequestKeyTakenError",
      });
    expect(await store.find(late.id, [])).toBeUndefined();
    expect(await store.findRequestKey("demo", "new")).toBeUndefined();
    await store.add([], [{ ...one, record: "second", atMs: 3_000, replaces: 0 }]);
    await store.add([late], [{ ...one, app: "other" }]);
    await subject.reopen();
    const { store: reopened } = subject;
    expect(await reopened.findRequestKey("demo", "k")).toEqual({
      ...{ record: "second", atMs: 3_000, revision: 1 },
    });
    expect((await reopened.findRequestKey("other", "k"))?.record).toBe("first");
  });

  promise("gives a key to one of two requests that come at the same time", async ({ store }) => {
    const key = { app: "demo", key: "k", record: "", atMs: 1_000 };
    const [first, second] = [batch(), batch()];
    const results = await Promise.allSettled([store.add([first], [key]), store.add([second], [key])]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await store.find(second.id, [])).toBeUndefined();
  });

  promise("forgets old request keys in small steps", async ({ store }) => {
    const keys = [1, 2, 3, 4].map((at) => ({ app: "demo", key: `${at}`, record: "", atMs: at * 1_000 }));
    await store.add([], keys);
    expect(await store.purgeRequestKeys(3_000, 1)).toBe(1);
    expect(await store.findRequestKey("demo", "1")).toBeUndefined();
    expect(await store.purgeRequestKeys(3_000, 10)).toBe(1);
    expect(await store.purgeRequestKeys(3_000, 10)).toBe(0);
    expect(await store.findRequestKey("demo", "3")).toBeDefined();
    await store.add([], [{ app: "demo", key: "1", record: "again", atMs: 9_000 }]);
    expect((await store.findRequestKey("demo", "1"))?.revision).toBe(0);
  });

  promise(
    "goes through the batches of an app, the newest id first, and looks at so many at a time",
    async ({ store }) => {
      const retry = batch({ kind: "retry" });
      const theirs = batch({ queue: { ...queue, app: "other" } });
      const [first, second, third] = [
        batch({ storedAtMs: 7_000 }),
        batch({ queue: { ...queue, lane: "bulk" } }),
        batch(),
      ];
      // Stored in another order than that of their ids.
      await store.add([third, theirs, first, retry, second]);
      await store.settle({ ...nothing, batches: [codes(second.id, { 1: accepted })] });
      const list = (before: string | undefined, limit: number, from?: string) =>
        store.listBatches({
          ...{ app: "demo", limit },
          ...(before === undefined ? {} : { before }),
          ...(from === undefined ? {} : { from }),
        });
      const all = await list(undefined, 10);
      expect(all.batches.map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
      expect(all.batches.slice(1)).toEqual([
        { id: second.id, count: 3, storedAtMs: 1_000, outcomes: Uint8Array.of(open, accepted, open) },
        { id: first.id, count: 3, storedAtMs: 7_000, outcomes: undefined },
      ]);
      expect(all.last).toBeUndefined();
      const page = await list(undefined, 2);
      expect(page).toMatchObject({ batches: [{ id: third.id }, { id: second.id }], last: second.id });
      expect(await list(page.last, 2)).toMatchObject({ batches: [{ id: first.id }], last: theirs.id });
      expect(await list(theirs.id, 1)).toEqual({ batches: [], last: retry.id });
      expect(await list(retry.id, 1)).toEqual({ batches: [], last: undefined });
      expect((await list(`${second.id}~`, 1)).batches.map(({ id }) => id)).toEqual([second.id]);
      expect((await list(undefined, 10, second.id)).batches.map(({ id }) => id)).toEqual([
        third.id,
        second.id,
      ]);
    },
  );

  promise("lets nothing wait longer because the clock was set back", async ({ store }) => {
    const atOnce = batch({ storedAtMs: 9_000, dueAtMs: 9_000 });
    const retry = batch({ storedAtMs: 9_000, dueAtMs: 9_300, kind: "retry" });
    const forLater = batch({ storedAtMs: 9_000, dueAtMs: 12_000 });
    const before = batch({ storedAtMs: 4_000, dueAtMs: 4_000 });
    const held = batch({ storedAtMs: 9_000, dueAtMs: 9_000, leaseTo: "n9" });
    await store.add([atOnce, retry, forLater, before, held]);
    expect(await store.clockWentBack(5_000)).toBe(2);
    const claim = await store.claim({ ...everything, dueAtMs: 5_300 });
    expect(claim.batches.map(({ id, dueAtMs }) => [id, dueAtMs])).toEqual([
      [before.id, 4_000],
      [atOnce.id, 5_000],
      [retry.id, 5_300],
    ]);
    expect(claim.nextDueAtMs).toBe(12_000);
  });

  promise("keeps which apps are paused, since when and why, over a new start", async (subject) => {
    expect(await subject.store.pausedApps()).toEqual([]);
    await subject.store.pauseApp({ app: "b", sinceMs: 5_000, reason: "wrong key" });
    await subject.store.pauseApp({ app: "a", sinceMs: 6_000 });
    await subject.store.pauseApp({ app: "b", sinceMs: 9_000, reason: "a new key is on its way" });
    await subject.store.pauseApp({ app: "c", sinceMs: 7_000 });
    await subject.store.resumeApp("c");
    await subject.store.resumeApp("nobody");
    const paused = [
      { app: "a", sinceMs: 6_000 },
      { app: "b", sinceMs: 5_000, reason: "a new key is on its way" },
    ];
    expect(await subject.store.pausedApps()).toEqual(paused);
    await subject.reopen();
    expect(await subject.store.pausedApps()).toEqual(paused);
  });

  promise("answers calls that come together as if they had come one by one", async ({ store }) => {
    const some = batch({ count: 1 });
    const [, claim, settled, found] = await Promise.all([
      store.add([some]),
      store.claim(everything),
      store.settle({ ...nothing, batches: [codes(some.id, { 0: accepted })] }),
      store.find(some.id, []),
    ]);
    expect(claim.batches.map(({ id }) => id)).toEqual([some.id]);
    expect(settled).toEqual([{ settled: 1, open: 0, isHeld: true }]);
    expect(found?.outcomes).toEqual(Uint8Array.of(accepted));
  });

  promise("answers what was asked before it is closed, and refuses what comes after", async ({ store }) => {
    const some = batch();
    const added = store.add([some]);
    const closed = store.close();
    await added;
    await closed;
    await expect(store.find(some.id, [])).rejects.toThrow(/closed/);
    await store.close();
  });
}
