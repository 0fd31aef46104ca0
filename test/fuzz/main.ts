/**
 * Fuzzes what reads bytes of a stranger, guided by the coverage that V8 counts.
 *
 *   npm run fuzz                              a minute for each target: binary, connection, hpack, server
 *   npm run fuzz -- --seconds 600 connection  longer, one target
 *   npm run fuzz -- --keep                    writes what reached something new to test/fuzz-corpus/
 *
 * Method: mutants of the corpus run in batches; where a batch reached code for the first time, its halves run again and so
 * on, and the inputs that did it join the corpus. The first failure ends the run with the input in hexadecimal digits.
 */
import { parseArgs } from "node:util";
import { readCorpus, writeCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { Mutator, seededRandom } from "./mutator.ts";
import { targets } from "./targets.ts";

const batch = 2000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    keep: { type: "boolean" },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(targets);
for (const name of names) await fuzz(name);

async function fuzz(name: string): Promise<void> {
  const target = targets[name as keyof typeof targets];
  if (target === undefined)
    throw new Error(`no target is called ${name}: ${Object.keys(targets).join(", ")}`);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  const mutator = new Mutator(seededRandom(seed), target.framesAt);
  const coverage = new Coverage(target.watched);
  await coverage.start();
  const corpus: Buffer[] = [];
  const attempt = (input: Buffer): void => {
    try {
      target.run(input);
    } catch (error) {
      console.error(`${name} fails, seed ${seed}, input:\n${input.toString("hex")}`);
      throw error;
    }
  };
  /** Adds to the corpus those of `inputs` that reach something new, by halves. */
  const collect = async (inputs: readonly Buffer[]): Promise<void> => {
    for (const input of inputs) attempt(input);
    if ((await coverage.take(inputs.length === 1 ? "remember" : "look")) === 0) return;
    if (inputs.length === 1) corpus.push(inputs[0]!);
    else for (const half of halves(inputs)) await collect(half);
  };
  for (const input of [...target.seeds, ...readCorpus(name)]) await collect([input]);
  const started = performance.now();
  const until = started + Number(values.seconds) * 1000;
  let executions = 0;
  while (performance.now() < until) {
    const pick = (): Buffer => corpus[mutator.below(corpus.length)]!;
    await collect(Array.from({ length: batch }, () => mutator.mutate(pick(), pick())));
    executions += batch;
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${name}: ${executions.toLocaleString("en")} executions in ${seconds.toFixed(0)} s ` +
      `(${Math.round(executions / seconds).toLocaleString("en")}/s), ${(coverage.share * 100).toFixed(1)} % of its code reached, ` +
      `corpus ${corpus.length}, seed ${seed}, no failure`,
  );
  if (values.keep === true) writeCorpus(name, corpus);
}

function halves<T>(all: readonly T[]): [readonly T[], readonly T[]] {
  const middle = all.length >> 1;
  return [all.slice(0, middle), all.slice(middle)];
}
