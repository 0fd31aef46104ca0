export type { CancelRequest, CancelResult } from "./cancelling.ts";
export type {
  EventRequest,
  EventSlice,
  EventStore,
  EventSubject,
  NewEvent,
  NotificationRun,
  StoredEvent,
} from "./event-store.ts";
export type { FeedbackReaderStore } from "./feedback-readers.ts";
export type { BatchHead } from "./listing.ts";
export type { StoredPause } from "./pauses.ts";
export type { FoundRequestKey, NewRequestKey } from "./request-keys.ts";
export { type Holder, readHolder } from "./sqlite/data-folder.ts";
export { WorkerStore as SqliteStore } from "./sqlite/worker-store.ts";
export type {
  BatchId,
  BatchSettlement,
  Claim,
  ClaimedBatch,
  FoundBatch,
  Heartbeat,
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
export { RequestKeyTakenError, StoreFailedError, StoreFullError } from "./store-errors.ts";
export type { FoundToken, TokenEnvironmentStore } from "./token-environments.ts";
export type { NewVerdict, Restoration, StoredVerdict, VerdictKind, VerdictStore } from "./verdict-store.ts";
export type { StoredWebhook, WebhookChange, WebhookStore } from "./webhook-store.ts";
