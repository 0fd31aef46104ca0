export { bundleIdOf } from "./bundle-id.ts";
export { type Device, Devices, type DeviceTraits, type UnregisteredDevice } from "./devices.ts";
export type { AcceptedPush } from "./mailbox.ts";
