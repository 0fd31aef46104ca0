/** `@carillon/simulator`: Apple's side of push notifications, for test suites and laptops. */
export type { FeedbackEntry, FeedbackList } from "./binary/index.ts";
export type { Channel, Channels, StoredBroadcast } from "./channels/index.ts";
export type { Connection, Connections } from "./connections/index.ts";
export type { CredentialFiles, ProviderKey, ProviderKeyScope } from "./credentials/index.ts";
export type { AcceptedPush, Device, Devices, DeviceTraits, UnregisteredDevice } from "./devices/index.ts";
export type { ExpectOptions, PushExpectation } from "./expectation/index.ts";
export type {
  History,
  HistoryOptions,
  Push,
  PushFacts,
  PushFilter,
  RequestKind,
  WaitOptions,
} from "./history/index.ts";
export {
  type ActionDocument,
  checkScenario,
  type Problem as ScenarioProblem,
  type RuleDocument,
  type ScenarioDocument,
} from "./scenario/index.ts";
export type { Capacity } from "./service-state.ts";
export {
  type SenderCredentials,
  type Simulator,
  startSimulator,
  type TokenCredentials,
} from "./simulator.ts";
export type { SimulatorOptions } from "./simulator-options.ts";
export { type Assumptions, strictAssumptions, usualAssumptions } from "./verdict/index.ts";
export { VirtualClock } from "./virtual-clock.ts";
