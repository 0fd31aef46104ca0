export { WorkerStore as SqliteStore } from "./sqlite/worker-store.ts";
export type {
  BatchId,
  BatchSettlement,
  Claim,
  ClaimedBatch,
  FoundBatch,
  NewBatch,
  NodeId,
  Note,
  OutcomeCode,
  QueueKey,
  QueueSummary,
  SettledBatch,
  Settlement,
  Store,
} from "./store.ts";
export { outcomeCode } from "./store.ts";
export { StoreFailedError, StoreFullError } from "./store-errors.ts";
