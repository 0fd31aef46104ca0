import { Worker } from "node:worker_threads";
import type { CancelRequest, CancelResult } from "../cancelling.ts";
import type { EventPurge, EventRequest, EventSlice, NewEvent } from "../event-store.ts";
import type { BatchPage, BatchPageRequest } from "../listing.ts";
import type { StoredPause } from "../pauses.ts";
import type { FoundRequestKey, NewRequestKey } from "../request-keys.ts";
import type {
  BatchId,
  Claim,
  ClaimRequest,
  FoundBatch,
  Heartbeat,
  NewBatch,
  NodeId,
  PurgeRequest,
  QueueSummary,
  SettledBatch,
  Settlement,
  Store,
} from "../store.ts";
import { StoreFailedError } from "../store-errors.ts";
import type { FoundToken } from "../token-environments.ts";
import type { NewVerdict, Restoration, StoredVerdict } from "../verdict-store.ts";
import type { StoredWebhook, WebhookChange } from "../webhook-store.ts";
import { type Answer, type Call, type CallName, errorOf, type ResultOf } from "./calls.ts";
import { transfersOfCall } from "./transfers.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-messages.ts";

const closedText = "The store is closed.";

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The SQLite store, seen from the main thread: every call goes to the worker and waits for its answer. When the worker
 * dies, or its disk fails, everyone who waits is told so, and nothing is taken any more.
 */
export class WorkerStore implements Store {
  readonly failed: Promise<StoreFailedError>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #eventListeners = new Set<() => void>();
  #announceFailure: (error: StoreFailedError) => void = () => {};
  #failure: StoreFailedError | undefined;
  #nextId = 0;
  #closed: Promise<void> | undefined;
  #announceExit: () => void = () => {};

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.failed = new Promise((resolve) => {
      this.#announceFailure = resolve;
    });
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (error) => this.#fail(`The store's thread died: ${error.message}`));
    worker.on("exit", (code) => {
      this.#fail(this.#closed === undefined ? `The store's thread ended with code ${code}.` : closedText);
      this.#announceExit();
    });
  }

  /** @throws {StoreFailedError} no SQLite, the folder in use, unreadable, damaged or from a newer carillon. */
  static async open(start: WorkerStart): Promise<WorkerStore> {
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: start,
      name: "carillon-store",
      // node:sqlite calls itself experimental on standard error at every start.
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    await new Promise<void>((resolve, reject) => {
      worker.once("message", (message: FromWorker) => {
        if (message.kind === "refused") reject(new StoreFailedError(message.detail));
        else resolve();
      });
      worker.once("error", (error) => reject(new StoreFailedError(`The store's thread: ${error.message}`)));
    });
    return new WorkerStore(worker);
  }

  add(batches: readonly NewBatch[], keys?: readonly NewRequestKey[]): Promise<readonly Uint8Array[]> {
    return this.#call({ name: "add", args: keys === undefined ? [batches] : [batches, keys] });
  }

  settle(settlement: Settlement): Promise<readonly SettledBatch[]> {
    return this.#call({ name: "settle", args: [settlement] });
  }

  claim(request: ClaimRequest): Promise<Claim> {
    return this.#call({ name: "claim", args: [request] });
  }

  release(node: NodeId, inDoubt: readonly BatchId[]): Promise<void> {
    return this.#call({ name: "release", args: [node, inDoubt] });
  }

  heartbeat(node: NodeId, leaseMs: number): Promise<Heartbeat> {
    return this.#call({ name: "heartbeat", args: [node, leaseMs] });
  }

  clockWentBack(nowMs: number): Promise<number> {
    return this.#call({ name: "clockWentBack", args: [nowMs] });
  }

  summarize(): Promise<readonly QueueSummary[]> {
    return this.#call({ name: "summarize", args: [] });
  }

  find(batch: BatchId, places: readonly number[]): Promise<FoundBatch | undefined> {
    return this.#call({ name: "find", args: [batch, places] });
  }

  findOwnId(app: string, apnsId: string): Promise<{ batch: BatchId; place: number } | undefined> {
    return this.#call({ name: "findOwnId", args: [app, apnsId] });
  }

  purge(request: PurgeRequest): Promise<{ bodies: number; records: number }> {
    return this.#call({ name: "purge", args: [request] });
  }

  pauseApp(pause: StoredPause): Promise<void> {
    return this.#call({ name: "pauseApp", args: [pause] });
  }

  resumeApp(app: string): Promise<void> {
    return this.#call({ name: "resumeApp", args: [app] });
  }

  pausedApps(): Promise<readonly StoredPause[]> {
    return this.#call({ name: "pausedApps", args: [] });
  }

  appendEvents(events: readonly NewEvent[], atMs: number): Promise<void> {
    return this.#call({ name: "appendEvents", args: [events, atMs] });
  }

  readEvents(request: EventRequest): Promise<EventSlice> {
    return this.#call({ name: "readEvents", args: [request] });
  }

  seekEvent(atMs: number): Promise<number> {
    return this.#call({ name: "seekEvent", args: [atMs] });
  }

  purgeEvents(purge: EventPurge): Promise<number> {
    return this.#call({ name: "purgeEvents", args: [purge] });
  }

  onEvents(listener: () => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  restore(restorations: readonly Restoration[], atMs: number): Promise<number> {
    return this.#call({ name: "restore", args: [restorations, atMs] });
  }

  listVerdicts(app: string, after: number, limit: number): Promise<readonly StoredVerdict[]> {
    return this.#call({ name: "listVerdicts", args: [app, after, limit] });
  }

  verdictsOn(app: string, deviceToken: string): Promise<readonly StoredVerdict[]> {
    return this.#call({ name: "verdictsOn", args: [app, deviceToken] });
  }

  findGone(
    app: string,
    environment: string,
    deviceTokens: readonly string[],
  ): Promise<readonly StoredVerdict[]> {
    return this.#call({ name: "findGone", args: [app, environment, deviceTokens] });
  }

  purgeVerdicts(beforeMs: number, limit: number): Promise<number> {
    return this.#call({ name: "purgeVerdicts", args: [beforeMs, limit] });
  }

  findEnvironments(app: string, deviceTokens: readonly string[]): Promise<readonly FoundToken[]> {
    return this.#call({ name: "findEnvironments", args: [app, deviceTokens] });
  }

  purgeEnvironments(beforeMs: number, limit: number): Promise<number> {
    return this.#call({ name: "purgeEnvironments", args: [beforeMs, limit] });
  }

  passVerdicts(verdicts: readonly NewVerdict[], atMs: number): Promise<void> {
    return this.#call({ name: "passVerdicts", args: [verdicts, atMs] });
  }

  feedbackReadUpTo(app: string, environment: string): Promise<number> {
    return this.#call({ name: "feedbackReadUpTo", args: [app, environment] });
  }

  markFeedbackRead(app: string, environment: string, cursor: number): Promise<void> {
    return this.#call({ name: "markFeedbackRead", args: [app, environment, cursor] });
  }

  addWebhook(webhook: StoredWebhook): Promise<void> {
    return this.#call({ name: "addWebhook", args: [webhook] });
  }

  changeWebhook(change: WebhookChange): Promise<boolean> {
    return this.#call({ name: "changeWebhook", args: [change] });
  }

  deleteWebhook(id: string): Promise<boolean> {
    return this.#call({ name: "deleteWebhook", args: [id] });
  }

  listWebhooks(): Promise<readonly StoredWebhook[]> {
    return this.#call({ name: "listWebhooks", args: [] });
  }

  listWebhookAttempts(id: string, limit: number): Promise<readonly string[]> {
    return this.#call({ name: "listWebhookAttempts", args: [id, limit] });
  }

  cancel(request: CancelRequest): Promise<CancelResult> {
    return this.#call({ name: "cancel", args: [request] });
  }

  listBatches(request: BatchPageRequest): Promise<BatchPage> {
    return this.#call({ name: "listBatches", args: [request] });
  }

  findRequestKey(app: string, key: string): Promise<FoundRequestKey | undefined> {
    return this.#call({ name: "findRequestKey", args: [app, key] });
  }

  purgeRequestKeys(beforeMs: number, limit: number): Promise<number> {
    return this.#call({ name: "purgeRequestKeys", args: [beforeMs, limit] });
  }

  /**
   * Resolves when what was asked before is answered and the thread is gone: only then is the folder free for others,
   * for the npm package keeps a database open as long as its statements exist.
   */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#announceExit = resolve;
      if (this.#failure === undefined) this.#post({ kind: "close" });
      else void this.#worker.terminate().then(() => resolve());
    });
    return this.#closed;
  }

  #call<K extends CallName>(call: Extract<Call, { name: K }>): Promise<ResultOf<K>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed !== undefined) return Promise.reject(new StoreFailedError(closedText));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#post({ kind: "call", id, call }, transfersOfCall(call));
    });
  }

  #post(message: ToWorker, transfers: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfers);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "answers":
        for (const { id, answer } of message.answers) this.#settle(id, answer);
        if (message.hasEvents) for (const tell of this.#eventListeners) tell();
        return;
      case "failed":
        this.#fail(message.detail);
        return;
      case "opened":
      case "refused":
        return;
    }
  }

  #settle(id: number, answer: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting === undefined) return;
    if (answer.kind === "done") waiting.resolve(answer.result as never);
    else waiting.reject(errorOf(answer));
  }

  #fail(detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new StoreFailedError(detail);
    if (this.#closed === undefined) this.#announceFailure(this.#failure);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}
