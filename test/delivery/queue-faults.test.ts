/** What becomes of the queue when `carillon serve` ends, by a signal or by a kill. */
import { type Push, type Simulator, startSimulator } from "@carillon/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cleanUp, type RunningCommand, start } from "../support/command-line.ts";
import { deviceToken } from "../support/sending.ts";
import { addressOf, makeSite } from "./support/site.ts";

let apple: Simulator;
beforeEach(async () => {
  apple = await startSimulator();
});
afterEach(async () => {
  await cleanUp();
  await apple.close();
});

const options = { timeout: 90_000 };

/** Posts one notification to so many devices and says under which ids they were taken. */
async function submit(server: RunningCommand, count: number): Promise<readonly string[]> {
  const { url, key } = await addressOf(server);
  const tokens = Array.from({ length: count }, (_, index) => deviceToken(index));
  const response = await fetch(`${url}/v1/apps/demo/notifications`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ to: { tokens }, alert: "Hello" }),
  });
  expect(response.status).toBe(202);
  const { results } = (await response.json()) as { results: { id: string }[] };
  return results.map(({ id }) => id);
}

async function reached(count: number): Promise<readonly Push[]> {
  return apple.history.waitFor({ count, timeoutMs: 30_000 });
}

function idsOf(pushes: readonly Push[]): Set<string> {
  return new Set(pushes.map(({ apnsId }) => apnsId.toLowerCase()));
}

test(
  "row 22: SIGTERM with 10,000 queued ends in time, and a new start sends the rest, each once",
  options,
  async () => {
    apple.setScenario({ rules: { do: { answer: { delayMs: 100 } } } });
    const folder = makeSite(apple);
    const first = start(["serve"], { folder });
    const ids = await submit(first, 10_000);
    await reached(500);
    first.signal("SIGTERM");
    expect((await first.ended()).status).toBe(0);
    const sentByFirst = apple.history.pushes.length;
    expect(sentByFirst).toBeLessThan(10_000);

    apple.setScenario({ rules: [] });
    const second = start(["serve"], { folder });
    await addressOf(second);
    await reached(10_000);
    second.signal("SIGTERM");
    expect((await second.ended()).status).toBe(0);
    expect(apple.history.pushes.length).toBe(10_000);
    expect(idsOf(apple.history.pushes)).toEqual(new Set(ids));
  },
);

test(
  "row 85: what a killed gateway held in its hands is taken up by the next start at once",
  options,
  async () => {
    // The first is answered, which lifts the limit of one stream; as many others as may be are under way when the gateway
    // dies, and it holds the batch of all.
    apple.setScenario({ rules: { when: { request: { from: 2 } }, do: "silence" } });
    const folder = makeSite(apple);
    const first = start(["serve"], { folder });
    const ids = await submit(first, 1_000);
    await expect
      .poll(() => apple.connections.all.reduce((sum, { requests }) => sum + requests, 0), { timeout: 30_000 })
      .toBeGreaterThan(50);
    first.signal("SIGKILL");
    await first.ended();

    apple.setScenario({ rules: [] });
    const second = start(["serve"], { folder });
    await addressOf(second);
    expect(idsOf(await reached(1_000))).toEqual(new Set(ids));
  },
);

test("row 89: 2,000 calls share one connection to Apple", options, async () => {
  const folder = makeSite(apple);
  const server = start(["serve"], { folder });
  const { url, key } = await addressOf(server);
  for (let from = 0; from < 2_000; from += 50)
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const response = await fetch(`${url}/v1/apps/demo/notifications`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ to: { token: deviceToken(from + index) }, alert: "Hello" }),
        });
        expect(response.status).toBe(202);
        await response.arrayBuffer();
      }),
    );
  await reached(2_000);
  expect(apple.connections.all.length).toBe(1);
});
