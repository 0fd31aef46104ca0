import { StoreFailedError } from "../store-errors.ts";

/** What a parameter or a column may hold here. */
type SqlValue = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, SqlValue>>;

/** The part of `node:sqlite` that the store uses; `@photostructure/sqlite` has the same. */
export interface Statement {
  run(...parameters: readonly SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...parameters: readonly SqlValue[]): Row | undefined;
  all(...parameters: readonly SqlValue[]): readonly Row[];
  iterate(...parameters: readonly SqlValue[]): Iterable<Row>;
}

export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface Driver {
  /** The module it comes from. */
  readonly name: string;
  open(path: string): Database;
}

/** The modules that offer the `node:sqlite` interface, the preferred one first. */
const modules = ["node:sqlite", "@photostructure/sqlite"] as const;

/**
 * Takes Node's own SQLite where it is there (Node 22.13 and newer), else the npm package.
 * @throws {StoreFailedError} when neither can be loaded; the message says what to do.
 */
export async function loadDriver(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<Driver> {
  const causes: string[] = [];
  for (const name of modules) {
    try {
      const { DatabaseSync } = (await load(name)) as { DatabaseSync: new (path: string) => Database };
      return { name, open: (path) => new DatabaseSync(path) };
    } catch (error) {
      causes.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new StoreFailedError(
    `No SQLite can be loaded. Use Node 22.13 or newer, or install the optional package @photostructure/sqlite ` +
      `(npm install @photostructure/sqlite). ${causes.join("; ")}`,
  );
}

/** What an error of SQLite means for what was asked. */
export type FaultKind = "busy" | "full" | "broken" | "other";

/** Sorts an error by SQLite's primary result code ("Result and Error Codes", sqlite.org). */
export function faultOf(error: unknown): FaultKind {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  switch (code) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return "busy";
    case 13: // SQLITE_FULL: a write found no room
      return "full";
    case 7: // SQLITE_NOMEM
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR, a failed fsync among them
    case 11: // SQLITE_CORRUPT
    case 14: // SQLITE_CANTOPEN
    case 15: // SQLITE_PROTOCOL
    case 26: // SQLITE_NOTADB
      return "broken";
    default:
      return "other";
  }
}
