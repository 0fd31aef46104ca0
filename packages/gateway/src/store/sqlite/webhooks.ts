import type { StoredWebhook, WebhookChange } from "../webhook-store.ts";
import type { Database, Statement } from "./driver.ts";

/** The statements of webhook endpoints. */
export class Webhooks {
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #insertAttempt: Statement;
  readonly #trimAttempts: Statement;
  readonly #deleteAttempts: Statement;
  readonly #delete: Statement;
  readonly #select: Statement;
  readonly #selectAttempts: Statement;

  constructor(database: Database) {
    const webhook = "(SELECT webhook FROM webhook WHERE id = ?1)";
    this.#insert = database.prepare("INSERT INTO webhook (id, settings, progress) VALUES (?, ?, ?)");
    this.#update = database.prepare(
      `UPDATE webhook SET settings = coalesce(?2, settings), progress = coalesce(?3, progress),
              attempts = attempts + ?4
       WHERE id = ?1`,
    );
    this.#insertAttempt = database.prepare(
      `INSERT INTO webhook_attempt (webhook, number, attempt)
       SELECT webhook, attempts, ?2 FROM webhook WHERE id = ?1`,
    );
    this.#trimAttempts = database.prepare(
      `DELETE FROM webhook_attempt WHERE webhook = ${webhook}
       AND number <= (SELECT attempts FROM webhook WHERE id = ?1) - ?2`,
    );
    this.#deleteAttempts = database.prepare(`DELETE FROM webhook_attempt WHERE webhook = ${webhook}`);
    this.#delete = database.prepare("DELETE FROM webhook WHERE id = ?");
    this.#select = database.prepare("SELECT id, settings, progress FROM webhook ORDER BY webhook");
    this.#selectAttempts = database.prepare(
      `SELECT attempt FROM webhook_attempt WHERE webhook = ${webhook} ORDER BY number DESC LIMIT ?2`,
    );
  }

  add({ id, settings, progress }: StoredWebhook): void {
    this.#insert.run(id, settings, progress);
  }

  change({ id, settings, progress, attempt, keepAttempts }: WebhookChange): boolean {
    const more = attempt === undefined ? 0 : 1;
    const { changes } = this.#update.run(id, settings ?? null, progress ?? null, more);
    if (Number(changes) === 0) return false;
    if (attempt !== undefined) {
      this.#insertAttempt.run(id, attempt);
      this.#trimAttempts.run(id, keepAttempts);
    }
    return true;
  }

  delete(id: string): boolean {
    this.#deleteAttempts.run(id);
    return Number(this.#delete.run(id).changes) > 0;
  }

  list(): readonly StoredWebhook[] {
    return this.#select.all().map(({ id, settings, progress }) => ({
      id: String(id),
      settings: String(settings),
      progress: String(progress),
    }));
  }

  attempts(id: string, limit: number): readonly string[] {
    return this.#selectAttempts.all(id, limit).map(({ attempt }) => String(attempt));
  }
}
