import type { Database, Statement } from "./driver.ts";

/** The statements about what readers of feedback have read. */
export class FeedbackReaders {
  readonly #select: Statement;
  readonly #mark: Statement;

  constructor(database: Database) {
    this.#select = database.prepare("SELECT cursor FROM feedback_reader WHERE app = ? AND environment = ?");
    this.#mark = database.prepare(
      `INSERT INTO feedback_reader (app, environment, cursor) VALUES (?, ?, ?)
       ON CONFLICT (app, environment) DO UPDATE SET cursor = max(cursor, excluded.cursor)`,
    );
  }

  readUpTo(app: string, environment: string): number {
    return Number(this.#select.get(app, environment)?.cursor ?? 0);
  }

  mark(app: string, environment: string, cursor: number): void {
    this.#mark.run(app, environment, cursor);
  }
}
