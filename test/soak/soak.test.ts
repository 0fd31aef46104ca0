import { expect, test } from "vitest";
import { faults } from "./faults.ts";
import { soak } from "./soak.ts";

/** The short form of `npm run soak`: each fault once. */
test("under every fault in turn nothing acknowledged is lost, and nothing at-most-once is sent twice", {
  timeout: 300_000,
}, async () => {
  const result = await soak({ rounds: faults.length, everyMs: 1_500, perSecond: 200 });
  expect(result).toMatchObject({ lost: [], strangeIds: [], atMostOnceTwice: [] });
  expect(result.acknowledged).toBeGreaterThan(100);
});
