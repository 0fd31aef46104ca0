import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/index.ts";
import { readHolder } from "../store/index.ts";
import { type Finding, sayAbout } from "./finding.ts";

const say = sayAbout("data folder");
const mebibyte = 1024 ** 2;
/** Below that the queue has no room for what a few seconds bring. */
const leastFreeBytes = 100 * mebibyte;
/** What is thought enough where the configuration names no bound. */
const enoughFreeBytes = 1024 * mebibyte;

/** Whether the gateway can keep its queue where it is told to. Changes nothing there. */
export function checkDataFolder({ dataDir, limits }: Pick<Config, "dataDir" | "limits">): readonly Finding[] {
  // The loader has made sure that it can be made.
  if (!existsSync(dataDir)) return [say.ok(`${dataDir} is made at the first start`)];
  const denied = ["", ...dataFiles].filter((name) => isDenied(join(dataDir, name)));
  if (denied.length > 0)
    return denied.map((name) =>
      say.problem(
        `${join(dataDir, name)} may not be read and written by this user`,
        "Run doctor and the gateway as the user that owns it, or give it to that user (chown).",
      ),
    );
  return [
    say.ok(`${dataDir} can be written`),
    ...checkHolder(dataDir),
    ...checkKey(dataDir, "admin.key", "may do everything"),
    ...checkKey(dataDir, "webhooks.key", "and the database can sign webhooks"),
    checkSpace(dataDir, limits),
  ];
}

/** What must be open to the gateway once it is there. */
const dataFiles = ["carillon.db", "carillon.db-wal", "admin.key", "webhooks.key"] as const;

function isDenied(path: string): boolean {
  try {
    const isFolder = statSync(path).isDirectory();
    accessSync(path, constants.R_OK | constants.W_OK | (isFolder ? constants.X_OK : 0));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

function checkHolder(dataDir: string): readonly Finding[] {
  const holder = readHolder(dataDir);
  if (holder === undefined) return [];
  return holder.isRunning
    ? [say.ok(`a gateway runs on it, pid ${holder.pid}`)]
    : [
        say.ok(
          `the last gateway on it (pid ${holder.pid}) was ended at once; the next one goes on with its queue`,
        ),
      ];
}

function checkKey(dataDir: string, name: string, might: string): readonly Finding[] {
  const file = join(dataDir, name);
  const mode = existsSync(file) && process.platform !== "win32" ? statSync(file).mode & 0o077 : 0;
  if (mode === 0) return [];
  return [say.warning(`${file} can be read by other users`, `Whoever has it ${might}: chmod 600 ${file}.`)];
}

function checkSpace(dataDir: string, limits: Config["limits"]): Finding {
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const what = `${describeBytes(free)} are free on its disk`;
  const remedy =
    "Make room, or name another folder with data: a full disk makes the gateway refuse notifications (503).";
  if (free < leastFreeBytes) return say.problem(what, remedy);
  const wanted = limits?.maxQueuedBytes ?? enoughFreeBytes;
  if (free < wanted)
    return say.warning(`${what}; ${describeBytes(wanted)} would be enough for the queue`, remedy);
  return say.ok(what);
}

function describeBytes(bytes: number): string {
  const gibibytes = bytes / (1024 * mebibyte);
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${Math.floor(bytes / mebibyte)} MiB`;
}
