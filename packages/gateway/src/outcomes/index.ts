/** What became of notifications, device tokens and routes, told to those who ask. */
export { type EventType, eventTypes, type OutcomeEvent } from "./event.ts";
export { CursorError } from "./event-log.ts";
export type { EventSpan } from "./event-search.ts";
export type { FeedbackItem, GoneToken } from "./feedback/feedback.ts";
export { Outcomes } from "./outcomes.ts";
export { explainReason, whoActs } from "./reasons/explain-reason.ts";
export type { Explanation } from "./reasons/own-reasons.ts";
export { openWebhooks } from "./webhooks/open-webhooks.ts";
export { type Receipt, receiptsOf } from "./webhooks/receipts.ts";
export type { Webhook, WebhookAttempt } from "./webhooks/webhook.ts";
export { WebhookRefusal } from "./webhooks/webhook-refusal.ts";
export { Webhooks } from "./webhooks/webhooks.ts";
