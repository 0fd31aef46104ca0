export { Devices, type UnregisteredDevice } from "./devices.ts";
