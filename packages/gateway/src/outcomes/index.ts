/** What became of notifications, device tokens and routes, told to those who ask. */
export { type EventType, eventTypes, idsOfRun, type OutcomeEvent } from "./event.ts";
export { defaultFeedLimits, EventFeed } from "./event-feed.ts";
export { CursorError } from "./event-log.ts";
export { EventLog } from "./stored-event-log.ts";
