import type { CancelRequest, CancelResult } from "../cancelling.ts";
import {
  type BatchSettlement,
  type Claim,
  type ClaimRequest,
  type NewBatch,
  type NodeId,
  type Note,
  outcomeCode,
  type QueueKey,
  type SettledBatch,
  type Settlement,
} from "../store.ts";
import { bytesOf } from "./bytes.ts";
import type { Database, Row, Statement } from "./driver.ts";
import type { Events } from "./events.ts";
import { SettlementEvents } from "./settlement-events.ts";
import type { TokenEnvironments } from "./token-environments.ts";
import type { Verdicts } from "./verdicts.ts";

/** The statements that bring batches in, hand them out and settle them. Each method runs inside a transaction. */
export class Batches {
  /** Numbers of the queues, so that a batch's row holds one small number. */
  readonly #queues = new Map<string, number>();
  readonly #events: Events;
  readonly #verdicts: Verdicts;
  readonly #environments: TokenEnvironments;
  readonly #insertQueue: Statement;
  readonly #selectQueue: Statement;
  readonly #insertBatch: Statement;
  readonly #insertBody: Statement;
  readonly #insertOwnId: Statement;
  readonly #selectOutcomes: Statement;
  readonly #updateOutcomes: Statement;
  readonly #insertNote: Statement;
  readonly #deleteBatch: Statement;
  readonly #deleteBody: Statement;
  readonly #selectFree: Statement;
  readonly #selectNextDue: Statement;
  readonly #lease: Statement;
  readonly #waitAnew: Statement;

  constructor(database: Database, events: Events, verdicts: Verdicts, environments: TokenEnvironments) {
    this.#events = events;
    this.#verdicts = verdicts;
    this.#environments = environments;
    this.#insertQueue = database.prepare(
      "INSERT INTO queue (app, environment, lane) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#selectQueue = database.prepare(
      "SELECT queue FROM queue WHERE app = ? AND environment = ? AND lane = ?",
    );
    this.#insertBatch = database.prepare(
      `INSERT INTO batch (id, queue, retry, count, open, body_bytes, due_at_ms, stored_at_ms, node)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertBody = database.prepare("INSERT INTO body (batch, bytes) VALUES (?, ?)");
    this.#insertOwnId = database.prepare(
      "INSERT INTO own_id (app, apns_id, batch, place) VALUES (?, ?, ?, ?)",
    );
    this.#selectOutcomes = database.prepare(
      "SELECT batch, retry, count, open, node, outcomes, in_doubt FROM batch WHERE id = ?",
    );
    this.#updateOutcomes = database.prepare(
      "UPDATE batch SET outcomes = ?, open = ?, settled_at_ms = ? WHERE batch = ?",
    );
    this.#insertNote = database.prepare(
      `INSERT INTO note (batch, place, status, reason, attempts, retry_id, retry_place)
       SELECT batch, ?, ?, ?, ?, ?, ? FROM batch WHERE id = ?
       ON CONFLICT (batch, place) DO UPDATE
       SET status = excluded.status, reason = excluded.reason, attempts = attempts || excluded.attempts,
       retry_id = excluded.retry_id, retry_place = excluded.retry_place
       WHERE status = 'queued'`,
    );
    this.#deleteBatch = database.prepare("DELETE FROM batch WHERE batch = ?");
    this.#deleteBody = database.prepare("DELETE FROM body WHERE batch = ?");
    this.#selectFree = database.prepare(
      `SELECT batch, id, count, stored_at_ms, due_at_ms, body_bytes, outcomes, in_doubt, bytes
       FROM batch JOIN body USING (batch)
       WHERE queue = ? AND due_at_ms <= ? AND open > 0 AND node IS NULL
       ORDER BY due_at_ms, batch LIMIT ?`,
    );
    this.#selectNextDue = database.prepare(
      `SELECT due_at_ms FROM batch WHERE queue = ? AND open > 0 AND node IS NULL
       ORDER BY due_at_ms, batch LIMIT 1`,
    );
    this.#lease = database.prepare("UPDATE batch SET node = ? WHERE batch = ?");
    this.#waitAnew = database.prepare(
      `UPDATE batch SET due_at_ms = ?1 + max(due_at_ms - stored_at_ms, 0)
       WHERE open > 0 AND node IS NULL AND stored_at_ms > ?1 AND due_at_ms > ?1
       AND (retry = 1 OR due_at_ms <= stored_at_ms)`,
    );
  }

  add(batches: readonly NewBatch[]): readonly Uint8Array[] {
    return batches.map((batch) => {
      const { lastInsertRowid } = this.#insertBatch.run(
        batch.id,
        this.#queueNumber(batch.queue),
        batch.kind === "retry" ? 1 : 0,
        batch.count,
        batch.count,
        batch.body.byteLength,
        batch.dueAtMs,
        batch.storedAtMs,
        batch.leaseTo ?? null,
      );
      const number = Number(lastInsertRowid);
      this.#insertBody.run(number, batch.body);
      for (const { place, apnsId } of batch.ownIds)
        this.#insertOwnId.run(batch.queue.app, apnsId, number, place);
      return batch.body;
    });
  }

  settle({ node, atMs, batches, notes, retries }: Settlement): readonly SettledBatch[] {
    const events = new SettlementEvents();
    const settled = batches.map((batch) => this.#settleBatch(batch, node, atMs, events));
    const counted = notes.filter((note) => this.#note(note));
    for (const note of counted) events.noted(note);
    this.add(retries);
    events.appendTo(this.#events, atMs);
    for (const { verdict, restorations, found } of counted) {
      if (found !== undefined) this.#environments.learn(found, atMs);
      if (verdict !== undefined) this.#verdicts.pass(verdict, atMs);
      if (restorations !== undefined) this.#verdicts.restore(restorations, atMs);
    }
    return settled;
  }

  claim(request: ClaimRequest): Claim {
    const queue = this.#queueNumber(request.queue);
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.#selectFree.iterate(queue, request.dueAtMs, request.maxBatches)) {
      bytes += Number(row.body_bytes);
      if (rows.length > 0 && bytes > request.maxBytes) break;
      rows.push(row);
    }
    for (const row of rows) this.#lease.run(request.node, row.batch ?? null);
    const nextDue = this.#selectNextDue.get(queue)?.due_at_ms;
    return {
      batches: rows.map((row) => ({
        id: String(row.id),
        count: Number(row.count),
        storedAtMs: Number(row.stored_at_ms),
        dueAtMs: Number(row.due_at_ms),
        body: bytesOf(row.bytes) ?? new Uint8Array(),
        outcomes: bytesOf(row.outcomes),
        isInDoubt: row.in_doubt === 1,
      })),
      nextDueAtMs: nextDue === undefined ? undefined : Number(nextDue),
    };
  }

  cancel({ batch, place, note, atMs, isInDoubt, node }: CancelRequest): CancelResult {
    const row = this.#selectOutcomes.get(batch);
    if (row === undefined || place >= Number(row.count)) return { kind: "over" };
    if (row.node !== (node ?? null) || (row.in_doubt === 1) !== isInDoubt) return { kind: "held" };
    const code = bytesOf(row.outcomes)?.[place] ?? outcomeCode.open;
    // Its holder alone knows that what it had begun to send came back.
    const waits = code === outcomeCode.open || (code === outcomeCode.started && node !== undefined);
    if (!waits) return { kind: "over" };
    const places = Uint16Array.of(place);
    const codes = Uint8Array.of(outcomeCode.noted);
    const events = new SettlementEvents();
    const { open } = this.#settleBatch({ batch, places, codes }, node ?? "", atMs, events);
    if (this.#note(note)) events.noted(note);
    events.appendTo(this.#events, atMs);
    return { kind: "cancelled", open };
  }

  clockWentBack(nowMs: number): number {
    return Number(this.#waitAnew.run(nowMs).changes);
  }

  /** After a rollback: rows of queues that were new in it are gone, and their numbers with them. */
  forgetQueues(): void {
    this.#queues.clear();
  }

  #settleBatch(
    { batch: id, places, codes }: BatchSettlement,
    node: NodeId,
    atMs: number,
    events: SettlementEvents,
  ): SettledBatch {
    const row = this.#selectOutcomes.get(id);
    // A retry that is done leaves nothing: this is an echo of something settled.
    if (row === undefined) return { settled: 0, open: 0, isHeld: false };
    const number = Number(row.batch);
    const isHeld = row.node === node;
    const outcomes = bytesOf(row.outcomes) ?? new Uint8Array(Number(row.count));
    let settled = 0;
    places.forEach((place, index) => {
      const before = outcomes[place];
      const after = codes[index];
      if (after === undefined || (before !== outcomeCode.open && before !== outcomeCode.started)) return;
      if (after === outcomeCode.started && !isHeld) return;
      outcomes[place] = after;
      if (after === outcomeCode.accepted || after === outcomeCode.noted) settled += 1;
      if (after === outcomeCode.accepted) events.accepted(id, place);
    });
    const open = Number(row.open) - settled;
    if (open === 0 && row.retry === 1) {
      this.#deleteBatch.run(number);
      this.#deleteBody.run(number);
    } else this.#updateOutcomes.run(outcomes, open, atMs, number);
    return { settled, open, isHeld };
  }

  /** Whether it counts: what has ended once has no other end. */
  #note(note: Note): boolean {
    const { batch, place, status, reason = null, attempts, waitsIn } = note;
    const retry = [waitsIn?.batch ?? null, waitsIn?.place ?? null] as const;
    return Number(this.#insertNote.run(place, status, reason, attempts, ...retry, batch).changes) > 0;
  }

  #queueNumber(key: QueueKey): number {
    const name = `${key.app}\n${key.environment}\n${key.lane}`;
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    this.#insertQueue.run(key.app, key.environment, key.lane);
    const number = Number(this.#selectQueue.get(key.app, key.environment, key.lane)?.queue);
    this.#queues.set(name, number);
    return number;
  }
}
