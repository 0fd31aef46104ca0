import type { EventPurge, EventRequest, EventSlice, NewEvent, StoredEvent } from "../event-store.ts";
import type { BatchId, Note } from "../store.ts";
import { bytesOf } from "./bytes.ts";
import type { Database, Row, Statement } from "./driver.ts";

/** One look goes over so many events at most, so that a filter that nothing passes does not hold up others. */
const farthestLook = 10_000;
/** What an event takes beside its data, roughly. */
const overheadBytes = 80;

/** The statements of the event log. Cursors are row ids: 1, 2, 3 … as they are committed, by the only one who writes. */
export class Events {
  readonly #insert: Statement;
  readonly #insertRun: Statement;
  readonly #select: Statement;
  readonly #selectAbout: Statement;
  readonly #selectTime: Statement;
  readonly #selectEnds: Statement;
  readonly #selectOldest: Statement;
  readonly #delete: Statement;
  #hasAppended = false;

  constructor(database: Database) {
    const bytes = `?1 + coalesce((SELECT bytes FROM event ORDER BY cursor DESC LIMIT 1), 0)`;
    this.#insert = database.prepare(
      `INSERT INTO event (bytes, at_ms, app, type, data) VALUES (${bytes}, ?2, ?3, ?4, ?5)`,
    );
    this.#insertRun = database.prepare(
      `INSERT INTO event (bytes, at_ms, type, batch, data, app, environment)
       SELECT ${bytes}, ?2, ?3, ?4, ?5, app, coalesce(?6, environment) FROM batch JOIN queue USING (queue) WHERE id = ?4`,
    );
    const select = (condition: string): Statement =>
      database.prepare(
        `SELECT cursor, at_ms, app, type, environment, batch, data FROM event
         WHERE cursor > ?1 AND cursor <= ?2 AND (?3 IS NULL OR app = ?3)
         AND type IN (SELECT value FROM json_each(?4)) ${condition} ORDER BY cursor LIMIT ?5`,
      );
    this.#select = select("");
    this.#selectAbout = select("AND CASE WHEN batch IS NULL THEN instr(data, ?7) > 0 ELSE batch = ?6 END");
    this.#selectTime = database.prepare("SELECT at_ms FROM event WHERE cursor = ?");
    this.#selectEnds = database.prepare(
      `SELECT (SELECT cursor FROM event ORDER BY cursor LIMIT 1) AS oldest,
              (SELECT cursor FROM event ORDER BY cursor DESC LIMIT 1) AS newest,
              (SELECT bytes FROM event ORDER BY cursor DESC LIMIT 1) AS bytes`,
    );
    this.#selectOldest = database.prepare(
      `SELECT max(cursor) AS cursor, count(*) AS count FROM
         (SELECT cursor, at_ms, bytes FROM event ORDER BY cursor LIMIT ?1)
       WHERE cursor < ?2 AND (at_ms < ?3 OR bytes <= ?4)`,
    );
    this.#delete = database.prepare("DELETE FROM event WHERE cursor <= ?");
  }

  append(events: readonly NewEvent[], atMs: number): void {
    for (const event of events) this.add(event, atMs);
  }

  /** Appends one and gives its cursor. */
  add({ app, type, data }: NewEvent, atMs: number): number {
    this.#hasAppended = true;
    const { lastInsertRowid } = this.#insert.run(data.length + overheadBytes, atMs, app, type, data);
    return Number(lastInsertRowid);
  }

  /**
   * @param places in any order, each once
   * @param environment where it happened. @default the batch's
   */
  appendRun(type: string, batch: BatchId, places: number[], atMs: number, environment?: string): void {
    const stretches = stretchesOf(places);
    const data = new Uint8Array(stretches.buffer);
    this.#hasAppended = true;
    this.#insertRun.run(data.byteLength + overheadBytes, atMs, type, batch, data, environment ?? null);
  }

  /** For a note that brought no words of its own: told as a run of one. */
  appendNote({ status, batch, place }: Note, atMs: number): void {
    this.appendRun(`notification.${status}`, batch, [place], atMs);
  }

  read({ after, upTo, app, types, about, limit }: EventRequest): EventSlice {
    const { oldest, newest } = this.#ends();
    const farthest = Math.min(upTo ?? Number.POSITIVE_INFINITY, after + farthestLook, newest);
    const asked = [after, farthest, app ?? null, JSON.stringify(types), limit] as const;
    const rows =
      about === undefined
        ? this.#select.all(...asked)
        : this.#selectAbout.all(...asked, about.batch ?? null, about.text);
    const events = rows.map(eventOf);
    const last = events.length === limit ? events.at(-1)?.cursor : undefined;
    return { events, cursor: last ?? Math.max(farthest, after), oldest, newest };
  }

  /** By halves: cursors have no gaps. */
  seek(atMs: number): number {
    const { oldest, newest } = this.#ends();
    let before = oldest - 1;
    let from = newest + 1;
    while (from - before > 1) {
      const middle = Math.floor((before + from) / 2);
      if (Number(this.#selectTime.get(middle)?.at_ms) < atMs) before = middle;
      else from = middle;
    }
    return before;
  }

  /** The newest stays, whatever its age: what follows it must get a higher cursor. */
  purge({ beforeMs, keepBytes, limit }: EventPurge): number {
    const { newest = null, bytes = null } = this.#selectEnds.get() ?? {};
    if (newest === null) return 0;
    const found = this.#selectOldest.get(limit, newest, beforeMs, Number(bytes) - keepBytes);
    if (found === undefined || found.cursor === null) return 0;
    this.#delete.run(found.cursor ?? null);
    return Number(found.count);
  }

  takeAppended(): boolean {
    const hasAppended = this.#hasAppended;
    this.#hasAppended = false;
    return hasAppended;
  }

  #ends(): { readonly oldest: number; readonly newest: number } {
    const ends = this.#selectEnds.get();
    return { oldest: Number(ends?.oldest ?? 1), newest: Number(ends?.newest ?? 0) };
  }
}

function eventOf(row: Row): StoredEvent {
  const run = bytesOf(row.data);
  const data =
    run === undefined
      ? String(row.data)
      : {
          batch: String(row.batch),
          environment: String(row.environment),
          stretches: new Uint16Array(run.slice().buffer),
        };
  return {
    cursor: Number(row.cursor),
    atMs: Number(row.at_ms),
    app: String(row.app),
    type: String(row.type),
    data,
  };
}

/** The first and the last of all stretches without a gap. */
function stretchesOf(places: number[]): Uint16Array {
  const stretches: number[] = [];
  let last = -2;
  for (const place of inOrder(places)) {
    if (place === last + 1) stretches[stretches.length - 1] = place;
    else stretches.push(place, place);
    last = place;
  }
  return Uint16Array.from(stretches);
}

/** Most come in order already. */
function inOrder(places: number[]): readonly number[] {
  const isInOrder = places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0));
  return isInOrder ? places : places.sort((one, other) => one - other);
}
