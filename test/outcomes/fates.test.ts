import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ScenarioDocument, type Simulator, startSimulator } from "@carillon/simulator";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";
import { differences } from "./support/differences.ts";
import { LogReader } from "./support/log-reader.ts";
import { RunningGateway } from "./support/running-gateway.ts";
import { deadTokens, Sender } from "./support/sender.ts";

/** CARILLON_FATES=100000 for the long form, CARILLON_SEED to choose the moments and faults of an earlier run. */
const count = Number(process.env.CARILLON_FATES ?? 10_000);
const seed = Number(process.env.CARILLON_SEED ?? Date.now() % 2 ** 31);
const kills = 8 + Math.floor(count / 4_000);
/** Every fourth gateway is killed while it starts, the others within this time after their share was taken. */
const longestStartMs = 400;
const longestAfterMs = 600;
/** Another fault each time that so many more were acknowledged. */
const changeEvery = 150;

type Rule = Exclude<ScenarioDocument["rules"], undefined | readonly unknown[]>;

/** What happens to a push of a device that is there. */
const faults: readonly Rule[][] = [
  [],
  [{ when: { probability: 0.2 }, do: { answer: { reason: "ServiceUnavailable" } } }],
  [{ when: { probability: 0.1 }, do: { answer: { reason: "InternalServerError", delayMs: 200 } } }],
  [{ when: { probability: 0.05 }, do: { answer: { reason: "TooManyRequests" } } }],
  [{ when: { probability: 0.2 }, do: { reset: { code: "refusedStream" } } }],
  [{ when: { request: 50 }, do: { goaway: {} } }],
  // Taken, and the answer is lost.
  [{ when: { probability: 0.02 }, do: [{ silence: { request: "processed" } }, { close: { how: "rst" } }] }],
  [{ when: { probability: 0.02 }, do: [{ silence: { request: "ignored" } }, { close: { how: "rst" } }] }],
  [
    { on: "connect", do: "refuse" },
    { when: { request: 20 }, do: { close: { how: "rst" } } },
  ],
];
const refusals: readonly Rule[] = Object.entries(deadTokens).map(([start, reason]) => ({
  when: { deviceToken: `${start}*` },
  do: { answer: { reason, ...(reason === "Unregistered" ? { timestamp: Date.now() } : {}) } },
}));

const program = fileURLToPath(new URL("../delivery/support/gateway-program.js", import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), "carillon-fates-"));
const children: ChildProcess[] = [];
let apple: Simulator | undefined;
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await apple?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test(`a sender that keeps nothing but a cursor learns the fate of ${count} notifications, under faults of Apple's side and ${kills} kill -9`, {
  timeout: 90_000 + count * 6,
}, async () => {
  const random = seededRandom(seed);
  apple = await startSimulator({ history: { limit: count * 100, limitBytes: 2 ** 32 } });
  const { endpoint, ca, credentials, history } = apple;
  const options = { dataDir, endpoint, ca, credentials: credentials.token };
  const sender = new Sender(random);
  const reader = new LogReader("0");
  let changes = 0;
  const change = (rules: readonly Rule[]): void => {
    changes += 1;
    apple?.setScenario({ seed: 1 + Math.floor(random() * 1e9), rules: [...refusals, ...rules] });
  };
  const changeNowAndThen = (sent: number): void => {
    if (sent > changes * changeEvery) change(faults[Math.floor(random() * faults.length)] ?? []);
  };
  const open = (): ChildProcess => {
    const child = fork(program, [JSON.stringify(options)]);
    children.push(child);
    return child;
  };

  for (let kill = 0; kill < kills; kill++) {
    const child = open();
    const gone = once(child, "exit");
    const killWithin = (ms: number): unknown => setTimeout(() => child.kill("SIGKILL"), random() * ms);
    if (kill % 4 === 3) killWithin(longestStartMs);
    else {
      const gateway = await gatewayIn(child);
      const share = Math.ceil((count * (kill + 1)) / (kills + 1));
      const reading = reader.read(gateway, new AbortController().signal);
      // Some are killed while they take more, the others when they have nothing left but to send.
      await Promise.race([sender.send(gateway, share, changeNowAndThen), reading]);
      const sending = sender.send(gateway, share + 500, changeNowAndThen);
      killWithin(longestAfterMs);
      await Promise.all([sending, reading, gone]);
      gateway.close();
    }
    await gone;
  }

  change([]);
  const gateway = await gatewayIn(open());
  const end = new AbortController();
  const reading = reader.read(gateway, end.signal);
  await sender.send(gateway, count, () => undefined);
  await reader.untilTold(sender.sent.keys());
  end.abort();
  await reading;
  const again = new LogReader("0");
  await again.readPages(gateway);
  gateway.close();

  const fates = new Map<string, number>();
  for (const [fate] of reader.fates.values())
    fates.set(fate?.type ?? "", (fates.get(fate?.type ?? "") ?? 0) + 1);
  process.stdout.write(
    `fates (seed ${seed}): ${sender.sent.size} sent, ${kills} kills, ${changes} changes of Apple's faults, ${history.pushes.length} pushes ` +
      `at Apple's side, ${reader.events.length} events: ${[...fates].map(([type, of]) => `${of} ${type}`).join(", ")}\n`,
  );
  expect(differences(sender.sent, reader.fates, history.pushes).slice(0, 20)).toEqual([]);
  expect(sender.sent.size).toBeGreaterThanOrEqual(count);
  // Nothing was ever written before a cursor that somebody had.
  expect(again.events.length).toBe(reader.events.length);
  expect(again.events).toEqual(reader.events);
  expect(reader.events.map(({ type }) => type)).toContain("token.gone");
  expect([...fates.keys()].sort()).toEqual(expect.arrayContaining(["accepted", "cancelled", "rejected"]));
});

async function gatewayIn(child: ChildProcess): Promise<RunningGateway> {
  const [address] = (await once(child, "message")) as [{ url: string; adminKey: string }];
  return new RunningGateway(address);
}
