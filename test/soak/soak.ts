import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "@carillon/simulator";
import { addressOf, makeSite } from "../delivery/support/site.ts";
import { cleanUp, type RunningCommand, start } from "../support/command-line.ts";
import { type Fault, faults } from "./faults.ts";
import { type Acknowledged, SteadyLoad } from "./load.ts";

export interface SoakOptions {
  readonly rounds: number;
  /** Between the beginnings of two faults; what goes wrong at Apple's side lasts a third of it. */
  readonly everyMs: number;
  /** Notifications offered. */
  readonly perSecond: number;
  /** Told of each fault as it begins. */
  readonly begins?: (round: number, fault: string) => void;
}

export interface SoakResult {
  readonly faults: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** At-least-once, acknowledged, and never at Apple's side. */
  readonly lost: readonly string[];
  /** Sent under more than one id. */
  readonly strangeIds: readonly string[];
  readonly atMostOnceTwice: readonly string[];
  /** Taken by Apple's side more than once; no sender can tell these from lost answers. */
  readonly duplicates: number;
  /** What `/readyz` and the process said at the end of each round. */
  readonly rssMb: readonly number[];
  readonly openFiles: readonly number[];
}

const settleMs = 180_000;
const lookEveryMs = 200;

/**
 * Runs `carillon serve` under a steady load while one thing after the other goes wrong, then lets everything settle and
 * holds what was acknowledged against what Apple's side took.
 */
export async function soak({ rounds, everyMs, perSecond, begins }: SoakOptions): Promise<SoakResult> {
  const apple = await startSimulator({ history: { limit: 5_000_000, limitBytes: 4_000_000_000 } });
  const folder = makeSite(apple);
  const load = new SteadyLoad(perSecond);
  const rssMb: number[] = [];
  const openFiles: number[] = [];
  let server = await open(folder, load);
  try {
    for (let round = 0; round < rounds; round += 1) {
      const fault = faults[round % faults.length] as Fault;
      begins?.(round, fault.name);
      if ("apple" in fault) {
        apple.setScenario(fault.apple);
        await pause(everyMs / 3);
        apple.setScenario({ rules: [] });
      } else server = await endAndOpen(server, fault.gateway, folder, load);
      await pause("apple" in fault ? (everyMs * 2) / 3 : everyMs);
      rssMb.push(rssOf(server));
      openFiles.push(filesOf(server));
    }
    await load.stop();
    const { acknowledged, refused } = load;
    const deliveries = (): Map<string, string[]> => idsByDevice(apple.history.pushes);
    const deadlineMs = performance.now() + settleMs;
    while (lostOf(acknowledged, deliveries()).length > 0 && performance.now() < deadlineMs)
      await pause(lookEveryMs);
    const delivered = deliveries();
    return {
      faults: rounds,
      acknowledged: acknowledged.atLeastOnce.size + acknowledged.atMostOnce.size,
      refused,
      lost: lostOf(acknowledged, delivered),
      strangeIds: [...delivered].filter(([, ids]) => new Set(ids).size > 1).map(([device]) => device),
      atMostOnceTwice: [...acknowledged.atMostOnce.keys()].filter(
        (device) => (delivered.get(device)?.length ?? 0) > 1,
      ),
      duplicates: [...delivered.values()].reduce((sum, ids) => sum + ids.length - 1, 0),
      rssMb,
      openFiles,
    };
  } finally {
    await load.stop();
    await cleanUp();
    await apple.close();
  }
}

async function open(folder: string, load: SteadyLoad): Promise<RunningCommand> {
  const server = start(["serve"], { folder });
  load.offerTo(await addressOf(server));
  return server;
}

async function endAndOpen(
  server: RunningCommand,
  how: "kill" | "terminate" | "kill-while-starting",
  folder: string,
  load: SteadyLoad,
): Promise<RunningCommand> {
  server.signal(how === "terminate" ? "SIGTERM" : "SIGKILL");
  await server.ended();
  load.offerTo(undefined);
  if (how === "kill-while-starting") {
    const short = start(["serve"], { folder });
    await pause(startMs);
    short.signal("SIGKILL");
    await short.ended();
  }
  return open(folder, load);
}

/** Somewhere between the first import and the first request. */
const startMs = 250;

function idsByDevice(
  pushes: Iterable<{
    readonly status: number;
    readonly deviceToken?: string | undefined;
    readonly apnsId: string;
  }>,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { status, deviceToken = "", apnsId } of pushes) {
    if (status !== 200) continue;
    const known = found.get(deviceToken);
    if (known === undefined) found.set(deviceToken, [apnsId]);
    else known.push(apnsId);
  }
  return found;
}

function lostOf({ atLeastOnce }: Acknowledged, delivered: ReadonlyMap<string, unknown>): string[] {
  return [...atLeastOnce.keys()].filter((device) => !delivered.has(device));
}

function rssOf({ child }: RunningCommand): number {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(readProc(child.pid, "status")) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

function filesOf({ child }: RunningCommand): number {
  try {
    return readdirSync(`/proc/${child.pid}/fd`).length;
  } catch {
    return 0;
  }
}

function readProc(pid: number | undefined, name: string): string {
  try {
    return readFileSync(join("/proc", String(pid), name), "utf8");
  } catch {
    return "";
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
