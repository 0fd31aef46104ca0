import { expect, test } from "vitest";
import type { Heartbeat, Store } from "../store/index.ts";
import { ManualClock } from "./bench.test-support.ts";
import { Housekeeping } from "./housekeeping.ts";

/** Housekeeping over a store that answers as the test says. */
function open(answers: Partial<Store> = {}) {
  const clock = new ManualClock();
  const startMs = clock.now();
  const calls: string[] = [];
  const log: string[] = [];
  const note = (_fields: object, message: string): void => void log.push(message);
  const store = {
    async heartbeat(node: string, leaseMs: number) {
      calls.push(`heartbeat ${node} ${leaseMs} at ${clock.monotonic()}`);
      return "held";
    },
    async purge() {
      calls.push(`purge at ${clock.monotonic()}`);
      return { bodies: 0, records: 0 };
    },
    async purgeRequestKeys() {
      return 0;
    },
    async purgeVerdicts() {
      return 0;
    },
    async purgeEnvironments() {
      return 0;
    },
    async clockWentBack(nowMs: number) {
      calls.push(`clock ${nowMs - startMs}`);
      return 0;
    },
    ...answers,
  } as Store;
  const told: string[] = [];
  const housekeeping = new Housekeeping({
    ...{ store, clock, node: "n", leaseMs: 30_000, logger: { info: note, warn: note, error: note } },
    retention: { bodiesMs: 1_000, recordsMs: 10_000, requestKeysMs: 5_000, verdictsMs: 7_000 },
    lost: () => told.push("lost"),
    inherited: async () => void told.push("inherited"),
    look: async () => {},
    clockWentBack: () => told.push("clock"),
  });
  return { clock, calls, log, told, housekeeping };
}

const is = (word: string) => (call: string) => call.startsWith(word);

test("announces the node, then shows signs of life three times in the length of a lease", async () => {
  const { clock, calls, housekeeping } = open();
  await housekeeping.start();
  await clock.pass(30_000);
  expect(calls.filter(is("heartbeat"))).toEqual(
    [0, 10_000, 20_000, 30_000].map((atMs) => `heartbeat n 30000 at ${atMs}`),
  );
});

test("does not start on a store that does not work", async () => {
  const { housekeeping } = open({ heartbeat: () => Promise.reject(new Error("no")) });
  await expect(housekeeping.start()).rejects.toThrow("no");
});

test("tells when the node or another one was taken for dead, and goes on after an error", async () => {
  const answers: (() => Promise<Heartbeat>)[] = [
    async () => "held",
    async () => "lost",
    () => Promise.reject(new Error("busy")),
    async () => "lost",
    async () => "inherited",
  ];
  const { clock, told, log, housekeeping } = open({
    heartbeat: () => (answers.shift() ?? answers[0] ?? fail)(),
  });
  await housekeeping.start();
  await clock.pass(10_000);
  expect(told).toEqual(["lost"]);
  await clock.pass(10_000);
  expect(log).toContain("the leases could not be renewed");
  await clock.pass(10_000);
  expect(told).toEqual(["lost", "lost"]);
  await clock.pass(10_000);
  expect(told).toEqual(["lost", "lost", "inherited"]);
});

test("purges in small steps while there is more, then once a minute, by what is kept how long", async () => {
  const gone = [
    { bodies: 100, records: 0 },
    { bodies: 3, records: 100 },
    { bodies: 3, records: 99 },
  ];
  const requests: unknown[] = [];
  const { clock, housekeeping } = open({
    async purge(request) {
      requests.push({ ...request, atMs: clock.monotonic() });
      return gone.shift() ?? { bodies: 0, records: 0 };
    },
  });
  const startMs = clock.now();
  await housekeeping.start();
  await clock.pass(60_200);
  expect(requests).toEqual(
    [50, 100, 150, 60_150].map((atMs) => ({
      bodiesBeforeMs: startMs + atMs - 1_000,
      recordsBeforeMs: startMs + atMs - 10_000,
      limit: 100,
      atMs,
    })),
  );
});

test("forgets old request keys in steps of their own", async () => {
  const gone = [500, 7];
  const requests: [number, number, number][] = [];
  const { clock, housekeeping } = open({
    async purgeRequestKeys(beforeMs, limit) {
      requests.push([beforeMs, limit, clock.monotonic()]);
      return gone.shift() ?? 0;
    },
  });
  const startMs = clock.now();
  await housekeeping.start();
  await clock.pass(60_150);
  expect(requests).toEqual([50, 100, 60_100].map((atMs) => [startMs + atMs - 5_000, 500, atMs]));
});

test.each(["purgeVerdicts", "purgeEnvironments"])(
  "forgets what was found out about device tokens long ago, in steps of their own: %s",
  async (method) => {
    const gone = [500, 7];
    const requests: [number, number, number][] = [];
    const { clock, housekeeping } = open({
      async [method](beforeMs: number, limit: number) {
        requests.push([beforeMs, limit, clock.monotonic()]);
        return gone.shift() ?? 0;
      },
    });
    const startMs = clock.now();
    await housekeeping.start();
    await clock.pass(60_150);
    expect(requests).toEqual([50, 100, 60_100].map((atMs) => [startMs + atMs - 7_000, 500, atMs]));
  },
);

test("goes on purging after an error", async () => {
  let purges = 0;
  const { clock, log, housekeeping } = open({
    purge() {
      purges += 1;
      return Promise.reject(new Error("full"));
    },
  });
  await housekeeping.start();
  await clock.pass(130_000);
  expect(purges).toBe(3);
  expect(log).toContain("old records could not be purged");
});

test("tells the store of a clock that was set back, at the start and as soon as it is noticed", async () => {
  const { clock, calls, told, housekeeping } = open();
  await housekeeping.start();
  expect(calls.filter(is("clock"))).toEqual(["clock 0"]);
  await clock.pass(15_000);
  clock.jump(-900); // as clocks are set all the time
  await clock.pass(10_000);
  clock.jump(3_600_000);
  await clock.pass(10_000);
  expect(told).toEqual([]);
  clock.jump(-3_600_000);
  await clock.pass(10_000);
  expect(told).toEqual(["clock"]);
  expect(calls.filter(is("clock"))).toEqual(["clock 0", "clock 39100"]);
  await clock.pass(60_000);
  expect(told).toEqual(["clock"]);
});

test("does nothing any more once it is stopped, not even when an answer comes late", async () => {
  let answer: (word: "held") => void = () => {};
  let beats = 0;
  const { clock, calls, housekeeping } = open({
    heartbeat() {
      beats += 1;
      return beats === 1 ? Promise.resolve("held") : new Promise((resolve) => (answer = resolve));
    },
  });
  await housekeeping.start();
  await clock.pass(10_000);
  housekeeping.stop();
  const before = calls.length;
  answer("held");
  await clock.pass(600_000);
  expect([beats, calls.length]).toEqual([2, before]);
});

function fail(): Promise<never> {
  return Promise.reject(new Error("no more answers"));
}
