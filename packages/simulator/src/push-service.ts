import type { Clock } from "@carillon/apns";
import type { FeedbackList } from "./binary/index.ts";
import type { Channels } from "./channels/index.ts";
import type { Connections } from "./connections/index.ts";
import type { Devices } from "./devices/index.ts";
import type { History } from "./history/index.ts";
import type { ScenarioRun } from "./scenario/index.ts";
import type { ServiceState } from "./service-state.ts";
import type { Assumptions, ProviderTokens } from "./verdict/index.ts";

/** What all connections of one simulator share. */
export interface PushService {
  readonly environment: "sandbox" | "production";
  readonly assumptions: Assumptions;
  readonly history: History;
  readonly devices: Devices;
  readonly channels: Channels;
  /** What the feedback service has to tell. */
  readonly feedback: FeedbackList;
  readonly connections: Connections;
  readonly providerTokens: ProviderTokens;
  readonly clock: Clock;
  readonly state: ServiceState;
  /** What goes wrong; it may be changed at any time. */
  readonly scenario: { run: ScenarioRun | undefined };
}
