import { loadDriver } from "./sqlite/driver.ts";
import { SqliteEngine } from "./sqlite/engine.ts";
import { inThreadStore } from "./sqlite/in-thread-store.ts";
import { migrate } from "./sqlite/schema.ts";
import type { Store } from "./store.ts";

const driver = await loadDriver();

/** The SQLite store on no disk, in this thread: what it is asked in one turn of the event loop it answers in the next. */
export function openMemoryStore(now: () => number): Store {
  const database = driver.open(":memory:");
  migrate(database);
  return inThreadStore(new SqliteEngine({ database, close: () => database.close() }, now));
}
