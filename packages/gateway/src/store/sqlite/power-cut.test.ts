import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type NewBatch, outcomeCode } from "../store.ts";
import type { NewVerdict } from "../verdict-store.ts";
import { type Call, writing } from "./calls.ts";
import { openDataFolder } from "./data-folder.ts";
import { type Database, loadDriver } from "./driver.ts";
import { SqliteEngine } from "./engine.ts";

/*
 * A power cut leaves what was fsynced, and of what was written since any part. What the files were at one commit and at
 * the next is known; between them lies every state in which each sector is the old or the new one.
 */

const sectorBytes = 512;
const logHeaderBytes = 32;
/** CARILLON_CUTS=100 for a longer run. */
const cutsPerStep = Number(process.env.CARILLON_CUTS ?? 8);
const seed = Number(process.env.CARILLON_SEED ?? Date.now() % 2 ** 31);
const root = mkdtempSync(join(tmpdir(), "carillon-power-"));
const driver = await loadDriver();
const queue = { app: "demo", environment: "sandbox", lane: "normal" };

afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Files {
  readonly database: Buffer;
  readonly log: Buffer;
}

/** What is stored, and the files that hold it. */
interface Moment {
  readonly content: string;
  readonly files: Files;
}

test(`a power cut at any moment leaves all that was acknowledged, and nothing by halves (seed ${seed})`, () => {
  const random = generator(seed);
  const folder = openDataFolder(driver, join(root, "origin"));
  const engine = new SqliteEngine(folder);
  const moment = (): Moment => ({
    content: contentOf(folder.database),
    files: {
      database: readFileSync(join(root, "origin", "carillon.db")),
      log: readFileSync(join(root, "origin", "carillon.db-wal")),
    },
  });
  let before = moment();
  let cuts = 0;
  for (const step of steps(random)) {
    if (step === "checkpoint") folder.database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    else for (const { kind } of engine.answer(step)) expect(kind).toBe("done");
    const after = moment();
    for (let cut = 0; cut < cutsPerStep; cut += 1) {
      const found = contentAfterCut(join(root, String(cuts)), before.files, after.files, random);
      if (found !== before.content && found !== after.content)
        throw new Error(`cut ${cut} in step ${cuts / cutsPerStep} left something else`);
      cuts += 1;
    }
    expect(recovered(join(root, `whole-${cuts}`), after.files)).toBe(after.content);
    before = after;
  }
  engine.close();
}, 120_000);

/** Calls that are committed together, each kind of those that write among them, and now and then the copying of the log. */
function* steps(random: () => number): Generator<readonly Call[] | "checkpoint"> {
  const make = makerOf(random);
  let kind = 0;
  for (let step = 0; step < 45; step += 1) {
    if (step % 9 === 8) {
      yield "checkpoint";
      continue;
    }
    const due = writing[kind % writing.length] ?? "add";
    kind += 1;
    yield [make("add"), make(due), ...writing.filter(() => random() < 0.15).map((name) => make(name))];
  }
}

/** Makes calls of any kind about what the calls before have stored. */
function makerOf(random: () => number): (name: (typeof writing)[number]) => Call {
  const stored: { readonly id: string; readonly count: number }[] = [];
  let made = 0;
  const any = (most: number): number => Math.floor(random() * most);
  const some = () => stored[any(stored.length)] ?? { id: "", count: 1 };
  const batch = (kind: "original" | "retry"): NewBatch => {
    const id = `batch-${stored.length}`;
    const count = 1 + any(9);
    stored.push({ id, count });
    const body = new Uint8Array(Math.floor(random() ** 3 * 9_000) + 1).fill(stored.length);
    const ownIds = [{ place: 0, apnsId: id }];
    const leased = random() < 0.5 ? { leaseTo: "n" } : {};
    return { id, queue, count, dueAtMs: 1, storedAtMs: 1, kind, body, ownIds, ...leased };
  };
  const about = () => ({ app: "demo", environment: "sandbox", deviceToken: `${any(5)}`.repeat(64) });
  const verdict = (): NewVerdict => ({
    ...{ ...about(), notificationId: `id-${made}`, reason: "Unregistered" },
    verdict: random() < 0.5 ? "gone" : "suspect",
  });
  const event = { app: "demo", type: "route.parked", data: '{"reason":"InvalidProviderToken"}' };
  const webhooks: string[] = [];
  const webhook = (): string => webhooks[any(webhooks.length)] ?? "";
  const text = (): string => `{"made":${made}}`;
  const calls: { readonly [K in (typeof writing)[number]]: () => Extract<Call, { name: K }>["args"] } = {
    add: () => [[batch("original")], [{ app: "demo", key: `key-${made}`, record: text(), atMs: made }]],
    settle() {
      const { id, count } = some();
      const place = any(count);
      const code = [outcomeCode.accepted, outcomeCode.noted, outcomeCode.started][any(3)] ?? 1;
      const batches = [{ batch: id, places: Uint16Array.of(place), codes: Uint8Array.of(code) }];
      const status = random() < 0.5 ? "queued" : "rejected";
      const note = { batch: id, place, status, attempts: `attempt ${random()}\n`, events: [event] };
      const said = { verdict: verdict(), restorations: [{ ...about(), cause: "accepted" }], found: about() };
      return [{ node: "n", atMs: 2, batches, notes: [{ ...note, ...said }], retries: [batch("retry")] }];
    },
    claim: () => [{ node: "n", queue, dueAtMs: 9, maxBatches: 2, maxBytes: 9e9 }],
    release: () => ["n", [some().id]],
    heartbeat: () => (random() < 0.5 ? ["n", -1] : ["other", 60_000]),
    clockWentBack: () => [0],
    purge: () => [{ bodiesBeforeMs: 9, recordsBeforeMs: 9, limit: 2 }],
    pauseApp: () => [{ app: `app-${any(3)}`, sinceMs: made, reason: text() }],
    resumeApp: () => [`app-${any(3)}`],
    appendEvents: () => [[event, event], made],
    purgeEvents: () => [{ beforeMs: 0, keepBytes: 2_000, limit: 5 }],
    restore: () => [[{ ...about(), cause: "request" }], made],
    purgeVerdicts: () => [made, 1],
    purgeEnvironments: () => [made, 1],
    passVerdicts: () => [[verdict()], made],
    markFeedbackRead: () => ["demo", "sandbox", made],
    addWebhook() {
      const id = `webhook-${made}`;
      webhooks.push(id);
      return [{ id, settings: text(), progress: text() }];
    },
    changeWebhook: () => [{ id: webhook(), progress: text(), attempt: text(), keepAttempts: 2 }],
    deleteWebhook: () => [webhook()],
    purgeRequestKeys: () => [made - 5, 2],
    cancel() {
      const { id, count } = some();
      const place = any(count);
      const note = { batch: id, place, status: "cancelled", attempts: "" };
      return [{ batch: id, place, note, isInDoubt: random() < 0.5, atMs: 3 }];
    },
  };
  return (name) => {
    made += 1;
    return { name, args: calls[name]() } as Call;
  };
}

function contentAfterCut(folder: string, before: Files, after: Files, random: () => number): string {
  // Nothing, everything, or any part of what was under way.
  const share = [0, 1, random(), random()][Math.floor(random() * 4)] ?? 0;
  return recovered(folder, {
    database: mixed(before.database, after.database, share, random),
    log: mixed(headed(before.log, after.log), after.log, share, random),
  });
}

/**
 * The log as it was, with the header that it was to get. Where SQLite writes it from the front again it brings the new
 * header to disk before anything behind it (sqlite.org, ticket ff5be73dee), so that old frames no longer count.
 */
function headed(before: Buffer, after: Buffer): Buffer {
  return Buffer.concat([after.subarray(0, logHeaderBytes), before.subarray(logHeaderBytes)]);
}

/** Each sector as it was or as it was to be; the file as long as one of them, or cut in between. */
function mixed(before: Buffer, after: Buffer, share: number, random: () => number): Buffer {
  const long = Math.max(before.length, after.length);
  const short = Math.min(before.length, after.length);
  const file = Buffer.alloc(long);
  before.copy(file);
  for (let at = 0; at < after.length; at += sectorBytes)
    if (random() < share) after.copy(file, at, at, at + sectorBytes);
  return file.subarray(0, short + Math.floor(random() * (long - short + 1)));
}

/** What a start finds in these files. */
function recovered(folder: string, files: Files): string {
  mkdirSync(folder);
  writeFileSync(join(folder, "carillon.db"), files.database);
  writeFileSync(join(folder, "carillon.db-wal"), files.log);
  const opened = openDataFolder(driver, folder);
  try {
    expect(opened.database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    return contentOf(opened.database);
  } finally {
    opened.close();
    rmSync(folder, { recursive: true });
  }
}

function contentOf(database: Database): string {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
  const rows = tables.map(({ name }) => database.prepare(`SELECT * FROM ${name} ORDER BY 1, 2`).all());
  return JSON.stringify(rows, (_key, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
