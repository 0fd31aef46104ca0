import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Acknowledged, finalStatusOf, loadUntilGone } from "./support/load.ts";
import type { Delivered, Opened, Question, Report } from "./support/simulators.ts";

/** CARILLON_KILLS=1000 for a longer run, CARILLON_SEED to choose the moments of an earlier one. */
const kills = Number(process.env.CARILLON_KILLS ?? 200);
const seed = Number(process.env.CARILLON_SEED ?? Date.now() % 2 ** 31);
/** So many gateways live and die at the same time, each with a data folder and a simulator of its own. */
const folders = 4;
/** What may be in flight on the gateways' one route, and so at most be sent again after a kill. */
const maxInFlight = 100;
/** Every fifth gateway is killed while it starts, the others under load. */
const longestStartMs = 250;
const longestLoadMs = 200;

const children: ChildProcess[] = [];
const root = mkdtempSync(join(tmpdir(), "carillon-kill-"));
afterAll(async () => {
  await Promise.all(children.map(end));
  rmSync(root, { recursive: true, force: true });
});

test(`after ${kills} kill -9 under load nothing acknowledged is lost, and no more is sent twice than was in flight`, {
  timeout: 60_000 + kills * 1_000,
}, async () => {
  const simulators = start("./support/simulators.ts", [String(folders)], ["--import", "tsx"]);
  const [{ simulators: apples }] = (await once(simulators, "message")) as [Opened];
  const results = await Promise.all(
    apples.map(async (apple, index) => {
      const dataDir = join(root, String(index));
      const options = JSON.stringify({ dataDir, maxInFlight, client: clientOf(apple) });
      const share = Math.floor(kills / folders) + (index < kills % folders ? 1 : 0);
      const acknowledged = await killAgainAndAgain(options, share, generator(seed + index));

      const last = start("./support/gateway-program.js", [options]);
      const [{ url }] = (await once(last, "message")) as [{ url: string }];
      const expected = [...acknowledged.atLeastOnce.keys()];
      const early = judge(acknowledged, await deliveredBy(simulators, { index, expected }));
      // What is at-most-once may still have been on its way then.
      await Promise.all(early.neverLeft.map((id) => finalStatusOf(url, id)));
      const result = judge(acknowledged, await deliveredBy(simulators, { index, expected }));
      const ends = await Promise.all(result.neverLeft.map((id) => finalStatusOf(url, id)));
      return { acknowledged, ...result, ends: new Set(ends) };
    }),
  );

  const sum = (of: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  process.stdout.write(
    `kill -9: ${kills} kills (seed ${seed}), ${sum(({ acknowledged }) => acknowledged.size)} acknowledged, ` +
      `${sum(({ devices }) => devices)} delivered, ${sum(({ lost }) => lost.length)} lost, ` +
      `${sum(({ duplicates }) => duplicates)} sent twice (at most ${Math.max(...results.map(({ mostAtOnce }) => mostAtOnce))} ` +
      `after one kill, ${maxInFlight} may be in flight), ${sum(({ neverLeft }) => neverLeft.length)} at-most-once unknown\n`,
  );
  for (const result of results) {
    expect(result.lost).toEqual([]);
    expect(result.strangeIds).toEqual([]);
    expect(result.twiceInOneLife).toEqual([]);
    expect(result.atMostOnceTwice).toEqual([]);
    expect([...result.ends].filter((status) => status !== "unknown")).toEqual([]);
    expect(result.mostAtOnce).toBeLessThanOrEqual(maxInFlight);
    expect(result.acknowledged.size).toBeGreaterThan(0);
  }
});

async function killAgainAndAgain(
  options: string,
  times: number,
  random: () => number,
): Promise<Acknowledged> {
  const acknowledged = new Acknowledged();
  for (let life = 0; life < times; life += 1) {
    const gateway = start("./support/gateway-program.js", [options]);
    const gone = once(gateway, "exit");
    if (life % 5 === 4) {
      setTimeout(() => gateway.kill("SIGKILL"), random() * longestStartMs);
      await gone;
      continue;
    }
    const [{ url }] = (await once(gateway, "message")) as [{ url: string }];
    setTimeout(() => gateway.kill("SIGKILL"), random() * longestLoadMs);
    await loadUntilGone(url, acknowledged, random);
    await gone;
  }
  return acknowledged;
}

/** Holds what Apple has seen against what was acknowledged. */
function judge({ atLeastOnce, atMostOnce }: Acknowledged, delivered: readonly Delivered[]) {
  const byDevice = new Map<string, Delivered[]>();
  for (const each of delivered) {
    const known = byDevice.get(each.deviceToken);
    if (known === undefined) byDevice.set(each.deviceToken, [each]);
    else known.push(each);
  }
  const strangeIds: string[] = [];
  const twiceInOneLife: string[] = [];
  const atMostOnceTwice: string[] = [];
  const repeatedAfter = new Map<number, number>();
  let duplicates = 0;
  for (const [device, all] of byDevice) {
    const id = atLeastOnce.get(device) ?? atMostOnce.get(device) ?? all[0]?.apnsId;
    if (all.some(({ apnsId }) => apnsId !== id)) strangeIds.push(device);
    if (new Set(all.map(({ life }) => life)).size < all.length) twiceInOneLife.push(device);
    if (all.length > 1 && atMostOnce.has(device)) atMostOnceTwice.push(device);
    for (const { life } of all.slice(0, -1)) repeatedAfter.set(life, (repeatedAfter.get(life) ?? 0) + 1);
    duplicates += all.length - 1;
  }
  return {
    devices: byDevice.size,
    duplicates,
    /** Of one life, the most that were sent again in a later one. */
    mostAtOnce: Math.max(0, ...repeatedAfter.values()),
    lost: [...atLeastOnce.keys()].filter((device) => !byDevice.has(device)),
    /** Ids of those at-most-once that Apple never saw. */
    neverLeft: [...atMostOnce].filter(([device]) => !byDevice.has(device)).map(([, id]) => id),
    strangeIds,
    twiceInOneLife,
    atMostOnceTwice,
  };
}

function clientOf({ endpoint, ca, credentials }: Opened["simulators"][number]) {
  return { endpoint, ca, credentials: credentials.token };
}

async function deliveredBy(simulators: ChildProcess, question: Question): Promise<readonly Delivered[]> {
  const answered = new Promise<Report>((resolve) => {
    const listen = (report: Report): void => {
      if (report.index !== question.index) return;
      simulators.off("message", listen);
      resolve(report);
    };
    simulators.on("message", listen);
  });
  simulators.send(question);
  return (await answered).delivered;
}

function start(file: string, args: string[], execArgv: string[] = []): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, args, { execArgv, serialization: "advanced" });
  children.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
