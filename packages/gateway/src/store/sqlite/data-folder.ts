import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreFailedError } from "../store-errors.ts";
import { type Database, type Driver, faultOf } from "./driver.ts";
import { migrate } from "./schema.ts";

/** How long the lock of a process that is just ending is waited for. */
const lockWaitMs = 1_000;

/**
 * A database of up to so many bytes is looked through at every start, which takes about a second for each GiB that the system has
 * in its memory. A larger one is not: bodies have checksums of their own, and what SQLite finds damaged later ends the store.
 */
const mostChecked = 1024 ** 3;

/** An open database that nobody else can open until it is closed or this process is gone. */
export interface OpenedFolder {
  readonly database: Database;
  close(): void;
}

/**
 * Opens, and where needed makes, the database of a data folder for this process alone.
 *
 * `locking_mode=EXCLUSIVE` keeps the operating system's lock on the database file for as long as it is open. It is a
 * lock of the process: the kernel drops it even after kill -9, so nothing stale can block the next start. The file
 * `carillon.pid` only tells people who holds it.
 *
 * @throws {StoreFailedError} in use, unreadable, damaged, or written by a newer carillon.
 */
export function openDataFolder(driver: Driver, dataDir: string): OpenedFolder {
  const pidPath = join(dataDir, "carillon.pid");
  const databasePath = join(dataDir, "carillon.db");
  let database: Database | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    database = driver.open(databasePath);
    prepare(database);
    if (statSync(databasePath).size <= mostChecked) assertIntact(database, dataDir);
    writeFileSync(pidPath, `${process.pid}\n`);
    migrate(database);
  } catch (error) {
    database?.close();
    throw explain(error, dataDir, pidPath);
  }
  const opened = database;
  let isClosed = false;
  return {
    database: opened,
    close() {
      if (isClosed) return;
      isClosed = true;
      rmSync(pidPath, { force: true });
      opened.close();
    },
  };
}

/** Who holds a data folder, or held it and was killed. */
export interface Holder {
  readonly pid: number;
  readonly isRunning: boolean;
}

/** As far as `carillon.pid` tells, which is for people: only the lock itself is certain. Undefined where nobody does. */
export function readHolder(dataDir: string): Holder | undefined {
  const pid = Number(readPid(join(dataDir, "carillon.pid")));
  return Number.isInteger(pid) && pid > 0 ? { pid, isRunning: isRunning(pid) } : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function prepare(database: Database): void {
  database.exec(`PRAGMA busy_timeout = ${lockWaitMs}`);
  // Before journal_mode: SQLite then keeps the index of the log in its own memory and shares it with nobody.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal")
    throw new StoreFailedError(`This file system allows no write-ahead log (${mode}); use a local disk.`);
  database.exec("PRAGMA synchronous = FULL");
  // The engine does it itself after answering, where an error is seen.
  database.exec("PRAGMA wal_autocheckpoint = 0");
  database.exec("PRAGMA cache_size = -32768");
  database.exec("PRAGMA temp_store = MEMORY");
  // The lock is taken with the first read, the right to write with the first write.
  database.exec("BEGIN IMMEDIATE; COMMIT");
}

/** @throws {StoreFailedError} naming the first thing that is wrong */
function assertIntact(database: Database, dataDir: string): void {
  const found = String(Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0]);
  if (found === "ok") return;
  throw new StoreFailedError(
    `The database in ${dataDir} is damaged: ${found}. Nothing was changed. Look at the disk, and put a copy of the folder back; ` +
      `or move carillon.db and carillon.db-wal away to begin with an empty queue.`,
  );
}

function explain(error: unknown, dataDir: string, pidPath: string): StoreFailedError {
  if (error instanceof StoreFailedError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (faultOf(error) !== "busy")
    return new StoreFailedError(`The store in ${dataDir} cannot be opened: ${detail}`);
  return new StoreFailedError(
    `Another carillon is running on this data folder (${dataDir}), pid ${readPid(pidPath)}. ` +
      `Stop it, or give this one a folder of its own.`,
  );
}

function readPid(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "unknown";
  }
}
