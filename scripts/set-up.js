#!/usr/bin/env node
// Installs and builds what is missing or stale, and says nothing when nothing is.
// `npm start` and `npm test` call it first, so it may use nothing but Node itself.
//
// "Stale" is judged by content, without starting npm or tsc, so that it holds after a clone, a checkout, a removed file or
// an interrupted `npm ci`. Installed is what npm's own record in node_modules says of every package in the lock file, as
// far as it is on disk. Built is what has its file in dist, from sources whose digest a stamp in node_modules holds.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = [20, 19];
const packages = join(root, "packages");
const installRecord = join(root, "node_modules/.package-lock.json");
const stampFile = join(root, "node_modules/.carillon-set-up.json");
const commandLine = join(packages, "gateway/dist/cli/main.js");
const commandLink = join(root, "node_modules/.bin/carillon");

requireNode();
if (!isInstalled()) {
  // An interrupted npm must not leave a record that speaks of packages which are gone.
  rmSync(installRecord, { force: true });
  run("Installing the dependencies", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
}
const sources = findSources();
const build = digest(sources);
const stamp = readJson(stampFile);
if (stamp?.build !== build || isMissing(stamp.without ?? []) || !existsSync(commandLink)) {
  const compiler = [join(root, "node_modules/typescript/bin/tsc"), "-b"];
  run("Building the packages", process.execPath, compiler);
  // tsc trusts its notes of the last build and misses no file that was removed since.
  if (isMissing([])) run("Building the packages anew", process.execPath, [...compiler, "--force"]);
  chmodSync(commandLine, 0o755);
  // npm links a workspace's command only where its file exists, and before the first build it did not.
  if (!existsSync(commandLink)) {
    run("Linking the carillon command", "npm", ["rebuild", "carillon", "--ignore-scripts"]);
  }
  // What is missing even now is no output: the settings leave its source out.
  writeFileSync(stampFile, `${JSON.stringify({ build, without: findMissing() })}\n`);
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

/** Whether every package of the lock file is there in its version. Optional ones may be for another platform. */
function isInstalled() {
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  const found = readJson(installRecord)?.packages;
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted).every(([location, { version, integrity, optional }]) => {
    if (!location.startsWith("node_modules/")) return true; // the workspace itself
    const installed = found[location];
    if (installed === undefined) return optional === true;
    const isSame = installed.version === version && installed.integrity === integrity;
    return isSame && existsSync(join(root, location, "package.json"));
  });
}

/** Whether an output is missing, other than `without`. */
function isMissing(without) {
  return findMissing().some((output) => !without.includes(output));
}

function findMissing() {
  return sources
    .filter((file) => file.endsWith(".ts"))
    .map((file) =>
      relative(root, file).replace(`${sep}src${sep}`, `${sep}dist${sep}`).slice(0, -".ts".length),
    )
    .flatMap((output) => [`${output}.js`, `${output}.d.ts`])
    .filter((output) => !existsSync(join(root, output)));
}

/** Everything that tsc reads: sources without tests and what supports them, package manifests, compiler settings. */
function findSources() {
  const found = [join(root, "tsconfig.base.json"), join(root, "tsconfig.json")];
  for (const name of readdirSync(packages)) {
    for (const file of ["package.json", "tsconfig.json"]) found.push(join(packages, name, file));
    collect(join(packages, name, "src"), found);
  }
  return found.filter((file) => existsSync(file)).sort();
}

function collect(folder, found) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) collect(path, found);
    else if (!/\.test(-support)?\.ts$/.test(entry.name)) found.push(path);
  }
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** Undefined where it is absent or cut off: both mean that nothing is known to be up to date. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function run(title, command, args) {
  const started = Date.now();
  process.stderr.write(`${title} … `);
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) {
    process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    return;
  }
  const why =
    result.error?.message ?? (result.signal ? `ended by ${result.signal}` : `exit status ${result.status}`);
  process.stderr.write(`failed (${why})\n\n${result.stdout ?? ""}${result.stderr ?? ""}`);
  console.error(`\n${title} failed: ${command} ${args.join(" ")}\nMend what it says above and start again.`);
  process.exit(2);
}
