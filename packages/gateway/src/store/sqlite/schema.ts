import { StoreFailedError } from "../store-errors.ts";
import type { Database } from "./driver.ts";

/**
 * The steps from an empty file to the present form; `user_version` says how many were taken. Steps are only ever added.
 *
 * - A body lies apart from its batch's row: SQLite writes a row anew as a whole when a column changes, and outcomes
 *   change often while bodies never do.
 * - `outcomes` stays NULL until the first outcome.
 * - The partial indexes hold only what waits: a batch that goes out at once, held by the node that stored it, never
 *   enters `batch_free`.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE queue (
    queue INTEGER PRIMARY KEY,
    app TEXT NOT NULL,
    environment TEXT NOT NULL,
    lane TEXT NOT NULL,
    UNIQUE (app, environment, lane)
  );
  CREATE TABLE node (
    node TEXT PRIMARY KEY,
    alive_until_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE batch (
    batch INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    queue INTEGER NOT NULL REFERENCES queue,
    retry INTEGER NOT NULL,
    count INTEGER NOT NULL,
    open INTEGER NOT NULL,
    body_bytes INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    stored_at_ms INTEGER NOT NULL,
    settled_at_ms INTEGER,
    node TEXT,
    outcomes BLOB
  );
  CREATE INDEX batch_free ON batch (queue, due_at_ms, batch) WHERE open > 0 AND node IS NULL;
  CREATE INDEX batch_held ON batch (node) WHERE open > 0 AND node IS NOT NULL;
  CREATE INDEX batch_with_body ON batch (settled_at_ms) WHERE open = 0 AND body_bytes > 0;
  CREATE INDEX batch_settled ON batch (settled_at_ms) WHERE open = 0;
  CREATE TABLE body (
    batch INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
  );
  CREATE TABLE note (
    batch INTEGER NOT NULL,
    place INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    attempts TEXT NOT NULL,
    PRIMARY KEY (batch, place)
  ) WITHOUT ROWID;
  CREATE TABLE own_id (
    app TEXT NOT NULL,
    apns_id TEXT NOT NULL,
    batch INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (app, apns_id, batch, place)
  ) WITHOUT ROWID;
  CREATE INDEX own_id_batch ON own_id (batch);
  `,
  `
  CREATE TABLE paused_app (
    app TEXT PRIMARY KEY,
    since_ms INTEGER NOT NULL,
    reason TEXT
  ) WITHOUT ROWID;
  `,
  // `bytes` counts all events up to this one, so that retention by size need not add anything up.
  `
  CREATE TABLE event (
    cursor INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    app TEXT NOT NULL,
    type TEXT NOT NULL,
    environment TEXT,
    batch TEXT,
    data NOT NULL,
    bytes INTEGER NOT NULL
  );
  CREATE TABLE verdict (
    app TEXT NOT NULL,
    device_token TEXT NOT NULL,
    environment TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    since_ms INTEGER,
    notification_id TEXT NOT NULL,
    first_at_ms INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    PRIMARY KEY (app, device_token, environment)
  ) WITHOUT ROWID;
  CREATE INDEX verdict_cursor ON verdict (app, cursor);
  CREATE INDEX verdict_age ON verdict (last_at_ms);
  `,
  // `attempts` numbers the lines of the list, of which only the newest are kept.
  `
  CREATE TABLE webhook (
    webhook INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    progress TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE webhook_attempt (
    webhook INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    PRIMARY KEY (webhook, number)
  ) WITHOUT ROWID;
  `,
  // Rows stand in the order of time, so that only the index by key is written here and there.
  `
  CREATE TABLE request_key (
    request_key INTEGER PRIMARY KEY,
    app TEXT NOT NULL,
    key TEXT NOT NULL,
    record TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (app, key)
  );
  CREATE INDEX request_key_at ON request_key (at_ms);
  ALTER TABLE note ADD COLUMN retry_id TEXT;
  ALTER TABLE note ADD COLUMN retry_place INTEGER;
  `,
  `
  CREATE TABLE feedback_reader (
    app TEXT NOT NULL,
    environment TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    PRIMARY KEY (app, environment)
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE batch ADD COLUMN in_doubt INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE token_environment (
    number INTEGER PRIMARY KEY,
    app TEXT NOT NULL,
    device_token TEXT NOT NULL,
    environment TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (app, device_token)
  );
  `,
];

/** The form that this version knows. */
export const schemaVersion = migrations.length;

/**
 * Brings the database to the present form, each step in a transaction of its own.
 * @throws {StoreFailedError} when a newer carillon has written it.
 */
export function migrate(database: Database): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version > schemaVersion)
    throw new StoreFailedError(
      `The data folder was written by a newer carillon (its schema is ${version}, this one knows ${schemaVersion}). ` +
        `Start that version, or use another data folder.`,
    );
  migrations.slice(version).forEach((step, index) => {
    database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${version + index + 1}; COMMIT`);
  });
}
