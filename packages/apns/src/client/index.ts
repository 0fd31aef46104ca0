/** The client: what a user of this package holds in hand. */
export { ApnsClient, type CloseOptions, type SendOptions } from "./client.ts";
export { type Endpoint, type ParsedEndpoint, parseEndpoint } from "./endpoint.ts";
export type { ClientEvent } from "./events.ts";
export type { ApnsClientOptions, RetryOptions } from "./options.ts";
export type { ConnectionSnapshot, PoolSnapshot } from "./snapshot.ts";
