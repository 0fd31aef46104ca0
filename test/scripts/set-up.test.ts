/** scripts/set-up.js in a copy of a small workspace, with stand-ins for npm and tsc that write down what they were asked. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const script = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "scripts/set-up.js");
const calls = "calls.log";

/** Writes down its words; `npm ci` installs what the lock file names, unless a file `fail` says otherwise. */
const standIn = `#!${process.execPath}
const fs = require("node:fs");
const words = process.argv.slice(2).join(" ");
const isNpm = process.argv[1].endsWith("npm");
fs.appendFileSync("${calls}", (isNpm ? "npm " : "tsc ") + words + "\\n");
if (fs.existsSync("fail")) { console.log(fs.readFileSync("fail", "utf8")); process.exit(1); }
if (isNpm && words.startsWith("ci")) {
  fs.rmSync("node_modules", { recursive: true, force: true });
  const { packages } = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
  for (const [location, entry] of Object.entries(packages)) {
    if (!location.startsWith("node_modules/") || entry.optional) { delete packages[location]; continue; }
    fs.mkdirSync(location, { recursive: true });
    fs.writeFileSync(location + "/package.json", "{}");
  }
  fs.mkdirSync("node_modules/typescript/bin", { recursive: true });
  fs.copyFileSync("tools/tsc", "node_modules/typescript/bin/tsc");
  fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
}
if (isNpm && words.startsWith("rebuild")) {
  fs.mkdirSync("node_modules/.bin", { recursive: true });
  fs.writeFileSync("node_modules/.bin/carillon", "");
}
if (!isNpm) {
  // As tsc does, it writes what changed since its own notes, or everything with --force.
  const source = "packages/gateway/src/cli/main.ts";
  const notes = "packages/gateway/tsconfig.tsbuildinfo";
  const content = fs.readFileSync(source, "utf8");
  const known = fs.existsSync(notes) ? fs.readFileSync(notes, "utf8") : undefined;
  if (known !== content || words.includes("--force")) {
    fs.mkdirSync("packages/gateway/dist/cli", { recursive: true });
    for (const end of ["js", "d.ts"]) fs.writeFileSync("packages/gateway/dist/cli/main." + end, content);
    fs.writeFileSync(notes, content);
  }
}
`;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "carillon-set-up-"));
  for (const each of ["scripts", "tools", "packages/gateway/src/cli"])
    mkdirSync(join(folder, each), { recursive: true });
  cpSync(script, join(folder, "scripts/set-up.js"));
  for (const tool of ["npm", "tsc"]) {
    write(`tools/${tool}`, standIn);
    chmodSync(join(folder, "tools", tool), 0o755);
  }
  writeLock("1.0.0");
  // The stand-ins are CommonJS.
  write("scripts/package.json", '{"type":"module"}');
  write("packages/gateway/package.json", "{}");
  write("packages/gateway/src/cli/main.ts", "export {};");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, content: string): void {
  writeFileSync(join(folder, path), content);
}

function writeLock(version: string): void {
  const packages = {
    "": {},
    "packages/gateway": { version: "0.1.0" },
    "node_modules/typescript": { version, integrity: `sha512-${version}` },
    "node_modules/other-platform": { version, optional: true },
  };
  write("package-lock.json", JSON.stringify({ packages }));
}

/** Runs the script; `called` is what it asked of npm and tsc. */
function setUp() {
  rmSync(join(folder, calls), { force: true });
  const PATH = [join(folder, "tools"), process.env.PATH].join(delimiter);
  const words = [join(folder, "scripts/set-up.js")];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, PATH },
    encoding: "utf8",
    timeout: 20_000,
  });
  const log = join(folder, calls);
  const called = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  return { status, stdout, stderr, called };
}

const install = "npm ci --ignore-scripts --no-audit --no-fund";
const link = "npm rebuild carillon --ignore-scripts";

test("a fresh clone is installed, built and linked, and the command can be executed", () => {
  const { status, stdout, called } = setUp();
  expect({ status, stdout, called }).toEqual({ status: 0, stdout: "", called: [install, "tsc -b", link] });
  expect(statSync(join(folder, "packages/gateway/dist/cli/main.js")).mode & 0o111).toBe(0o111);
});

test("when nothing is stale it calls nobody and says nothing", () => {
  setUp();
  expect(setUp()).toEqual({ status: 0, stdout: "", stderr: "", called: [] });
});

test("files that only look newer, as after a checkout there and back, are not built again", () => {
  setUp();
  const later = new Date(Date.now() + 60_000);
  for (const file of ["package-lock.json", "packages/gateway/src/cli/main.ts"])
    utimesSync(join(folder, file), later, later);
  expect(setUp().called).toEqual([]);
});

test("a source that changed is built, even with its size and time as they were", () => {
  setUp();
  const source = join(folder, "packages/gateway/src/cli/main.ts");
  const time = new Date(1_700_000_000_000);
  utimesSync(source, time, time);
  setUp();
  writeFileSync(source, "export [];");
  utimesSync(source, time, time);
  expect(setUp().called).toEqual(["tsc -b"]);
  expect(readFileSync(join(folder, "packages/gateway/dist/cli/main.js"), "utf8")).toBe("export [];");
});

test("tests are no sources", () => {
  setUp();
  write("packages/gateway/src/cli/main.test.ts", "export {};");
  write("packages/gateway/src/cli/main.test-support.ts", "export {};");
  expect(setUp().called).toEqual([]);
});

test("a file that is missing in dist is built again, though tsc would not miss it", () => {
  setUp();
  rmSync(join(folder, "packages/gateway/dist/cli/main.d.ts"));
  expect(setUp().called).toEqual(["tsc -b", "tsc -b --force"]);
  expect(setUp().called).toEqual([]);
});

test("a source that the settings leave out of the build costs one build, not one each time", () => {
  setUp();
  write("packages/gateway/src/cli/left-out.ts", "export {};");
  expect(setUp().called).toEqual(["tsc -b", "tsc -b --force"]);
  expect(setUp().called).toEqual([]);
});

test("another lock file, as of an older commit, is installed", () => {
  setUp();
  writeLock("0.9.0");
  expect(setUp().called[0]).toBe(install);
  expect(setUp().called).toEqual([]);
});

test("what somebody installed by hand is not installed again", () => {
  const installed = spawnSync(join(folder, "tools/npm"), ["ci"], { cwd: folder });
  expect(installed.status).toBe(0);
  expect(setUp().called).toEqual(["tsc -b", link]);
});

test.each([
  ["without its record", "node_modules/.package-lock.json"],
  ["with a package gone", "node_modules/typescript/package.json"],
  ["with nothing left", "node_modules"],
])("an npm ci that was interrupted, %s, is done again", (_, lost) => {
  setUp();
  rmSync(join(folder, lost), { recursive: true });
  expect(setUp().called[0]).toBe(install);
  expect(setUp().called).toEqual([]);
});

test("a record or stamp that was cut off counts as none", () => {
  setUp();
  write("node_modules/.carillon-set-up.json", '{"bui');
  expect(setUp().called).toEqual(["tsc -b"]);
  write("node_modules/.package-lock.json", '{"packages":');
  expect(setUp().called[0]).toBe(install);
});

test("a failure ends it with status 2, what the tool said and what to do, and the next start tries again", () => {
  setUp();
  write("packages/gateway/src/cli/main.ts", "export ;");
  write("fail", "main.ts(1,8): error TS1005");
  const failed = setUp();
  expect({ status: failed.status, called: failed.called }).toEqual({ status: 2, called: ["tsc -b"] });
  expect(failed.stderr).toContain("main.ts(1,8): error TS1005");
  expect(failed.stderr).toContain("Building the packages failed");
  expect(failed.stderr).toContain("Mend what it says above and start again.");
  rmSync(join(folder, "fail"));
  expect(setUp()).toMatchObject({ status: 0, called: ["tsc -b"] });
});

test("an install that fails is not taken for one the next time", () => {
  setUp();
  writeLock("2.0.0");
  write("fail", "npm error network");
  const failed = setUp();
  expect(failed.status).toBe(2);
  expect(failed.stderr).toContain("npm error network");
  rmSync(join(folder, "fail"));
  expect(setUp().called[0]).toBe(install);
});
