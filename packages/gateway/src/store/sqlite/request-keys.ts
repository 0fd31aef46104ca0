import type { FoundRequestKey, NewRequestKey } from "../request-keys.ts";
import { RequestKeyTakenError } from "../store-errors.ts";
import type { Database, Statement } from "./driver.ts";

/** The statements about requests that must not be taken twice. */
export class RequestKeys {
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #select: Statement;
  readonly #purge: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO request_key (app, key, record, at_ms, revision) VALUES (?, ?, ?, ?, 0)
       ON CONFLICT (app, key) DO NOTHING`,
    );
    this.#update = database.prepare(
      `UPDATE request_key SET record = ?, at_ms = ?, revision = revision + 1
       WHERE app = ? AND key = ? AND revision = ?`,
    );
    this.#select = database.prepare(
      "SELECT record, at_ms, revision FROM request_key WHERE app = ? AND key = ?",
    );
    this.#purge = database.prepare(
      `DELETE FROM request_key WHERE request_key IN
       (SELECT request_key FROM request_key WHERE at_ms < ? ORDER BY at_ms LIMIT ?)`,
    );
  }

  /** @throws {RequestKeyTakenError} one of them is not as it was thought to be */
  add(keys: readonly NewRequestKey[]): void {
    for (const { app, key, record, atMs, replaces } of keys) {
      const { changes } =
        replaces === undefined
          ? this.#insert.run(app, key, record, atMs)
          : this.#update.run(record, atMs, app, key, replaces);
      if (Number(changes) === 0) throw new RequestKeyTakenError("The same request key was stored meanwhile.");
    }
  }

  find(app: string, key: string): FoundRequestKey | undefined {
    const row = this.#select.get(app, key);
    if (row === undefined) return undefined;
    return { record: String(row.record), atMs: Number(row.at_ms), revision: Number(row.revision) };
  }

  purge(beforeMs: number, limit: number): number {
    return Number(this.#purge.run(beforeMs, limit).changes);
  }
}
