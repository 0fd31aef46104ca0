import { RequestKeyTakenError } from "../store-errors.ts";
import { Batches } from "./batches.ts";
import { type Answer, type Call, writing } from "./calls.ts";
import type { OpenedFolder } from "./data-folder.ts";
import { type Database, faultOf, type Statement } from "./driver.ts";
import { Events } from "./events.ts";
import { FeedbackReaders } from "./feedback-readers.ts";
import { Leases } from "./leases.ts";
import { Pauses } from "./pauses.ts";
import { Records } from "./records.ts";
import { RequestKeys } from "./request-keys.ts";
import { TokenEnvironments } from "./token-environments.ts";
import { Verdicts } from "./verdicts.ts";
import { Webhooks } from "./webhooks.ts";

/** About so much is written to the log before it is copied into the database. */
const checkpointBytes = 8 * 1024 * 1024;
/** What one commit writes beside the bodies, roughly: the pages of rows and indexes. */
const commitOverheadBytes = 24 * 1024;

const changes: ReadonlySet<string> = new Set(writing);

/**
 * The store's work, synchronous and in one thread. Every group of calls is one transaction with one fsync.
 *
 * After an error of the disk nothing is tried again: the pages of a failed fsync may be lost although a second one
 * says that all is well (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). The engine is then
 * failed for good; a new start recovers from the log. A disk without room is different: the write itself was refused,
 * the transaction is undone as if it had never been, and the engine goes on.
 */
export class SqliteEngine {
  readonly #folder: OpenedFolder;
  readonly #database: Database;
  readonly #batches: Batches;
  readonly #leases: Leases;
  readonly #records: Records;
  readonly #pauses: Pauses;
  readonly #events: Events;
  readonly #verdicts: Verdicts;
  readonly #environments: TokenEnvironments;
  readonly #feedbackReaders: FeedbackReaders;
  readonly #webhooks: Webhooks;
  readonly #requestKeys: RequestKeys;
  readonly #checkpoint: Statement;
  readonly #begin: Statement;
  readonly #end: Statement;
  readonly #set: Statement;
  readonly #keep: Statement;
  #logBytes = 0;
  #failure: string | undefined;
  #isClosed = false;

  constructor(folder: OpenedFolder, now: () => number = Date.now) {
    this.#folder = folder;
    this.#database = folder.database;
    this.#events = new Events(this.#database);
    this.#verdicts = new Verdicts(this.#database, this.#events);
    this.#environments = new TokenEnvironments(this.#database);
    this.#batches = new Batches(this.#database, this.#events, this.#verdicts, this.#environments);
    this.#webhooks = new Webhooks(this.#database);
    this.#feedbackReaders = new FeedbackReaders(this.#database);
    this.#leases = new Leases(this.#database, now);
    this.#records = new Records(this.#database);
    this.#pauses = new Pauses(this.#database);
    this.#requestKeys = new RequestKeys(this.#database);
    this.#checkpoint = this.#database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#begin = this.#database.prepare("BEGIN IMMEDIATE");
    this.#end = this.#database.prepare("COMMIT");
    this.#set = this.#database.prepare("SAVEPOINT call");
    this.#keep = this.#database.prepare("RELEASE call");
    this.#leases.freeEverything();
  }

  /** Why nothing works any more; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Answers all calls: those that change something in one transaction, then those that look. The answers may be told
   * to others: what they say is on disk.
   */
  answer(calls: readonly Call[]): readonly Answer[] {
    const committed = new Map<Call, Answer>();
    const writes = calls.filter((call) => changes.has(call.name));
    if (writes.length > 0)
      this.#commit(writes).forEach((answer, index) => {
        const call = writes[index];
        if (call !== undefined) committed.set(call, answer);
      });
    return calls.map((call) => committed.get(call) ?? this.#attempt(() => this.#perform(call)));
  }

  /** Whether events were committed since this was last asked. */
  takeAppended(): boolean {
    return this.#failure === undefined && this.#events.takeAppended();
  }

  /** Copies the log into the database when it has grown. To be called when the answers are on their way. */
  tidy(): void {
    if (this.#failure !== undefined || this.#logBytes < checkpointBytes) return;
    this.#logBytes = 0;
    try {
      this.#checkpoint.all();
    } catch (error) {
      // Without room the log goes on growing, and copying is tried again later.
      if (faultOf(error) !== "full") this.#failure = messageOf(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const hasFailed = this.#failure !== undefined;
    this.#failure ??= "The store is closed.";
    try {
      if (!hasFailed) this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // The next start reads the log.
    } finally {
      this.#folder.close();
    }
  }

  #commit(writes: readonly Call[]): readonly Answer[] {
    if (this.#failure !== undefined) return all(writes, { kind: "failed", detail: this.#failure });
    try {
      this.#begin.run();
      const answers: Answer[] = [];
      for (const call of writes) answers.push(this.#performApart(call));
      this.#end.run();
      return answers;
    } catch (error) {
      return all(writes, this.#undo(error));
    }
  }

  /** One call inside the transaction: a call that is at fault itself is undone alone. */
  #performApart(call: Call): Answer {
    this.#set.run();
    try {
      const result = this.#perform(call);
      this.#keep.run();
      this.#logBytes += commitOverheadBytes + bodyBytes(call);
      return { kind: "done", result };
    } catch (error) {
      if (faultOf(error) !== "other") throw error;
      this.#database.exec("ROLLBACK TO call; RELEASE call");
      this.#batches.forgetQueues();
      const kind = error instanceof RequestKeyTakenError ? "key-taken" : "refused";
      return { kind, detail: messageOf(error) };
    }
  }

  #undo(error: unknown): Answer {
    this.#batches.forgetQueues();
    const detail = messageOf(error);
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has undone it already, as it does when the disk is full; or nothing works any more.
    }
    if (faultOf(error) === "full") {
      // Once it is copied, the room that the log has taken can be used again.
      this.#logBytes = checkpointBytes;
      return { kind: "full", detail };
    }
    this.#failure = detail;
    return { kind: "failed", detail };
  }

  #attempt(look: () => unknown): Answer {
    if (this.#failure !== undefined) return { kind: "failed", detail: this.#failure };
    try {
      return { kind: "done", result: look() };
    } catch (error) {
      const detail = messageOf(error);
      if (faultOf(error) === "other") return { kind: "refused", detail };
      this.#failure = detail;
      return { kind: "failed", detail };
    }
  }

  #perform(call: Call): unknown {
    switch (call.name) {
      case "add":
        this.#requestKeys.add(call.args[1] ?? []);
        return this.#batches.add(call.args[0]);
      case "settle":
        return this.#batches.settle(...call.args);
      case "claim":
        return this.#batches.claim(...call.args);
      case "release":
        return this.#leases.release(...call.args);
      case "heartbeat":
        return this.#leases.heartbeat(...call.args);
      case "clockWentBack":
        return this.#batches.clockWentBack(...call.args);
      case "purge":
        return this.#records.purge(...call.args);
      case "pauseApp":
        return this.#pauses.pause(...call.args);
      case "resumeApp":
        return this.#pauses.resume(...call.args);
      case "pausedApps":
        return this.#pauses.all();
      case "appendEvents":
        return this.#events.append(...call.args);
      case "purgeEvents":
        return this.#events.purge(...call.args);
      case "restore":
        return this.#verdicts.restore(...call.args);
      case "purgeVerdicts":
        return this.#verdicts.purge(...call.args);
      case "purgeEnvironments":
        return this.#environments.purge(...call.args);
      case "passVerdicts":
        return this.#verdicts.passAll(...call.args);
      case "markFeedbackRead":
        return this.#feedbackReaders.mark(...call.args);
      case "feedbackReadUpTo":
        return this.#feedbackReaders.readUpTo(...call.args);
      case "addWebhook":
        return this.#webhooks.add(...call.args);
      case "changeWebhook":
        return this.#webhooks.change(...call.args);
      case "deleteWebhook":
        return this.#webhooks.delete(...call.args);
      case "readEvents":
        return this.#events.read(...call.args);
      case "seekEvent":
        return this.#events.seek(...call.args);
      case "listVerdicts":
        return this.#verdicts.list(...call.args);
      case "verdictsOn":
        return this.#verdicts.on(...call.args);
      case "findGone":
        return this.#verdicts.findGone(...call.args);
      case "findEnvironments":
        return this.#environments.find(...call.args);
      case "listWebhooks":
        return this.#webhooks.list();
      case "listWebhookAttempts":
        return this.#webhooks.attempts(...call.args);
      case "cancel":
        return this.#batches.cancel(...call.args);
      case "purgeRequestKeys":
        return this.#requestKeys.purge(...call.args);
      case "listBatches":
        return this.#records.listBatches(...call.args);
      case "findRequestKey":
        return this.#requestKeys.find(...call.args);
      case "summarize":
        return this.#records.summarize();
      case "find":
        return this.#records.find(...call.args);
      case "findOwnId":
        return this.#records.findOwnId(...call.args);
    }
  }
}

function all(calls: readonly Call[], answer: Answer): readonly Answer[] {
  return calls.map(() => answer);
}

function bodyBytes(call: Call): number {
  const batches = call.name === "add" ? call.args[0] : call.name === "settle" ? call.args[0].retries : [];
  return batches.reduce((sum, { body }) => sum + body.byteLength, 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
