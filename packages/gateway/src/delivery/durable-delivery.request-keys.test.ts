import { expect, test } from "vitest";
import { draft, openBench, rest } from "./bench.test-support.ts";
import { defaults } from "./open-delivery.ts";

const remembering = (record = "what was answered") => ({ key: "k", record: () => record });

test("what is remembered under a key is there exactly when the notifications are, also after a kill", async () => {
  const { delivery, held, store, restart } = await openBench({});
  let isAnswered = false;
  held.hold("add");
  const submitted = delivery.submit("demo", [draft()], remembering()).then(
    () => {
      isAnswered = true;
    },
    () => undefined,
  );
  await rest();
  expect(await store.findRequestKey("demo", "k")).toBeUndefined();
  held.fault = "failed";
  // Killed before the commit: neither is there, and the same request is taken as a new one.
  const second = await restart();
  expect(await second.recall("demo", "k")).toBeUndefined();
  expect(isAnswered).toBe(false);
  const ids = await second.submit("demo", [draft()], { key: "k", record: (ids) => ids.list().join() });
  const third = await restart();
  expect(await third.recall("demo", "k")).toEqual({ record: ids.join(), revision: 0 });
  expect(await third.find("demo", ids[0] ?? "")).toMatchObject({ status: "queued" });
  void submitted;
});

test("a commit that fails leaves nothing remembered", async () => {
  const { delivery, held, store } = await openBench({});
  held.fault = "full";
  await expect(delivery.submit("demo", [draft()], remembering())).rejects.toThrow(/full/);
  expect(await store.findRequestKey("demo", "k")).toBeUndefined();
  held.fault = undefined;
  await delivery.submit("demo", [draft()], remembering());
  expect(await delivery.recall("demo", "k")).toBeDefined();
});

test("when another gateway takes the same key meanwhile, nothing is stored and the caller is asked to come again", async () => {
  const { delivery, store } = await openBench({});
  await store.add([], [{ app: "demo", key: "k", record: "theirs", atMs: 0 }]);
  const both = await Promise.allSettled([
    delivery.submit("demo", [draft()], remembering()),
    delivery.submit("demo", [draft()]),
  ]);
  expect(both).toMatchObject([
    { status: "rejected", reason: { name: "QueueFullError", retryAfterSeconds: 1 } },
    { status: "rejected", reason: { name: "QueueFullError", retryAfterSeconds: 1 } },
  ]);
  expect(delivery.health.queued).toBe(0);
  expect(await store.summarize()).toEqual([]);
});

test("nothing may be submitted and only remembered", async () => {
  const { delivery } = await openBench({});
  expect(await delivery.submit("demo", [], remembering("a"))).toEqual([]);
  expect(await delivery.submit("demo", [], { ...remembering("b"), replaces: 0 })).toEqual([]);
  expect(await delivery.recall("demo", "k")).toEqual({ record: "b", revision: 1 });
});

test("what is older than a day is no longer known, and its key may be used again before it is purged", async () => {
  const { delivery, clock } = await openBench({
    retention: { ...defaults.retention, requestKeysMs: 30_000 },
  });
  await delivery.submit("demo", [draft()], remembering());
  await clock.pass(30_000);
  expect(await delivery.recall("demo", "k")).toEqual({ record: "what was answered", revision: 0 });
  await clock.pass(1);
  expect(await delivery.recall("demo", "k")).toEqual({ record: undefined, revision: 0 });
  await delivery.submit("demo", [draft()], { ...remembering("anew"), replaces: 0 });
  expect(await delivery.recall("demo", "k")).toEqual({ record: "anew", revision: 1 });
  await clock.pass(100_000);
  expect(await delivery.recall("demo", "k")).toBeUndefined();
});
