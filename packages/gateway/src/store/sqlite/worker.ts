import assert from "node:assert/strict";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Call } from "./calls.ts";
import { openDataFolder } from "./data-folder.ts";
import { loadDriver } from "./driver.ts";
import { SqliteEngine } from "./engine.ts";
import { transfersOfAnswer } from "./transfers.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-messages.ts";

/** So many calls at most share one transaction, so that the first of them does not wait for too many others. */
const maxCallsPerCommit = 256;

interface NumberedCall {
  readonly id: number;
  readonly call: Call;
}

assert(parentPort !== null, "this file runs as a worker thread");
const port = parentPort;
await serve(workerData as WorkerStart);

/** Opens the store, then commits in groups: whatever arrives while a commit runs is taken up by the next one. */
async function serve({ dataDir }: WorkerStart): Promise<void> {
  let engine: SqliteEngine;
  try {
    const driver = await loadDriver();
    engine = new SqliteEngine(openDataFolder(driver, dataDir));
    tell({ kind: "opened", driver: driver.name });
  } catch (error) {
    tell({ kind: "refused", detail: error instanceof Error ? error.message : String(error) });
    return;
  }
  port.on("message", (first: ToWorker) => {
    const calls: NumberedCall[] = [];
    let next: ToWorker | undefined = first;
    while (next?.kind === "call") {
      calls.push(next);
      next = calls.length < maxCallsPerCommit ? receive() : undefined;
    }
    if (calls.length > 0) answer(engine, calls);
    if (next?.kind === "close") close(engine);
  });
}

function receive(): ToWorker | undefined {
  return receiveMessageOnPort(port)?.message as ToWorker | undefined;
}

function answer(engine: SqliteEngine, calls: readonly NumberedCall[]): void {
  const wasFailed = engine.failure !== undefined;
  const results = engine.answer(calls.map(({ call }) => call));
  const answers = calls.flatMap(({ id }, index) => {
    const given = results[index];
    return given === undefined ? [] : [{ id, answer: given }];
  });
  tell(
    { kind: "answers", answers, hasEvents: engine.takeAppended() },
    calls.flatMap(({ call }, index) => {
      const given = results[index];
      return given === undefined ? [] : transfersOfAnswer(call.name, given);
    }),
  );
  engine.tidy();
  if (!wasFailed && engine.failure !== undefined) tell({ kind: "failed", detail: engine.failure });
}

function close(engine: SqliteEngine): void {
  try {
    engine.close();
  } finally {
    port.close();
  }
}

function tell(message: FromWorker, transfers: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfers);
}
