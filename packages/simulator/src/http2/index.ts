export type { OddAnswer } from "./answer-writer.ts";
export type { FramesSeen } from "./frame-tally.ts";
export { type ConnectionHandler, Http2Speaker } from "./http2-speaker.ts";
export { ServerConnection, type ServerRequest } from "./server-connection.ts";
