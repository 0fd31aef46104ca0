import { expect, test } from "vitest";
import { readCorpus } from "./corpus.ts";
import { Mutator, seededRandom } from "./mutator.ts";
import { targets } from "./targets.ts";

const forMs = 1500;

// The long form, guided by coverage, is `npm run fuzz`.
test.each(Object.entries(targets))(
  "%s keeps its promises for the corpus and a moment's mutants of it",
  (name, target) => {
    const corpus = [...target.seeds, ...readCorpus(name)];
    for (const input of corpus) target.run(input);
    const seed = Math.floor(Math.random() * 2 ** 32);
    const mutator = new Mutator(seededRandom(seed), target.framesAt);
    const pick = (): Buffer => corpus[mutator.below(corpus.length)]!;
    const until = performance.now() + forMs;
    let executions = 0;
    while (performance.now() < until) {
      const input = mutator.mutate(pick(), pick());
      executions += 1;
      try {
        target.run(input);
      } catch (error) {
        throw new Error(`seed ${seed}, input ${input.toString("hex")}`, { cause: error });
      }
    }
    expect(executions).toBeGreaterThan(100);
  },
);
