import type { NewVerdict, Restoration, StoredVerdict, VerdictKind } from "../verdict-store.ts";
import type { Database, Row, Statement } from "./driver.ts";
import type { Events } from "./events.ts";

/** The statements about device tokens. Each change of a verdict goes into the event log with it. */
export class Verdicts {
  readonly #events: Events;
  readonly #select: Statement;
  readonly #insert: Statement;
  readonly #confirm: Statement;
  readonly #selectAll: Statement;
  readonly #delete: Statement;
  readonly #list: Statement;
  readonly #purge: Statement;

  constructor(database: Database, events: Events) {
    this.#events = events;
    this.#select = database.prepare(
      "SELECT * FROM verdict WHERE app = ? AND device_token = ? AND environment = ?",
    );
    this.#insert = database.prepare(
      `INSERT OR REPLACE INTO verdict (app, device_token, environment, verdict, reason, since_ms, notification_id,
         first_at_ms, last_at_ms, answers, cursor)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#confirm = database.prepare(
      `UPDATE verdict SET answers = answers + 1, last_at_ms = ?, since_ms = nullif(max(coalesce(since_ms, 0), ?), 0)
       WHERE app = ? AND device_token = ? AND environment = ?`,
    );
    this.#selectAll = database.prepare("SELECT * FROM verdict WHERE app = ? AND device_token = ?");
    this.#delete = database.prepare(
      "DELETE FROM verdict WHERE app = ? AND device_token = ? AND environment = ?",
    );
    this.#list = database.prepare(
      "SELECT * FROM verdict WHERE app = ? AND cursor > ? ORDER BY cursor LIMIT ?",
    );
    this.#purge = database.prepare(
      `DELETE FROM verdict WHERE (app, device_token, environment) IN
         (SELECT app, device_token, environment FROM verdict WHERE last_at_ms < ? LIMIT ?)`,
    );
  }

  /** Writes down what an answer says; only what is new of it is told. */
  pass(verdict: NewVerdict, atMs: number): void {
    const { app, deviceToken, environment, reason, sinceMs, notificationId } = verdict;
    const known = this.#select.get(app, deviceToken, environment);
    const isNews = known === undefined || (known.verdict === "suspect" && verdict.verdict === "gone");
    if (!isNews) {
      this.#confirm.run(atMs, sinceMs ?? 0, app, deviceToken, environment);
      return;
    }
    const since = sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() };
    const data = JSON.stringify({ token: deviceToken, environment, reason, ...since, notificationId });
    const cursor = this.#events.add({ app, type: `token.${verdict.verdict}`, data }, atMs);
    this.#insert.run(
      ...[app, deviceToken, environment, verdict.verdict, reason, sinceMs ?? null, notificationId],
      ...[Number(known?.first_at_ms ?? atMs), atMs, Number(known?.answers ?? 0) + 1, cursor],
    );
  }

  passAll(verdicts: readonly NewVerdict[], atMs: number): void {
    for (const verdict of verdicts) this.pass(verdict, atMs);
  }

  restore(restorations: readonly Restoration[], atMs: number): number {
    let restored = 0;
    for (const { app, environment, deviceToken, goodAtMs = Number.POSITIVE_INFINITY, cause } of restorations)
      for (const row of this.#selectAll.all(app, deviceToken)) {
        if (environment !== undefined && row.environment !== environment) continue;
        if (Number(row.since_ms ?? row.last_at_ms) > goodAtMs) continue;
        const where = String(row.environment);
        const data = JSON.stringify({ token: deviceToken, environment: where, was: row.verdict, cause });
        this.#events.add({ app, type: "token.restored", data }, atMs);
        this.#delete.run(app, deviceToken, where);
        restored += 1;
      }
    return restored;
  }

  list(app: string, after: number, limit: number): readonly StoredVerdict[] {
    return this.#list.all(app, after, limit).map(verdictOf);
  }

  on(app: string, deviceToken: string): readonly StoredVerdict[] {
    return this.#selectAll.all(app, deviceToken).map(verdictOf);
  }

  findGone(app: string, environment: string, deviceTokens: readonly string[]): readonly StoredVerdict[] {
    return deviceTokens.flatMap((deviceToken) => {
      const row = this.#select.get(app, deviceToken, environment);
      return row?.verdict === "gone" ? [verdictOf(row)] : [];
    });
  }

  purge(beforeMs: number, limit: number): number {
    return Number(this.#purge.run(beforeMs, limit).changes);
  }
}

function verdictOf(row: Row): StoredVerdict {
  return {
    app: String(row.app),
    environment: String(row.environment),
    deviceToken: String(row.device_token),
    verdict: row.verdict as VerdictKind,
    reason: String(row.reason),
    ...(typeof row.since_ms === "number" ? { sinceMs: row.since_ms } : {}),
    notificationId: String(row.notification_id),
    cursor: Number(row.cursor),
    firstAtMs: Number(row.first_at_ms),
    lastAtMs: Number(row.last_at_ms),
    answers: Number(row.answers),
  };
}
