import type { Store } from "../store.ts";
import { StoreFailedError } from "../store-errors.ts";
import { type Answer, type Call, type CallName, errorOf, type ResultOf } from "./calls.ts";
import type { SqliteEngine } from "./engine.ts";

/**
 * The engine behind the store's interface in the caller's own thread, for tests: they can hold its clock and its disk.
 * Calls of one turn of the event loop share a commit, as they do in the worker.
 */
export function inThreadStore(engine: SqliteEngine): Store {
  let announceFailure: (error: StoreFailedError) => void = () => {};
  const failed = new Promise<StoreFailedError>((resolve) => {
    announceFailure = resolve;
  });
  const eventListeners = new Set<() => void>();
  let group: { call: Call; settle: (answer: Answer) => void }[] = [];

  const commit = (): void => {
    const commits = group;
    group = [];
    const answers = engine.answer(commits.map(({ call }) => call));
    commits.forEach(({ settle }, index) => {
      settle(answers[index] ?? { kind: "failed", detail: "no answer" });
    });
    if (engine.takeAppended()) for (const tell of eventListeners) tell();
    engine.tidy();
    if (engine.failure !== undefined) announceFailure(new StoreFailedError(engine.failure));
  };
  const ask = <K extends CallName>(call: Extract<Call, { name: K }>): Promise<ResultOf<K>> =>
    new Promise((resolve, reject) => {
      if (group.length === 0) setImmediate(commit);
      group.push({
        call,
        settle(answer) {
          if (answer.kind === "done") resolve(answer.result as ResultOf<K>);
          else reject(errorOf(answer));
        },
      });
    });

  return {
    failed,
    add: (batches, keys) => ask({ name: "add", args: keys === undefined ? [batches] : [batches, keys] }),
    settle: (settlement) => ask({ name: "settle", args: [settlement] }),
    claim: (request) => ask({ name: "claim", args: [request] }),
    release: (node, inDoubt) => ask({ name: "release", args: [node, inDoubt] }),
    heartbeat: (node, leaseMs) => ask({ name: "heartbeat", args: [node, leaseMs] }),
    clockWentBack: (nowMs) => ask({ name: "clockWentBack", args: [nowMs] }),
    summarize: () => ask({ name: "summarize", args: [] }),
    find: (batch, places) => ask({ name: "find", args: [batch, places] }),
    findOwnId: (app, apnsId) => ask({ name: "findOwnId", args: [app, apnsId] }),
    purge: (request) => ask({ name: "purge", args: [request] }),
    pauseApp: (pause) => ask({ name: "pauseApp", args: [pause] }),
    resumeApp: (app) => ask({ name: "resumeApp", args: [app] }),
    pausedApps: () => ask({ name: "pausedApps", args: [] }),
    appendEvents: (events, atMs) => ask({ name: "appendEvents", args: [events, atMs] }),
    readEvents: (request) => ask({ name: "readEvents", args: [request] }),
    seekEvent: (atMs) => ask({ name: "seekEvent", args: [atMs] }),
    purgeEvents: (purge) => ask({ name: "purgeEvents", args: [purge] }),
    onEvents(listener) {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
    },
    restore: (restorations, atMs) => ask({ name: "restore", args: [restorations, atMs] }),
    listVerdicts: (app, after, limit) => ask({ name: "listVerdicts", args: [app, after, limit] }),
    verdictsOn: (app, deviceToken) => ask({ name: "verdictsOn", args: [app, deviceToken] }),
    findGone: (app, environment, deviceTokens) =>
      ask({ name: "findGone", args: [app, environment, deviceTokens] }),
    purgeVerdicts: (beforeMs, limit) => ask({ name: "purgeVerdicts", args: [beforeMs, limit] }),
    findEnvironments: (app, deviceTokens) => ask({ name: "findEnvironments", args: [app, deviceTokens] }),
    purgeEnvironments: (beforeMs, limit) => ask({ name: "purgeEnvironments", args: [beforeMs, limit] }),
    passVerdicts: (verdicts, atMs) => ask({ name: "passVerdicts", args: [verdicts, atMs] }),
    feedbackReadUpTo: (app, environment) => ask({ name: "feedbackReadUpTo", args: [app, environment] }),
    markFeedbackRead: (app, environment, cursor) =>
      ask({ name: "markFeedbackRead", args: [app, environment, cursor] }),
    addWebhook: (webhook) => ask({ name: "addWebhook", args: [webhook] }),
    changeWebhook: (change) => ask({ name: "changeWebhook", args: [change] }),
    deleteWebhook: (id) => ask({ name: "deleteWebhook", args: [id] }),
    listWebhooks: () => ask({ name: "listWebhooks", args: [] }),
    listWebhookAttempts: (id, limit) => ask({ name: "listWebhookAttempts", args: [id, limit] }),
    cancel: (request) => ask({ name: "cancel", args: [request] }),
    listBatches: (request) => ask({ name: "listBatches", args: [request] }),
    findRequestKey: (app, key) => ask({ name: "findRequestKey", args: [app, key] }),
    purgeRequestKeys: (beforeMs, limit) => ask({ name: "purgeRequestKeys", args: [beforeMs, limit] }),
    async close() {
      if (group.length > 0) commit();
      engine.close();
    },
  };
}
