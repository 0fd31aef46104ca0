/** What became of notifications, device tokens and routes, told to those who ask. */
export { type EventType, eventTypes } from "./event.ts";
export { CursorError } from "./event-log.ts";
export type { GoneToken } from "./feedback/feedback.ts";
export { Outcomes } from "./outcomes.ts";
export { explainReason } from "./reasons/explain-reason.ts";
export { openWebhooks } from "./webhooks/open-webhooks.ts";
export type { Webhook, WebhookAttempt } from "./webhooks/webhook.ts";
export { WebhookRefusal } from "./webhooks/webhook-refusal.ts";
export { Webhooks } from "./webhooks/webhooks.ts";
