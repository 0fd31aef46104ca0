/** `@carillon/simulator`: Apple's side of push notifications, for test suites and laptops. */
export type { CredentialFiles, ProviderKey } from "./credentials/index.ts";
export type { Devices, UnregisteredDevice } from "./devices/index.ts";
export type { History, HistoryOptions, Push, PushFacts, PushFilter, WaitOptions } from "./history/index.ts";
export { type SenderCredentials, type Simulator, startSimulator } from "./simulator.ts";
export type { SimulatorOptions } from "./simulator-options.ts";
