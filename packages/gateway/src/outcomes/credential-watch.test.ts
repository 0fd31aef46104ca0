import { afterEach, expect, test } from "vitest";
import { ManualClock, rest } from "../delivery/bench.test-support.ts";
import { openMemoryStore } from "../store/memory-store.test-support.ts";
import { CredentialWatch, type WatchedCertificate } from "./credential-watch.ts";

const dayMs = 86_400_000;
const started: CredentialWatch[] = [];
afterEach(() => {
  for (const watch of started.splice(0)) watch.close();
});

/** What is told of certificates that end so many days from now. */
function open(endsAfterDays: Readonly<Record<string, number>>) {
  const clock = new ManualClock();
  const store = openMemoryStore(() => clock.now());
  const certificates = Object.entries(endsAfterDays).map(
    ([app, days]): WatchedCertificate => ({ app, validUntilMs: clock.now() + days * dayMs }),
  );
  const logger = { warn: () => undefined };
  return {
    ...{ clock, store, certificates },
    async start(watched: readonly WatchedCertificate[] = certificates): Promise<CredentialWatch> {
      const watch = new CredentialWatch({ store, clock, logger, certificates: watched });
      started.push(watch);
      await rest();
      return watch;
    },
    async told(): Promise<[string, number][]> {
      const found: [string, number][] = [];
      // One look goes over 10,000 events.
      for (const after of [0, 10_000, 20_000]) {
        const { events } = await store.readEvents({ after, types: ["credential.expiring"], limit: 100 });
        found.push(...events.map(({ app, data }): [string, number] => [app, JSON.parse(String(data)).days]));
      }
      return found;
    },
  };
}

test("the end of a certificate is told 30 days, 7 days and one day before, once each", async () => {
  const { clock, start, told, store, certificates } = open({ demo: 40 });
  await start();
  const seen: [number, number][] = [];
  for (let day = 1; day <= 45; day += 1) {
    await clock.pass(dayMs);
    for (const [, days] of (await told()).slice(seen.length)) seen.push([day, days]);
  }
  expect(seen).toEqual([
    [10, 30],
    [33, 7],
    [39, 1],
  ]);
  const [event] = (await store.readEvents({ after: 0, types: ["credential.expiring"], limit: 1 })).events;
  expect(JSON.parse(String(event?.data))).toEqual({
    expiresAt: new Date(certificates[0]?.validUntilMs ?? 0).toISOString(),
    ...{ days: 30, fault: "credential" },
    ...{ means: expect.stringMatching(/\.$/), remedy: expect.stringMatching(/\.$/) },
  });
});

test("a new start tells nothing twice, and the latest stage only", async () => {
  const { clock, start, told, store } = open({ demo: 5, other: 20, far: 31, over: -1 });
  (await start()).close();
  expect(await told()).toEqual([
    ["demo", 7],
    ["other", 30],
  ]);
  // Farther back than one look into the log goes.
  for (let step = 0; step < 25; step += 1)
    await store.appendEvents(
      Array.from({ length: 1_000 }, () => ({ app: "demo", type: "apple.degraded", data: "{}" })),
      clock.now(),
    );
  await start();
  await clock.pass(3 * 3_600_000);
  expect(await told()).toHaveLength(2);
});

test("a renewed certificate is told of anew", async () => {
  const { clock, start, told, certificates } = open({ demo: 5 });
  (await start()).close();
  await start(certificates.map(({ app }) => ({ app, validUntilMs: clock.now() + 6 * dayMs })));
  expect(await told()).toEqual([
    ["demo", 7],
    ["demo", 7],
  ]);
});

test("what could not be written down is told an hour later", async () => {
  const { clock, store, start, told } = open({ demo: 5 });
  const { appendEvents } = store;
  store.appendEvents = () => Promise.reject(new Error("full"));
  await start();
  store.appendEvents = appendEvents;
  expect(await told()).toEqual([]);
  await clock.pass(3_600_000);
  expect(await told()).toEqual([["demo", 7]]);
});
