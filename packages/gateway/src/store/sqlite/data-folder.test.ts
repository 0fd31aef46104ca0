import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SqliteStore } from "../../../dist/store/index.js";
import { openDataFolder } from "./data-folder.ts";
import { type Driver, loadDriver } from "./driver.ts";
import { schemaVersion } from "./schema.ts";

const driver = await loadDriver();
let dataDir: string;

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), "carillon-folder-")), "data");
});

afterEach(() => rmSync(join(dataDir, ".."), { recursive: true, force: true }));

test("makes the folder for its owner alone, and a database that waits for the disk at every commit", () => {
  const { database, close } = openDataFolder(driver, dataDir);
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(pragma("journal_mode")).toBe("wal");
  expect(pragma("synchronous")).toBe(2); // FULL
  expect(pragma("locking_mode")).toBe("exclusive");
  expect(pragma("wal_autocheckpoint")).toBe(0);
  expect(pragma("integrity_check")).toBe("ok");
  close();
});

test("a start that finds the folder in use says who uses it, and the folder is free after a close", async () => {
  const first = await SqliteStore.open({ dataDir });
  expect(readFileSync(join(dataDir, "carillon.pid"), "utf8")).toBe(`${process.pid}\n`);
  await expect(SqliteStore.open({ dataDir })).rejects.toThrow(
    `Another carillon is running on this data folder (${dataDir}), pid ${process.pid}. Stop it, or give this one a folder of its own.`,
  );
  await first.close();
  expect(existsSync(join(dataDir, "carillon.pid"))).toBe(false);
  const second = await SqliteStore.open({ dataDir });
  await second.close();
});

test("another process is kept out too, and a pid file alone keeps nobody out", async () => {
  const first = await SqliteStore.open({ dataDir });
  const script = `
    const { SqliteStore } = await import(${JSON.stringify(new URL("../../../dist/store/index.js", import.meta.url).href)});
    await SqliteStore.open({ dataDir: ${JSON.stringify(dataDir)} }).then((store) => store.close(), (error) => { console.log(error.message); });
  `;
  const run = () => spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(run().stdout).toContain(`pid ${process.pid}`);
  await first.close();
  writeFileSync(join(dataDir, "carillon.pid"), "1\n");
  expect(run()).toMatchObject({ stdout: "", status: 0 });
});

test("takes an empty database to the present form, and says so in it", () => {
  const { database, close } = openDataFolder(driver, dataDir);
  expect(database.prepare("PRAGMA user_version").get()?.user_version).toBe(schemaVersion);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const known =
    "batch body event feedback_reader node note own_id paused_app queue request_key token_environment verdict webhook webhook_attempt".split(
      " ",
    );
  expect(tables.map(({ name }) => name)).toEqual(known);
  close();
});

test("refuses a database that a newer carillon wrote, and leaves it as it is", () => {
  mkdirSync(dataDir);
  const newer = driver.open(join(dataDir, "carillon.db"));
  newer.exec("PRAGMA user_version = 1000");
  newer.close();
  // In a process of its own: here the npm package holds the lock until its statements are collected.
  const script = `
    const { SqliteStore } = await import(${JSON.stringify(new URL("../../../dist/store/index.js", import.meta.url).href)});
    await SqliteStore.open({ dataDir: ${JSON.stringify(dataDir)} }).catch((error) => console.log(error.name, error.message));
  `;
  for (const round of [1, 2]) {
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(stdout, `round ${round}`).toBe(
      `StoreFailedError The data folder was written by a newer carillon (its schema is 1000, this one knows ${schemaVersion}). ` +
        "Start that version, or use another data folder.\n",
    );
  }
});

test("says what is wrong with a folder or a file that cannot be a store", () => {
  writeFileSync(dataDir, "a file");
  expect(() => openDataFolder(driver, dataDir)).toThrow(`The store in ${dataDir} cannot be opened: EEXIST`);
  rmSync(dataDir);
  mkdirSync(dataDir);
  writeFileSync(
    join(dataDir, "carillon.db"),
    "this was never a database, whatever it is called. ".repeat(100),
  );
  expect(() => openDataFolder(driver, dataDir)).toThrow(/cannot be opened: file is not a database/);
});

test("refuses a file system without a write-ahead log", () => {
  const withoutLog: Driver = {
    ...driver,
    open(path) {
      const database = driver.open(path);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare: (sql) => database.prepare(sql.replace("journal_mode = WAL", "journal_mode = DELETE")),
      };
    },
  };
  expect(() => openDataFolder(withoutLog, dataDir)).toThrow(
    "This file system allows no write-ahead log (delete); use a local disk.",
  );
});

test("a database with a damaged page is refused, and left as it is", async () => {
  const store = await SqliteStore.open({ dataDir });
  await store.close();
  const path = join(dataDir, "carillon.db");
  const bytes = readFileSync(path);
  // Behind the first page, which says where everything is.
  bytes.fill(0xff, 2 * 4096, 3 * 4096);
  writeFileSync(path, bytes);
  await expect(SqliteStore.open({ dataDir })).rejects.toThrow(
    new RegExp(`The database in ${dataDir} is damaged: .*Nothing was changed`, "s"),
  );
  expect(readFileSync(path).equals(bytes)).toBe(true);
});
