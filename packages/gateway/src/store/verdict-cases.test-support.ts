import { expect, test } from "vitest";
import type { Store } from "./store.ts";
import type { StoreUnderTest, WithStore } from "./store-cases.test-support.ts";
import type { NewVerdict } from "./verdict-store.ts";

const gone: NewVerdict = {
  app: "demo",
  environment: "sandbox",
  deviceToken: "ab".repeat(32),
  verdict: "gone",
  reason: "Unregistered",
  sinceMs: 1_000,
  notificationId: "n",
};
const suspect: NewVerdict = {
  ...{ app: "demo", environment: "sandbox", deviceToken: gone.deviceToken, notificationId: "n" },
  ...{ verdict: "suspect", reason: "BadDeviceToken" },
};

let made = 0;

/** Settles a batch whose notifications are rejected with these verdicts. */
async function pass(store: Store, verdicts: readonly NewVerdict[], atMs = 2_000): Promise<void> {
  made += 1;
  const batch = `00000000-0000-7000-9000-${made.toString(16).padStart(8, "0")}`;
  const queue = { app: "demo", environment: "sandbox", lane: "normal" };
  const rest = { kind: "original", body: new Uint8Array(1), ownIds: [], dueAtMs: 1, storedAtMs: 1 } as const;
  await store.add([{ id: batch, queue, count: verdicts.length, ...rest }]);
  const notes = verdicts.map((verdict, place) => ({
    ...{ batch, place, verdict },
    status: "rejected",
    attempts: "",
  }));
  await store.settle({ node: "n1", atMs, batches: [], notes, retries: [] });
  // What was noted once says nothing a second time.
  await store.settle({ node: "n1", atMs: atMs + 1, batches: [], notes, retries: [] });
}

async function told(store: Store): Promise<unknown[]> {
  const types = ["token.gone", "token.suspect", "token.restored"];
  const { events } = await store.readEvents({ after: 0, types, limit: 100 });
  return events.map(({ type, data }) => [type, JSON.parse(String(data)).environment]);
}

/** What every store must do with verdicts on device tokens. */
export function verdictCases(withStore: WithStore): void {
  const promise = (name: string, run: (subject: StoreUnderTest) => Promise<void>): void => {
    test(`verdicts: ${name}`, () => withStore(run));
  };

  promise("writes a verdict down with the settlement and tells of it once", async (subject) => {
    await pass(subject.store, [gone]);
    await pass(subject.store, [{ ...gone, sinceMs: 1_500, notificationId: "later" }], 3_000);
    await subject.reopen();
    expect(await subject.store.listVerdicts("demo", 0, 10)).toEqual([
      { ...gone, sinceMs: 1_500, cursor: 2, firstAtMs: 2_000, lastAtMs: 3_000, answers: 2 },
    ]);
    const { events } = await subject.store.readEvents({ after: 0, types: ["token.gone"], limit: 10 });
    expect(events.map(({ data }) => JSON.parse(String(data)))).toEqual([
      {
        ...{ token: gone.deviceToken, environment: "sandbox", reason: "Unregistered", notificationId: "n" },
        since: "1970-01-01T00:00:01.000Z",
      },
    ]);
  });

  promise("writes a verdict down apart from any settlement, just the same", async ({ store }) => {
    await store.passVerdicts([gone, gone], 2_000);
    expect(await store.listVerdicts("demo", 0, 10)).toMatchObject([{ verdict: "gone", answers: 2 }]);
    expect(await told(store)).toEqual([["token.gone", "sandbox"]]);
  });

  promise("makes a suspect token gone, and never the other way round", async ({ store }) => {
    await pass(store, [suspect, gone, suspect]);
    expect(await store.listVerdicts("demo", 0, 10)).toMatchObject([
      { verdict: "gone", answers: 3, sinceMs: 1_000 },
    ]);
    expect(await told(store)).toEqual([
      ["token.suspect", "sandbox"],
      ["token.gone", "sandbox"],
    ]);
  });

  promise("keeps apps and environments apart, and finds what is gone", async ({ store }) => {
    const other = { ...gone, app: "other" };
    const there = { ...suspect, environment: "production" };
    await pass(store, [gone, other, there]);
    const asked = [gone.deviceToken, "00"];
    expect(await store.findGone("demo", "sandbox", asked)).toMatchObject([{ deviceToken: gone.deviceToken }]);
    expect(await store.findGone("demo", "production", asked)).toEqual([]);
    expect(await store.listVerdicts("demo", 0, 1)).toMatchObject([{ environment: "sandbox", cursor: 4 }]);
    expect(await store.listVerdicts("demo", 4, 9)).toMatchObject([{ environment: "production", cursor: 6 }]);
  });

  promise("tells what is held against one device token, in each environment", async ({ store }) => {
    const there = { ...suspect, environment: "production" };
    await pass(store, [gone, there, { ...gone, app: "other" }, { ...gone, deviceToken: "cd" }]);
    expect(await store.verdictsOn("demo", gone.deviceToken)).toMatchObject([
      { environment: "production", verdict: "suspect", cursor: 6 },
      { environment: "sandbox", verdict: "gone", sinceMs: 1_000, cursor: 5 },
    ]);
    expect(await store.verdictsOn("demo", "00")).toEqual([]);
  });

  promise("takes a verdict back for a later sign of life only, and tells of it", async ({ store }) => {
    await pass(store, [gone, { ...suspect, environment: "production" }]);
    const { app, deviceToken } = gone;
    const restore = (goodAtMs?: number, environment?: string): Promise<number> =>
      store.restore(
        [
          {
            app,
            deviceToken,
            cause: "test",
            ...(goodAtMs && { goodAtMs }),
            ...(environment && { environment }),
          },
        ],
        9_000,
      );
    expect(await restore(999)).toBe(0);
    expect(await restore(1_000, "production")).toBe(0);
    expect(await restore(1_000)).toBe(1);
    expect(await store.listVerdicts("demo", 0, 10)).toMatchObject([{ environment: "production" }]);
    expect(await restore()).toBe(1);
    expect(await restore()).toBe(0);
    expect((await told(store)).slice(2)).toEqual([
      ["token.restored", "sandbox"],
      ["token.restored", "production"],
    ]);
    await pass(store, [gone]);
    expect(await store.listVerdicts("demo", 0, 10)).toMatchObject([{ answers: 1 }]);
  });

  promise("forgets what no answer has confirmed for long", async ({ store }) => {
    await pass(store, [gone, { ...gone, deviceToken: "cd" }], 2_000);
    await pass(store, [gone], 5_000);
    expect(await store.purgeVerdicts(3_000, 10)).toBe(1);
    expect(await store.listVerdicts("demo", 0, 10)).toMatchObject([{ deviceToken: gone.deviceToken }]);
  });
}
