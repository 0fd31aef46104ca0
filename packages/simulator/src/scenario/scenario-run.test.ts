import { expect, test } from "vitest";
import { readScenario } from "./read-scenario.ts";
import { ScenarioRun } from "./scenario-run.ts";

function run(rules: readonly object[], seed = 1): ScenarioRun {
  const read = readScenario({ seed, rules });
  if (read.kind === "malformed") throw new Error(JSON.stringify(read.problems));
  return new ScenarioRun(read.scenario, 1000);
}

const request = (about: object = {}) =>
  ({
    on: "request",
    connection: 1,
    protocol: "http/2",
    request: 1,
    deviceToken: "aabb",
    topic: "com.example.demo",
    pushType: "alert",
    ...about,
  }) as const;

test("the first rule that applies decides; none is the usual course", () => {
  const under = run([
    { name: "a", when: { deviceToken: "aa*" }, do: "silence" },
    { name: "b", do: { goaway: {} } },
  ]);
  expect(under.decide(request(), 1000)).toMatchObject([{ kind: "silence" }]);
  expect(under.decide(request({ deviceToken: "bb" }), 1000)).toMatchObject([{ kind: "goaway" }]);
  expect(under.counts).toEqual({ a: 1, b: 1 });
  expect(under.decide({ on: "open", connection: 1, protocol: "http/2" }, 1000)).toEqual([]);
});

test.each<[object, object, number, boolean]>([
  [{ connection: 2 }, { connection: 2 }, 1000, true],
  [{ connection: 2 }, { connection: 1 }, 1000, false],
  [{ request: { from: 3 } }, { request: 3 }, 1000, true],
  [{ request: { from: 3, to: 4 } }, { request: 5 }, 1000, false],
  [{ protocol: "binary" }, { protocol: "binary" }, 1000, true],
  [{ protocol: "binary" }, {}, 1000, false],
  [{ topic: "com.example.demo" }, {}, 1000, true],
  [{ topic: "com.example.other" }, {}, 1000, false],
  [{ pushType: "background" }, {}, 1000, false],
  [{ sinceMs: { from: 500 } }, {}, 1500, true],
  [{ sinceMs: { from: 500 } }, {}, 1499, false],
  [{ probability: 0 }, {}, 1000, false],
  [{ probability: 1 }, {}, 1000, true],
])("when %j, then of %j at %d: %s", (when, about, nowMs, applies) => {
  const actions = run([{ when, do: "silence" }]).decide(request(about), nowMs);
  expect(actions.length > 0).toBe(applies);
});

test("attempts are counted by device token, and a rule applies as often as it says", () => {
  const under = run([{ when: { attempt: 2 }, times: 2, do: "silence" }]);
  const applied = ["a", "b", "a", "b", "c", "c", "a"].map(
    (deviceToken) => under.decide(request({ deviceToken }), 1000).length,
  );
  expect(applied).toEqual([0, 0, 1, 1, 0, 0, 0]);
});

test("the same seed decides the same, and a share of about its probability", () => {
  const decide = (seed: number): number[] => {
    const under = run([{ when: { probability: 0.3 }, do: "silence" }], seed);
    return Array.from({ length: 1000 }, () => under.decide(request(), 1000).length);
  };
  expect(decide(7)).toEqual(decide(7));
  expect(decide(7)).not.toEqual(decide(8));
  expect(decide(7).filter((applied) => applied > 0).length).toBeGreaterThan(250);
  expect(decide(7).filter((applied) => applied > 0).length).toBeLessThan(350);
});

test("a span is any whole number from one end to the other", () => {
  const under = run([]);
  expect(new Set(Array.from({ length: 1000 }, () => under.pick({ from: 1, to: 3 })))).toEqual(
    new Set([1, 2, 3]),
  );
  expect(under.pick(5)).toBe(5);
});
