export type { OddAnswer } from "./answer-writer.ts";
export type { FramesSeen } from "./frame-tally.ts";
export { ServerConnection, type ServerRequest } from "./server-connection.ts";
export type { ConnectionHandler, Wire } from "./socket-driver.ts";
export { type Admission, listenOn, type TlsClient, type TlsIdentity, TlsListener } from "./tls-listener.ts";
