export { type Connection, type ConnectionSource, Connections } from "./connections.ts";
