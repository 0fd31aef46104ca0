export { ControlServer } from "./control-server.ts";
