export { type Connection, type ConnectionSource, Connections, type Port } from "./connections.ts";
