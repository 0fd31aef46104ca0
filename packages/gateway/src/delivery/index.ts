export { StoreFailedError } from "../store/index.ts";
export type { AppStatus } from "./app-status.ts";
export type { Cancellation, TooLate } from "./canceller.ts";
export type { Delivery, DeliveryHealth } from "./delivery.ts";
export { QueueFullError } from "./delivery-errors.ts";
export {
  type DraftRun,
  deviceTokenIn,
  deviceTokensOf,
  runSpan,
  type SharedDraft,
  sharedOf,
} from "./draft-run.ts";
export { type IdRun, packIds, unpackIds } from "./id-runs.ts";
export type { Inspection, NotificationContent } from "./inspector.ts";
export type { ListRequest, NotificationPage } from "./lister.ts";
export { type NotificationDraft, possibleEnvironments } from "./notification-draft.ts";
export { parseCursor, writeCursor } from "./notification-id.ts";
export { NotificationIds } from "./notification-ids.ts";
export type { Attempt, NotificationRecord } from "./notification-record.ts";
export { type DeliveryOptions, openDelivery, startDelivery } from "./open-delivery.ts";
export type { Recalled, Remembering } from "./remembering.ts";
