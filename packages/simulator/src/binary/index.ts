/** The retired binary protocol, seen from Apple's side: the gateway's half of a connection, and what feedback waits for its readers. */
export { asPushRequest, frameFields } from "./binary-request.ts";
export { type FeedbackEntry, FeedbackList } from "./feedback-list.ts";
export { GatewayConnection } from "./gateway-connection.ts";
