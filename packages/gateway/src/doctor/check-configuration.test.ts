import { expect, test } from "vitest";
import type { ConfigProblem } from "../config/index.ts";
import { checkConfiguration } from "./check-configuration.ts";

test.each([
  [
    "There is no such file. Create it or correct the path.",
    "There is no such file",
    "Create it or correct the path.",
  ],
  ['Unknown key "prot". Did you mean "port"?', 'Unknown key "prot"', 'Did you mean "port"?'],
  [
    "The key does not belong to the certificate (key values mismatch).",
    "The key does not belong to the certificate (key values mismatch).",
    "Correct it and look again.",
  ],
])("%j is parted into what is wrong and what to do", (detail, what, remedy) => {
  const problem: ConfigProblem = { where: "carillon.yaml:3", path: "data", detail };
  expect(checkConfiguration({ kind: "invalid", problems: [problem] })).toEqual([
    {
      ...{ level: "problem", about: "configuration", cause: "configuration" },
      ...{ what: `carillon.yaml:3  data  ${what}`, remedy },
    },
  ]);
});

test("what other checks look at more closely is not told twice", () => {
  const config = { listen: { host: "", port: 0 }, dataDir: "", logLevel: "info", apps: [] } as const;
  const warnings = [
    { kind: "unknown-variable", detail: "CARILLON_PROT sets nothing." },
    { kind: "expired", detail: "App a: expired." },
    { kind: "old-tls", detail: "Old." },
  ] as const;
  expect(
    checkConfiguration({ kind: "loaded", config, warnings }).map(({ level, what }) => [level, what]),
  ).toEqual([
    ["ok", "can be read: 0 apps, no bridge"],
    ["warning", "CARILLON_PROT sets nothing."],
  ]);
});
