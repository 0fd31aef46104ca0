/** What became of notifications, device tokens and routes, told to those who ask. */
export { type EventType, eventTypes } from "./event.ts";
export { CursorError } from "./event-log.ts";
export { Outcomes } from "./outcomes.ts";
export { explainReason } from "./reasons/explain-reason.ts";
