#!/usr/bin/env node
// Holds every package that is published against publint; warnings count.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const publint = join(root, "node_modules/publint/src/cli.js");
let failures = 0;
for (const name of readdirSync(join(root, "packages"))) {
  const result = spawnSync(process.execPath, [publint, "--strict", join(root, "packages", name)], {
    stdio: "inherit",
  });
  if (result.status !== 0) failures += 1;
}
process.exit(failures === 0 ? 0 : 1);
