/** The test suite that the simulator's guide shows, under the runners it names. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { readGuide, typeCheck } from "../support/guide-code.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = "docs/guides/simulator.md";
const deadlineMs = 120_000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Runs a program of Node's with `code` as `name` in a folder that has this workspace's packages. */
function runSuite(name: string, code: string, words: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "carillon-guide-"));
  folders.push(folder);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  writeFileSync(join(folder, name), code);
  // Vitest's own variables would make the other runner report to it.
  const { PATH, HOME } = process.env;
  const options = { cwd: folder, env: { PATH, HOME, NO_COLOR: "1" }, timeout: 60_000 };
  return new Promise<{ code: number; output: string }>((resolve) => {
    execFile(process.execPath, words, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

test(
  "the guide's suite is right TypeScript and passes under vitest",
  async () => {
    const code = await readGuide(page, "@carillon/apns");
    expect(typeCheck(new Map([[page, code]]))).toEqual([]);
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const result = await runSuite("parcel.test.ts", code, [vitest, "run", "--root", "."]);
    expect(result.output).toMatch(/Tests\s+2 passed/);
    expect(result.code).toBe(0);
  },
  deadlineMs,
);

test(
  "with the guide's line for it the suite passes under node:test",
  async () => {
    const line = /^```js\n(import .* from "node:test";)$/m.exec(readFileSync(join(root, page), "utf8"))?.[1];
    const code = (await readGuide(page, "@carillon/apns"))
      .replace(/^import .* from "vitest";$/m, line ?? "")
      .replace("type Simulator, ", "")
      .replaceAll(/^let (\w+): \w+;$/gm, "let $1;");
    const result = await runSuite("parcel.test.mjs", code, [
      ...["--test", "--test-reporter=tap"],
      "parcel.test.mjs",
    ]);
    expect(result.output).toContain("# pass 2");
    expect(result.code).toBe(0);
  },
  deadlineMs,
);
