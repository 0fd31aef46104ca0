#!/usr/bin/env node
// Installs and builds what is missing or stale, and says nothing when nothing is.
// `npm start` and `npm test` call it first, so it may use nothing but Node itself.
//
// "Stale" is judged without starting npm or tsc: a stamp in node_modules records the lock file that was
// installed and the sources that were built (path, size, modification time).

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = [20, 19];
const stampFile = join(root, "node_modules", ".carillon-set-up.json");
const commandLine = join(root, "packages/gateway/dist/cli/main.js");

requireNode();
const stamp = readStamp();

const lock = digest([join(root, "package-lock.json")]);
if (stamp.lock !== lock) {
  run("Installing the dependencies", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  writeStamp({ lock });
  stamp.build = undefined;
}

const build = digest(sources());
if (stamp.build !== build || !existsSync(commandLine)) {
  run("Building the packages", process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"]);
  chmodSync(commandLine, 0o755);
  // npm links a workspace's command only where its file exists, and before the first build it did not.
  if (!existsSync(join(root, "node_modules/.bin/carillon"))) {
    run("Linking the carillon command", "npm", ["rebuild", "carillon", "--ignore-scripts"]);
  }
  writeStamp({ lock, build });
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [needMajor, needMinor] = oldestNode;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  console.error(
    `Carillon needs Node ${oldestNode.join(".")} or newer; this is Node ${process.versions.node}.`,
  );
  process.exit(2);
}

/** Everything that tsc reads: sources without tests, package manifests, compiler settings. */
function sources() {
  const found = [join(root, "tsconfig.base.json"), join(root, "tsconfig.json")];
  const packages = join(root, "packages");
  for (const name of readdirSync(packages)) {
    for (const file of ["package.json", "tsconfig.json"]) found.push(join(packages, name, file));
    collect(join(packages, name, "src"), found);
  }
  return found.filter((file) => existsSync(file));
}

function collect(folder, found) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) collect(path, found);
    else if (!entry.name.endsWith(".test.ts")) found.push(path);
  }
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return {}; // absent or cut off: both mean that nothing is known to be up to date
  }
}

function writeStamp(value) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${JSON.stringify(value)}\n`);
}

function run(title, command, args) {
  const started = Date.now();
  process.stderr.write(`${title} … `);
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) {
    process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    return;
  }
  const why = result.error === undefined ? `exit status ${result.status}` : result.error.message;
  process.stderr.write(`failed (${why})\n\n${result.stdout ?? ""}${result.stderr ?? ""}`);
  console.error(`\n${title} failed: ${command} ${args.join(" ")}\nMend what it says above and start again.`);
  process.exit(2);
}
