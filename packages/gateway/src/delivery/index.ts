export { StoreFailedError } from "../store/index.ts";
export type { AppStatus } from "./app-status.ts";
export type { Delivery, DeliveryHealth } from "./delivery.ts";
export { QueueFullError } from "./delivery-errors.ts";
export { type DraftRun, runSpan, type SharedDraft } from "./draft-run.ts";
export type { NotificationDraft } from "./notification-draft.ts";
export { NotificationIds } from "./notification-ids.ts";
export type { NotificationRecord } from "./notification-record.ts";
export { type DeliveryOptions, openDelivery, startDelivery } from "./open-delivery.ts";
