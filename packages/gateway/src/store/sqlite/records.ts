import type { BatchPage, BatchPageRequest } from "../listing.ts";
import type { BatchId, FoundBatch, PurgeRequest, QueueSummary, StoredNote } from "../store.ts";
import { bytesOf } from "./bytes.ts";
import type { Database, Row, Statement } from "./driver.ts";

/** Sorts behind every id. */
const afterAll = "~";

/** The statements that look up, count and forget. */
export class Records {
  readonly #selectBatch: Statement;
  readonly #selectNote: Statement;
  readonly #selectOwnId: Statement;
  readonly #selectPage: Statement;
  readonly #selectSums: Statement;
  readonly #selectBodies: Statement;
  readonly #deleteBody: Statement;
  readonly #forgetBody: Statement;
  readonly #selectRecords: Statement;
  readonly #deleteRecord: readonly Statement[];

  constructor(database: Database) {
    this.#selectBatch = database.prepare(
      `SELECT batch, app, environment, lane, count, stored_at_ms, due_at_ms, settled_at_ms, outcomes, in_doubt, bytes
       FROM batch JOIN queue USING (queue) LEFT JOIN body USING (batch) WHERE id = ?`,
    );
    this.#selectNote = database.prepare(
      "SELECT status, reason, attempts, retry_id, retry_place FROM note WHERE batch = ? AND place = ?",
    );
    this.#selectOwnId = database.prepare(
      `SELECT batch.id AS id, own_id.place AS place FROM own_id JOIN batch USING (batch)
       WHERE own_id.app = ? AND own_id.apns_id = ? ORDER BY own_id.batch DESC, own_id.place DESC LIMIT 1`,
    );
    this.#selectPage = database.prepare(
      // The inner part goes by the index on ids and ends after so many rows, whatever they are.
      `SELECT id, count, stored_at_ms, app = ?1 AND retry = 0 AS listed,
       CASE WHEN app = ?1 AND retry = 0 THEN outcomes END AS outcomes
       FROM (SELECT * FROM batch WHERE id < ?2 AND id >= ?3 ORDER BY id DESC LIMIT ?4) JOIN queue USING (queue)
       ORDER BY id DESC`,
    );
    this.#selectSums = database.prepare(
      // In two halves, for each of which there is an index: settled batches are many and are not looked at.
      `SELECT app, environment, lane, sum(open) AS notifications, sum(body_bytes) AS bytes, min(due) AS due
       FROM (SELECT queue, open, body_bytes, due_at_ms AS due FROM batch WHERE open > 0 AND node IS NULL
             UNION ALL
             SELECT queue, open, body_bytes, NULL FROM batch WHERE open > 0 AND node IS NOT NULL)
       JOIN queue USING (queue) GROUP BY queue`,
    );
    this.#selectBodies = database.prepare(
      "SELECT batch FROM batch WHERE open = 0 AND body_bytes > 0 AND settled_at_ms < ? LIMIT ?",
    );
    this.#deleteBody = database.prepare("DELETE FROM body WHERE batch = ?");
    this.#forgetBody = database.prepare("UPDATE batch SET body_bytes = 0 WHERE batch = ?");
    this.#selectRecords = database.prepare(
      `SELECT batch FROM batch WHERE open = 0 AND settled_at_ms < ?
       AND NOT EXISTS (SELECT 1 FROM note WHERE note.batch = batch.batch AND note.status = 'queued') LIMIT ?`,
    );
    this.#deleteRecord = ["body", "note", "own_id", "batch"].map((table) =>
      database.prepare(`DELETE FROM ${table} WHERE batch = ?`),
    );
  }

  find(id: BatchId, places: readonly number[]): FoundBatch | undefined {
    const row = this.#selectBatch.get(id);
    if (row === undefined) return undefined;
    const notes = new Map<number, StoredNote>();
    for (const place of places) {
      const note = this.#selectNote.get(row.batch ?? null, place);
      if (note !== undefined) notes.set(place, noteOf(note));
    }
    return {
      queue: queueOf(row),
      count: Number(row.count),
      storedAtMs: Number(row.stored_at_ms),
      dueAtMs: Number(row.due_at_ms),
      settledAtMs: numberOf(row.settled_at_ms),
      outcomes: bytesOf(row.outcomes),
      isInDoubt: row.in_doubt === 1,
      body: bytesOf(row.bytes),
      notes,
    };
  }

  findOwnId(app: string, apnsId: string): { batch: BatchId; place: number } | undefined {
    const row = this.#selectOwnId.get(app, apnsId);
    return row === undefined ? undefined : { batch: String(row.id), place: Number(row.place) };
  }

  listBatches({ app, before = afterAll, from = "", limit }: BatchPageRequest): BatchPage {
    const rows = this.#selectPage.all(app, before, from, limit);
    const batches = rows
      .filter(({ listed }) => listed === 1)
      .map((row) => ({
        id: String(row.id),
        count: Number(row.count),
        storedAtMs: Number(row.stored_at_ms),
        outcomes: bytesOf(row.outcomes),
      }));
    return { batches, last: rows.length < limit ? undefined : String(rows.at(-1)?.id) };
  }

  summarize(): readonly QueueSummary[] {
    return this.#selectSums.all().map((row) => ({
      queue: queueOf(row),
      notifications: Number(row.notifications),
      bodyBytes: Number(row.bytes),
      nextDueAtMs: numberOf(row.due),
    }));
  }

  purge(request: PurgeRequest): { bodies: number; records: number } {
    const bodies = this.#selectBodies.all(request.bodiesBeforeMs, request.limit);
    for (const { batch = null } of bodies) {
      this.#deleteBody.run(batch);
      this.#forgetBody.run(batch);
    }
    const records = this.#selectRecords.all(request.recordsBeforeMs, request.limit);
    for (const { batch = null } of records) for (const statement of this.#deleteRecord) statement.run(batch);
    return { bodies: bodies.length, records: records.length };
  }
}

function queueOf(row: Row): QueueSummary["queue"] {
  return { app: String(row.app), environment: String(row.environment), lane: String(row.lane) };
}

function noteOf(row: Row): StoredNote {
  return {
    status: String(row.status),
    attempts: String(row.attempts),
    ...(row.reason === null ? {} : { reason: String(row.reason) }),
    ...(row.retry_id === null
      ? {}
      : { waitsIn: { batch: String(row.retry_id), place: Number(row.retry_place) } }),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
