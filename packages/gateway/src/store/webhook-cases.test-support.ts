import { expect, test } from "vitest";
import type { StoreUnderTest, WithStore } from "./store-cases.test-support.ts";
import type { StoredWebhook } from "./webhook-store.ts";

const one: StoredWebhook = { id: "one", settings: '{"url":"https://one.example"}', progress: "{}" };
const other: StoredWebhook = { id: "other", settings: '{"url":"https://other.example"}', progress: "{}" };

/** What every store must do for the endpoints of webhooks. */
export function webhookCases(withStore: WithStore): void {
  const promise = (name: string, run: (subject: StoreUnderTest) => Promise<void>): void => {
    test(`webhooks: ${name}`, () => withStore(run));
  };

  promise("keeps endpoints in the order in which they came, also after a restart", async (subject) => {
    expect(await subject.store.listWebhooks()).toEqual([]);
    await subject.store.addWebhook(other);
    await subject.store.addWebhook(one);
    await expect(subject.store.addWebhook(one)).rejects.toThrow();
    await subject.reopen();
    expect(await subject.store.listWebhooks()).toEqual([other, one]);
  });

  promise("changes what it is told to and leaves the rest", async ({ store }) => {
    await store.addWebhook(one);
    await store.addWebhook(other);
    expect(await store.changeWebhook({ id: "one", progress: "p1", keepAttempts: 2 })).toBe(true);
    expect(await store.changeWebhook({ id: "one", settings: "s1", keepAttempts: 2 })).toBe(true);
    expect(await store.listWebhooks()).toEqual([{ id: "one", settings: "s1", progress: "p1" }, other]);
  });

  promise("keeps the newest attempts of each endpoint, also after a restart", async (subject) => {
    await subject.store.addWebhook(one);
    await subject.store.addWebhook(other);
    await subject.store.changeWebhook({ id: "other", attempt: "its own", keepAttempts: 2 });
    for (const attempt of ["a", "b", "c"])
      await subject.store.changeWebhook({ id: "one", progress: attempt, attempt, keepAttempts: 2 });
    await subject.reopen();
    expect(await subject.store.listWebhookAttempts("one", 9)).toEqual(["c", "b"]);
    expect(await subject.store.listWebhookAttempts("one", 1)).toEqual(["c"]);
    expect(await subject.store.listWebhookAttempts("other", 9)).toEqual(["its own"]);
    expect(await subject.store.listWebhookAttempts("neither", 9)).toEqual([]);
  });

  promise(
    "forgets an endpoint with its attempts, and takes no change for it after that",
    async ({ store }) => {
      await store.addWebhook(one);
      await store.changeWebhook({ id: "one", attempt: "a", keepAttempts: 2 });
      expect(await store.deleteWebhook("one")).toBe(true);
      expect(await store.deleteWebhook("one")).toBe(false);
      expect(await store.changeWebhook({ id: "one", progress: "p", attempt: "b", keepAttempts: 2 })).toBe(
        false,
      );
      expect(await store.listWebhooks()).toEqual([]);
      await store.addWebhook(one);
      expect(await store.listWebhookAttempts("one", 9)).toEqual([]);
    },
  );
}
