import { expect, test } from "vitest";
import { draft } from "./bench.test-support.ts";
import { tellRegistrations } from "./registrations.ts";
import { silentTeller } from "./route-teller.ts";

test("every device of drafts and runs that say when it registered is told, the others are not", () => {
  const told: unknown[] = [];
  const tellerFor = (environment: string) => ({
    ...silentTeller,
    registered: (deviceToken: string, atMs: number) => void told.push([environment, deviceToken, atMs]),
  });
  const { deviceTokens: _, payload: __, ...shared } = draft({ registeredAtMs: 7, environment: "production" });
  const run = {
    ...{ shared, bytes: Buffer.from("ABcd{}"), recipients: 2, payloadBytes: 2 },
    spans: Uint32Array.of(0, 2, 4, 6, 0, 0, 2, 4, 4, 6, 0, 0),
  };
  const two = draft({ devices: 2, registeredAtMs: 5 });
  tellRegistrations([draft(), two, run], tellerFor);
  expect(told).toEqual([
    ...two.deviceTokens.map((deviceToken) => ["sandbox", deviceToken, 5]),
    ["production", "ab", 7],
    ["production", "cd", 7],
  ]);
});
