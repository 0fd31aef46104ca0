export { ServerConnection, type ServerRequest } from "./server-connection.ts";
export type { ConnectionHandler, Wire } from "./socket-driver.ts";
export { listenOn, type TlsClient, TlsListener } from "./tls-listener.ts";
