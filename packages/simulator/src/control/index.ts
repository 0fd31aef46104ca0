export { ControlServer } from "./control-server.ts";
export type { ControlTarget } from "./routes.ts";
