export { StoreFailedError } from "../store/index.ts";
export type { Delivery, DeliveryHealth } from "./delivery.ts";
export { QueueFullError } from "./delivery-errors.ts";
export type { DeliveryLogger } from "./delivery-logger.ts";
export type { DeliveryPolicy, Environment, Lane, NotificationDraft } from "./notification-draft.ts";
export type { Attempt, NotificationRecord, NotificationStatus } from "./notification-record.ts";
export { isFinal } from "./notification-record.ts";
export { type DeliveryOptions, openDelivery } from "./open-delivery.ts";
export type { Sender, SenderNotification } from "./sender.ts";
