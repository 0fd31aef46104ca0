import { expect, test } from "vitest";
import type { Note, Store } from "./store.ts";
import type { StoreUnderTest, WithStore } from "./store-cases.test-support.ts";
import type { FoundToken } from "./token-environments.ts";

const found: FoundToken = { app: "demo", deviceToken: "ab".repeat(32), environment: "production" };
const tokens = [found.deviceToken, "00"];

let made = 0;

/** Settles a batch in the sandbox whose notifications were accepted at the second try, elsewhere. */
async function settle(
  store: Store,
  places: readonly (FoundToken | undefined)[],
  atMs = 2_000,
): Promise<string> {
  made += 1;
  const batch = `00000000-0000-7000-a000-${made.toString(16).padStart(8, "0")}`;
  const queue = { app: "demo", environment: "sandbox", lane: "normal" };
  const rest = { kind: "original", body: new Uint8Array(1), ownIds: [], dueAtMs: 1, storedAtMs: 1 } as const;
  await store.add([{ id: batch, queue, count: places.length, ...rest }]);
  const notes = places.map(
    (each, place): Note => ({
      ...{ batch, place, status: "accepted", attempts: "" },
      ...(each === undefined ? {} : { found: each }),
    }),
  );
  await store.settle({ node: "n1", atMs, batches: [], notes, retries: [] });
  return batch;
}

/** What every store must do with the environments of device tokens. */
export function tokenEnvironmentCases(withStore: WithStore): void {
  const promise = (name: string, run: (subject: StoreUnderTest) => Promise<void>): void => {
    test(`environments: ${name}`, () => withStore(run));
  };

  promise("remembers with the settlement where a device token was found, over a restart", async (subject) => {
    await settle(subject.store, [found]);
    await subject.reopen();
    expect(await subject.store.findEnvironments("demo", tokens)).toEqual([found]);
    expect(await subject.store.findEnvironments("other", tokens)).toEqual([]);
  });

  promise("the latest word counts", async ({ store }) => {
    await settle(store, [found]);
    await settle(store, [{ ...found, environment: "sandbox" }]);
    expect(await store.findEnvironments("demo", tokens)).toMatchObject([{ environment: "sandbox" }]);
  });

  promise("learns nothing from a note that does not count", async ({ store }) => {
    const batch = await settle(store, [undefined]);
    const note = { batch, place: 0, status: "accepted", attempts: "", found };
    await store.settle({ node: "n1", atMs: 2_000, batches: [], notes: [note], retries: [] });
    expect(await store.findEnvironments("demo", tokens)).toEqual([]);
  });

  promise("tells of what was accepted where it was, in runs of their own", async ({ store }) => {
    await settle(store, [found, undefined, found, undefined]);
    const { events } = await store.readEvents({ after: 0, types: ["notification.accepted"], limit: 9 });
    expect(events.map(({ data }) => data)).toMatchObject([
      { environment: "production", stretches: Uint16Array.of(0, 0, 2, 2) },
      { environment: "sandbox", stretches: Uint16Array.of(1, 1, 3, 3) },
    ]);
  });

  promise("forgets what is old, a part at a time", async ({ store }) => {
    const old = ["01", "02", "03"].map((deviceToken) => ({ ...found, deviceToken }));
    await settle(store, old, 2_000);
    await settle(store, [found], 5_000);
    expect(await store.purgeEnvironments(3_000, 2)).toBe(2);
    expect(await store.purgeEnvironments(3_000, 2)).toBe(1);
    expect(await store.purgeEnvironments(3_000, 2)).toBe(0);
    expect(await store.findEnvironments("demo", ["01", "02", "03", ...tokens])).toEqual([found]);
  });
}
