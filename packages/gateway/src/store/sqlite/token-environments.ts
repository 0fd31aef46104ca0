import { type FoundToken, mostFoundTokens } from "../token-environments.ts";
import type { Database, Statement } from "./driver.ts";

/** The statements about where device tokens belong. Rows are numbered in the order in which they were found. */
export class TokenEnvironments {
  readonly #most: number;
  readonly #replace: Statement;
  readonly #makeRoom: Statement;
  readonly #select: Statement;
  readonly #purge: Statement;

  constructor(database: Database, most = mostFoundTokens) {
    this.#most = most;
    this.#replace = database.prepare(
      "INSERT OR REPLACE INTO token_environment (app, device_token, environment, at_ms) VALUES (?, ?, ?, ?)",
    );
    this.#makeRoom = database.prepare("DELETE FROM token_environment WHERE number <= ?");
    this.#select = database.prepare(
      "SELECT environment FROM token_environment WHERE app = ? AND device_token = ?",
    );
    this.#purge = database.prepare(
      `DELETE FROM token_environment WHERE number IN
         (SELECT number FROM token_environment ORDER BY number LIMIT ?2) AND at_ms < ?1`,
    );
  }

  learn({ app, deviceToken, environment }: FoundToken, atMs: number): void {
    const { lastInsertRowid } = this.#replace.run(app, deviceToken, environment, atMs);
    this.#makeRoom.run(Number(lastInsertRowid) - this.#most);
  }

  find(app: string, deviceTokens: readonly string[]): readonly FoundToken[] {
    return deviceTokens.flatMap((deviceToken) => {
      const row = this.#select.get(app, deviceToken);
      return row === undefined ? [] : [{ app, deviceToken, environment: String(row.environment) }];
    });
  }

  purge(beforeMs: number, limit: number): number {
    return Number(this.#purge.run(beforeMs, limit).changes);
  }
}
