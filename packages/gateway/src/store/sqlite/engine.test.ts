import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type NewBatch, outcomeCode } from "../store.ts";
import type { Call } from "./calls.ts";
import { type OpenedFolder, openDataFolder } from "./data-folder.ts";
import { type Database, loadDriver } from "./driver.ts";
import { SqliteEngine } from "./engine.ts";

const driver = await loadDriver();
const queue = { app: "demo", environment: "sandbox", lane: "normal" };
let dataDir: string;
let folder: OpenedFolder;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "carillon-engine-"));
  folder = openDataFolder(driver, dataDir);
});

afterEach(() => {
  folder.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function batch(id: string, bytes = 100, fields: Partial<NewBatch> = {}): NewBatch {
  const body = new Uint8Array(bytes).fill(7);
  return {
    ...{ id, queue, count: 1, dueAtMs: 1, storedAtMs: 1, kind: "original", body, ownIds: [] },
    ...fields,
  };
}

function add(...batches: readonly NewBatch[]): Call {
  return { name: "add", args: [batches] };
}

function find(id: string): Call {
  return { name: "find", args: [id, []] };
}

function ask(engine: SqliteEngine, call: Call) {
  const [answer] = engine.answer([call]);
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

/** The database with an error in the place of some statements. */
function faulty(database: Database, errorFor: (sql: string) => Error | undefined): Database {
  const strike = (sql: string): void => {
    const error = errorFor(sql);
    if (error !== undefined) throw error;
  };
  return {
    exec(sql) {
      strike(sql);
      database.exec(sql);
    },
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        run(...parameters) {
          strike(sql);
          return statement.run(...parameters);
        },
        get: (...parameters) => statement.get(...parameters),
        all(...parameters) {
          strike(sql);
          return statement.all(...parameters);
        },
        iterate: (...parameters) => statement.iterate(...parameters),
      };
    },
    close: () => database.close(),
  };
}

function sqliteError(errcode: number, message: string): Error {
  return Object.assign(new Error(message), { errcode });
}

test("a full disk leaves nothing half-stored, and the engine goes on once there is room", () => {
  const engine = new SqliteEngine(folder);
  expect(ask(engine, add(batch("before"))).kind).toBe("done");
  const pages = Number(folder.database.prepare("PRAGMA page_count").get()?.page_count);
  folder.database.exec(`PRAGMA max_page_count = ${pages + 8}`);

  const other = { ...queue, app: "new in what is undone" };
  const large = Array.from({ length: 20 }, (_, index) => batch(`large-${index}`, 50_000, { queue: other }));
  const answers = engine.answer([add(batch("small")), add(...large), find("before")]);
  // They share a transaction, so neither is stored; what only looks is answered.
  expect(answers.map(({ kind }) => kind)).toEqual(["full", "full", "done"]);
  for (const id of ["small", "large-0", "large-19"])
    expect(ask(engine, find(id))).toEqual({ kind: "done", result: undefined });
  expect(engine.failure).toBeUndefined();

  expect(ask(engine, add(batch("small"))).kind).toBe("done");
  folder.database.exec("PRAGMA max_page_count = 1000000");
  expect(ask(engine, add(...large)).kind).toBe("done");
  expect(ask(engine, find("large-19"))).toMatchObject({ result: { queue: other } });
  expect(folder.database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});

test("a claim, a settlement and a heartbeat on a full disk change nothing either", () => {
  let isFull = false;
  const database = faulty(folder.database, (sql) =>
    isFull && sql === "COMMIT" ? sqliteError(13, "database or disk is full") : undefined,
  );
  const engine = new SqliteEngine({ ...folder, database });
  ask(engine, add(batch("a"), batch("b", 100, { leaseTo: "n1" })));
  const claim: Call = {
    name: "claim",
    args: [{ node: "n2", queue, dueAtMs: 9, maxBatches: 9, maxBytes: 999 }],
  };
  const settlement: Call = {
    name: "settle",
    args: [
      {
        node: "n1",
        atMs: 5,
        batches: [{ batch: "b", places: Uint16Array.of(0), codes: Uint8Array.of(outcomeCode.accepted) }],
        notes: [],
        retries: [],
      },
    ],
  };
  const calls: Call[] = [claim, settlement, { name: "heartbeat", args: ["n1", 1_000] }];
  isFull = true;
  for (const call of calls) expect(ask(engine, call).kind).toBe("full");
  expect(ask(engine, find("b"))).toMatchObject({ result: { outcomes: undefined } });
  isFull = false;
  for (const call of calls) expect(ask(engine, call).kind).toBe("done");
  expect(ask(engine, { ...claim })).toMatchObject({ result: { batches: [] } });
});

test.each([
  ["while it writes", (sql: string) => sql.startsWith("INSERT INTO body")],
  ["while it commits", (sql: string) => sql === "COMMIT"],
])("after an error of the disk %s nothing is done any more, whatever is asked", (_when, isIt) => {
  let isBroken = false;
  let isMended = false;
  const database = faulty(folder.database, (sql) => {
    if (!isBroken || isMended || !isIt(sql)) return undefined;
    isMended = true; // A second try would look as if all were well.
    return sqliteError(1034, "disk I/O error");
  });
  const engine = new SqliteEngine({ ...folder, database });
  expect(ask(engine, add(batch("before"))).kind).toBe("done");
  isBroken = true;
  expect(engine.answer([add(batch("a")), add(batch("b"))])).toEqual([
    { kind: "failed", detail: "disk I/O error" },
    { kind: "failed", detail: "disk I/O error" },
  ]);
  expect(engine.failure).toBe("disk I/O error");
  expect(ask(engine, add(batch("c")))).toEqual({ kind: "failed", detail: "disk I/O error" });
  expect(ask(engine, find("before"))).toEqual({ kind: "failed", detail: "disk I/O error" });
  engine.tidy();
  engine.close();
  expect(engine.failure).toBe("disk I/O error");
});

test("an error of the disk while the log is copied fails it too; a full disk there does not", () => {
  let code = 0;
  const database = faulty(folder.database, (sql) =>
    code !== 0 && sql.includes("checkpoint") ? sqliteError(code, "cannot copy") : undefined,
  );
  const engine = new SqliteEngine({ ...folder, database });
  const fill = (name: string): void => {
    for (let index = 0; index < 10; index += 1) ask(engine, add(batch(`${name}-${index}`, 1024 * 1024)));
  };
  fill("a");
  code = 13;
  engine.tidy();
  expect(engine.failure).toBeUndefined();
  expect(ask(engine, add(batch("still"))).kind).toBe("done");
  fill("b");
  code = 10;
  engine.tidy();
  expect(engine.failure).toBe("cannot copy");
});

test("the log is used again from its start once it has been copied, so it does not grow", () => {
  const engine = new SqliteEngine(folder);
  const log = join(dataDir, "carillon.db-wal");
  for (let round = 0; round < 40; round += 1) {
    ask(engine, add(batch(`large-${round}`, 1024 * 1024)));
    // A claim that leaves a batch aside must not keep its place in the log.
    ask(engine, {
      name: "claim",
      args: [{ node: "n", queue: { ...queue, lane: "other" }, dueAtMs: 9, maxBatches: 9, maxBytes: 1 }],
    });
    ask(engine, {
      name: "claim",
      args: [{ node: "n", queue, dueAtMs: 9, maxBatches: 9, maxBytes: 1 }],
    });
    ask(engine, add(batch(`x-${round}`), batch(`y-${round}`)));
    engine.tidy();
  }
  expect(statSync(log).size).toBeLessThan(20 * 1024 * 1024);
  engine.close();
  // The npm package deletes the empty log only with its last statement.
  expect(statSync(log, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
});

test("a full disk makes it copy the log, whose room can then be used again", () => {
  let isFull = false;
  const checkpoints: string[] = [];
  const database = faulty(folder.database, (sql) => {
    if (sql.includes("checkpoint")) checkpoints.push(sql);
    return isFull && sql === "COMMIT" ? sqliteError(13, "database or disk is full") : undefined;
  });
  const engine = new SqliteEngine({ ...folder, database });
  ask(engine, add(batch("a")));
  engine.tidy();
  expect(checkpoints).toEqual([]);
  isFull = true;
  ask(engine, add(batch("b")));
  engine.tidy();
  expect(checkpoints).toHaveLength(1);
});

test("a start frees what was held by whoever was there before", () => {
  const before = new SqliteEngine(folder);
  ask(before, { name: "heartbeat", args: ["gone", 600_000] });
  ask(before, add(batch("held", 100, { leaseTo: "gone" })));
  const after = new SqliteEngine(folder);
  expect(
    ask(after, { name: "claim", args: [{ node: "new", queue, dueAtMs: 9, maxBatches: 9, maxBytes: 9 }] }),
  ).toMatchObject({ result: { batches: [{ id: "held" }] } });
});

test("leases go by the engine's own clock", () => {
  let now = 1_000_000;
  const engine = new SqliteEngine(folder, () => now);
  const beat = (node: string) => ask(engine, { name: "heartbeat", args: [node, 30_000] });
  beat("a");
  ask(engine, add(batch("held", 100, { leaseTo: "a" })));
  now += 30_000;
  beat("b");
  expect(beat("a")).toEqual({ kind: "done", result: "held" });
  now += 30_001;
  beat("b");
  expect(beat("a")).toEqual({ kind: "done", result: "lost" });
});

test("what waits is found by an index, however much is settled", () => {
  new SqliteEngine(folder);
  const plan = (sql: string) =>
    folder.database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
  const statements: string[] = [];
  new SqliteEngine({
    ...folder,
    database: {
      ...faulty(folder.database, () => undefined),
      prepare(sql) {
        statements.push(sql);
        return folder.database.prepare(sql);
      },
    },
  });
  const selects = statements.filter((sql) => /^\s*(SELECT|UPDATE|DELETE)/.test(sql));
  expect(selects.length).toBeGreaterThan(15);
  for (const sql of selects) {
    const scans = plan(sql).filter((detail) => /^SCAN (batch|body|note|own_id)\b(?!.*INDEX)/.test(detail));
    expect(scans, sql).toEqual([]);
  }
});
