import { expect, test } from "vitest";
import { carillonWords, writeShellLine } from "./shell-line.ts";

test.each([
  [["send", "--to", "3f1c", "--ca", ".carillon/ca.pem"], "send --to 3f1c --ca .carillon/ca.pem"],
  [["a b", "", "$HOME", "*"], "'a b' '' '$HOME' '*'"],
  [["it's"], "'it'\\''s'"],
  [["Grüße\n"], "'Grüße\n'"],
])("%j is written so that a shell reads it back", (words, line) => {
  expect(writeShellLine(words)).toBe(line);
});

test("the reader is told to call us as they did", () => {
  const folder = "/home/me/project";
  const words = (script: string, environment: Record<string, string>) =>
    carillonWords({ script, folder, environment });
  const link = "/usr/local/bin/carillon";
  expect(words(link, { PATH: "/usr/bin:/usr/local/bin" })).toEqual(["carillon"]);
  expect(words(link, { PATH: "/usr/bin" })).toEqual(["node", "../../../usr/local/bin/carillon"]);
  expect(words(`${folder}/node_modules/.bin/carillon`, { npm_command: "exec" })).toEqual(["npx", "carillon"]);
  expect(words(`${folder}/packages/gateway/dist/cli/main.js`, {})).toEqual([
    "node",
    "packages/gateway/dist/cli/main.js",
  ]);
});
