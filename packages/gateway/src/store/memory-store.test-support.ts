import { type Database, loadDriver } from "./sqlite/driver.ts";
import { SqliteEngine } from "./sqlite/engine.ts";
import { inThreadStore } from "./sqlite/in-thread-store.ts";
import { migrate } from "./sqlite/schema.ts";
import type { Store } from "./store.ts";

const driver = await loadDriver();

/** The SQLite store on no disk, in this thread: what it is asked in one turn of the event loop it answers in the next. */
export function openMemoryStore(now: () => number): Store {
  return startMemoryStore(openMemoryDatabase(), now);
}

/** What a memory store that was killed leaves behind. */
export function openMemoryDatabase(): Database {
  const database = driver.open(":memory:");
  migrate(database);
  return database;
}

/** Starts as after a kill: whatever others had leased there is free. */
export function startMemoryStore(database: Database, now: () => number): Store {
  return inThreadStore(new SqliteEngine({ database, close: () => database.close() }, now));
}
