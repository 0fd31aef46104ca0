import fc from "fast-check";
import { expect, test } from "vitest";
import { readScenario } from "./read-scenario.ts";

function problemsOf(document: unknown): string[] {
  const read = readScenario(document);
  return read.kind === "valid" ? [] : read.problems.map(({ path, detail }) => `${path} ${detail}`);
}

test("a document is read with its defaults", () => {
  const read = readScenario({
    rules: [{ do: "silence" }, { name: "x", do: [{ reset: {} }, { goaway: {} }] }],
  });
  expect(read).toEqual({
    kind: "valid",
    scenario: {
      seed: 1,
      rules: [
        {
          name: "rule 1",
          on: "request",
          atMs: 0,
          when: {},
          times: Number.POSITIVE_INFINITY,
          actions: [{ kind: "silence", request: "ignored" }],
        },
        {
          name: "x",
          on: "request",
          atMs: 0,
          when: {},
          times: Number.POSITIVE_INFINITY,
          actions: [
            { kind: "reset", code: 7, request: "ignored", times: 1 },
            { kind: "goaway", code: 0, last: 0, debug: "", times: 1 },
          ],
        },
      ],
    },
  });
  expect(readScenario({})).toMatchObject({ kind: "valid", scenario: { rules: [] } });
});

test("every problem is named with its place", () => {
  const document = {
    sead: 1,
    rules: [
      {
        on: "later",
        atMs: 5,
        times: 0,
        when: { connection: { from: 5, to: 1 }, probability: 2, colour: "red" },
        do: [
          "explode",
          { reset: { code: "noSuchCode" } },
          { answer: { status: 42, reason: "NoReason" }, goaway: {} },
          { bytes: { hex: "0" } },
          { answer: { reason: "OwnReason" } },
          { tls: { variant: "expired" } },
          { settings: { initialWindowSize: -1, color: 1 } },
          7,
        ],
      },
      { on: "open", when: { deviceToken: "aa" }, do: ["silence"] },
      { on: "connect", do: ["ping"] },
      {},
    ],
  };
  const problems = problemsOf(document);
  for (const place of [
    "/sead is not known",
    '/rules/0/on must be "connect"',
    "/rules/0/atMs goes with",
    "/rules/0/times must be a whole number from 1",
    '/rules/0/when/connection "from" must not',
    "/rules/0/when/probability must be",
    "/rules/0/when/colour is not known",
    "/rules/0/do/0 must be one of answer",
    "/rules/0/do/1/reset/code must be a number, or one of",
    "/rules/0/do/2 must be one of",
    "/rules/0/do/3/bytes/hex must be bytes",
    "/rules/0/do/4/answer/reason is not one of Apple's",
    '/rules/0/do/5 "tls" does not go with "on": "request"',
    "/rules/0/do/6/settings/initialWindowSize must be",
    "/rules/0/do/6/settings/color is not known",
    "/rules/0/do/7 must be an object",
    '/rules/1/when/deviceToken goes with "on": "request"',
    '/rules/1/do/0 "silence" does not go with "on": "open"',
    '/rules/2/do/0 "ping" does not go with "on": "connect"',
    "/rules/3/do must name at least one action",
  ]) {
    expect(
      problems.some((problem) => problem.startsWith(place)),
      `${place}\n${problems.join("\n")}`,
    ).toBe(true);
  }
});

test("arbitrary documents are data", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, action) => {
      readScenario(value);
      readScenario({ rules: [{ do: action, when: value }] });
      readScenario({
        rules: [{ do: [{ answer: value }, { goaway: value }, { withhold: { what: value } }] }],
      });
    }),
    { numRuns: 1000 },
  );
});
