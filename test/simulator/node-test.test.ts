/** The simulator outside of vitest: the example of its README under `node --test`. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, expect, test } from "vitest";
import { readGuide, typeCheck } from "../support/guide-code.ts";

const page = "packages/simulator/README.md";
const deadlineMs = 120_000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The example as a program, with the workspace's packages by their files. */
async function writeProgram(change: (code: string) => string = (code) => code): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "carillon-node-test-"));
  folders.push(folder);
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  const code = ts.transpileModule(await readGuide(page, "@carillon/apns"), { compilerOptions }).outputText;
  const located = code.replaceAll(
    /from "@carillon\/(\w+)"/g,
    (_, name: string) => `from "${new URL(`../../packages/${name}/dist/index.js`, import.meta.url)}"`,
  );
  const file = join(folder, "example.test.mjs");
  writeFileSync(file, change(located));
  return file;
}

function runTests(file: string): Promise<{ code: number; output: string }> {
  // Vitest's own variables would make node:test report to it.
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--test", "--test-reporter=tap", file],
      { env: { PATH, HOME }, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

test(
  "the example is right TypeScript and passes under node --test, which ends by itself",
  async () => {
    expect(typeCheck(new Map([[page, await readGuide(page, "@carillon/apns")]]))).toEqual([]);
    const { code, output } = await runTests(await writeProgram());
    expect(output).toContain("# pass 3");
    expect(code).toBe(0);
  },
  deadlineMs,
);

test(
  "an expectation that is not met fails the test there, with the difference in words",
  async () => {
    const file = await writeProgram((code) =>
      code
        .replace('title: "Parcel", body', 'title: "Letter", body')
        .replace('{ title: "Parcel" } } } })', '{ title: "Parcel" } } } }, { timeoutMs: 1 })'),
    );
    const { code, output } = await runTests(file);
    expect(output).toContain('payload.aps.alert.title: expected "Parcel", found "Letter"');
    expect([output.includes("# fail 1"), code]).toEqual([true, 1]);
  },
  deadlineMs,
);
