import { expect, test } from "vitest";
import type { WithStore } from "./store-cases.test-support.ts";

/** What every store must do with readers of feedback. */
export function feedbackReaderCases(withStore: WithStore): void {
  test("feedback readers: each app and environment has a cursor that goes forward only, also over a restart", () =>
    withStore(async (subject) => {
      const { store } = subject;
      expect(await store.feedbackReadUpTo("demo", "sandbox")).toBe(0);
      await store.markFeedbackRead("demo", "sandbox", 7);
      await store.markFeedbackRead("demo", "sandbox", 5);
      await store.markFeedbackRead("demo", "production", 2);
      await subject.reopen();
      const cursors = ["sandbox", "production", "other"].map((environment) =>
        subject.store.feedbackReadUpTo("demo", environment),
      );
      expect(await Promise.all(cursors)).toEqual([7, 2, 0]);
    }));
}
