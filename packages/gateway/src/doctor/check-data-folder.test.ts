import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkClock } from "./check-clock.ts";
import { checkDataFolder } from "./check-data-folder.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "carillon-doctor-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const look = (limits = {}) =>
  checkDataFolder({ dataDir, limits }).map(({ level, what }) => `${level} ${what}`);

test("a folder that is there, and one that is still to be made, are in order", () => {
  expect(look()).toEqual([`ok ${dataDir} can be written`, expect.stringMatching(/ are free on its disk$/)]);
  const missing = join(dataDir, "data");
  expect(checkDataFolder({ dataDir: missing })).toMatchObject([
    { level: "ok", what: expect.stringContaining("is made at the first start") },
  ]);
});

test("who holds it is told: one that runs, or one that was killed", () => {
  writeFileSync(join(dataDir, "carillon.pid"), `${process.pid}\n`);
  expect(look()).toContain(`ok a gateway runs on it, pid ${process.pid}`);
  writeFileSync(join(dataDir, "carillon.pid"), "2147483646\n");
  expect(look()).toContainEqual(expect.stringContaining("(pid 2147483646) was ended at once"));
  writeFileSync(join(dataDir, "carillon.pid"), "what?");
  expect(look()).toHaveLength(2);
});

test("less room than the queue may take, and a key that others can read, are warnings", () => {
  const findings = look({ maxQueuedBytes: Number.MAX_SAFE_INTEGER });
  expect(findings).toContainEqual(expect.stringMatching(/^warning .* are free on its disk; .* GiB would be/));
  for (const name of ["admin.key", "webhooks.key"]) {
    writeFileSync(join(dataDir, name), "k");
    chmodSync(join(dataDir, name), 0o644);
    const warning = expect.stringMatching(new RegExp(`^warning .*${name} can be read by other users$`));
    expect(look()).toContainEqual(warning);
    chmodSync(join(dataDir, name), 0o600);
    expect(look()).toHaveLength(2);
  }
});

test("a clock behind a file that was written, or behind this version, is a problem", () => {
  const now = Date.now();
  expect(checkClock(dataDir, now)).toMatchObject({ level: "ok" });
  expect(checkClock(dataDir, Date.UTC(2001, 0, 1))).toMatchObject({ level: "problem", about: "clock" });
  const file = join(dataDir, "carillon.db");
  writeFileSync(file, "");
  utimesSync(file, new Date(), new Date(now + 40 * 60_000));
  expect(checkClock(dataDir, now)).toMatchObject({
    ...{ level: "problem", cause: "configuration" },
    what: expect.stringContaining("40 minutes behind"),
  });
});
