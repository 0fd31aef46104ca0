import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";
import { judge } from "./support/judge.ts";
import { Acknowledged, finalStatusOf, loadUntilGone, type RunningGateway } from "./support/load.ts";
import type { Delivered, Opened, Question, Report } from "./support/simulators.ts";

/** CARILLON_KILLS=1000 for a longer run, CARILLON_SEED to choose the moments of an earlier one. */
const kills = Number(process.env.CARILLON_KILLS ?? 200);
const seed = Number(process.env.CARILLON_SEED ?? Date.now() % 2 ** 31);
/**
 * These live and die at the same time, each with a data folder and a simulator of its own. The delivery alone starts much
 * faster than a whole gateway, and so dies more often. `maxInFlight` is what at most may be sent again after a kill.
 */
const programs: readonly Program[] = [
  { file: "./support/gateway-program.js", maxInFlight: 8_000 },
  ...[0, 1, 2].map(() => ({ file: "./support/delivery-program.js", maxInFlight: 100 })),
];
/** Every fifth is killed while it starts, the others under load: so long after so many answers. */
const longestStartMs = 250;
const mostAnswers = 25;
const longestAfterMs = 20;

interface Program {
  readonly file: string;
  readonly maxInFlight: number;
}

const children: ChildProcess[] = [];
const root = mkdtempSync(join(tmpdir(), "carillon-kill-"));
afterAll(async () => {
  await Promise.all(children.map(end));
  rmSync(root, { recursive: true, force: true });
});

test(`rows 84 and 86: after ${kills} kill -9 under load nothing acknowledged is lost, and no more is sent twice than was in flight; a post that comes again under its key is taken once`, {
  timeout: 60_000 + kills * 1_000,
}, async () => {
  const simulators = start("./support/simulators.ts", [String(programs.length)], ["--import", "tsx"]);
  const [{ simulators: apples }] = (await once(simulators, "message")) as [Opened];
  let left = kills;
  const mayKill = (): boolean => left-- > 0;
  const results = await Promise.all(
    programs.map(async (program, index) => {
      const options = {
        ...apples[index],
        dataDir: join(root, String(index)),
        maxInFlight: program.maxInFlight,
      };
      const open = () => start(program.file, [JSON.stringify(options)]);
      const acknowledged = await killAgainAndAgain(open, mayKill, seededRandom(seed + index));

      const [gateway] = (await once(open(), "message")) as [RunningGateway];
      const expected = [...acknowledged.atLeastOnce.keys()];
      const early = judge(acknowledged, await deliveredBy(simulators, { index, expected }));
      // What is at-most-once may still have been on its way then.
      await Promise.all(early.neverLeft.map((id) => finalStatusOf(gateway, id)));
      const judgement = judge(acknowledged, await deliveredBy(simulators, { index, expected }));
      const ends = await Promise.all(judgement.neverLeft.map((id) => finalStatusOf(gateway, id)));
      return { program, acknowledged, ...judgement, ends: new Set(ends) };
    }),
  );
  for (const result of results) report(result);
  for (const result of results) {
    expect(result.lost).toEqual([]);
    expect(result.strangeIds).toEqual([]);
    expect(result.twiceInOneLife).toEqual([]);
    expect(result.atMostOnceTwice).toEqual([]);
    expect([...result.ends].filter((status) => status !== "unknown")).toEqual([]);
    expect(result.mostAtOnce).toBeLessThanOrEqual(result.program.maxInFlight);
    expect(result.acknowledged.size).toBeGreaterThan(0);
    expect(result.acknowledged.retried).toBeGreaterThan(0);
  }
});

function report(
  result: ReturnType<typeof judge> & { readonly program: Program; readonly acknowledged: Acknowledged },
): void {
  const { program, acknowledged, devices, duplicates, lost, mostAtOnce, neverLeft } = result;
  const name = basename(program.file, "-program.js");
  process.stdout.write(
    `kill -9 (seed ${seed}): ${name}, ${acknowledged.kills} kills, ${acknowledged.size} acknowledged (${acknowledged.retried} posts at the second try), ${devices} delivered, ` +
      `${lost.length} lost, ${duplicates} sent twice (at most ${mostAtOnce} after one kill, ${program.maxInFlight} may be in ` +
      `flight), ${neverLeft.length} at-most-once unknown\n`,
  );
}

async function killAgainAndAgain(
  open: () => ChildProcess,
  mayKill: () => boolean,
  random: () => number,
): Promise<Acknowledged> {
  const acknowledged = new Acknowledged();
  for (; mayKill(); acknowledged.kills += 1) {
    const gateway = open();
    const gone = once(gateway, "exit");
    const killWithin = (ms: number): unknown => setTimeout(() => gateway.kill("SIGKILL"), random() * ms);
    if (acknowledged.kills % 5 === 4) {
      killWithin(longestStartMs);
      await gone;
      continue;
    }
    const [running] = (await once(gateway, "message")) as [RunningGateway];
    let answers = Math.floor(random() * mostAnswers);
    await loadUntilGone(running, acknowledged, random, () => {
      if (answers === 0) killWithin(longestAfterMs);
      answers -= 1;
    });
    await gone;
  }
  return acknowledged;
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
