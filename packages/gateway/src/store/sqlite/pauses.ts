import type { StoredPause } from "../pauses.ts";
import type { Database, Statement } from "./driver.ts";

/** The statements about apps that are paused. */
export class Pauses {
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #select: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO paused_app (app, since_ms, reason) VALUES (?, ?, ?)
       ON CONFLICT (app) DO UPDATE SET reason = excluded.reason`,
    );
    this.#delete = database.prepare("DELETE FROM paused_app WHERE app = ?");
    this.#select = database.prepare("SELECT app, since_ms, reason FROM paused_app ORDER BY app");
  }

  pause({ app, sinceMs, reason }: StoredPause): void {
    this.#insert.run(app, sinceMs, reason ?? null);
  }

  resume(app: string): void {
    this.#delete.run(app);
  }

  all(): readonly StoredPause[] {
    return this.#select.all().map(({ app, since_ms, reason }) => ({
      app: String(app),
      sinceMs: Number(since_ms),
      ...(reason === null || reason === undefined ? {} : { reason: String(reason) }),
    }));
  }
}
