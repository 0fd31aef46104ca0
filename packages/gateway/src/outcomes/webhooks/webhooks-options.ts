import type { Clock, Random } from "@carillon/apns";
import type { EventStore, WebhookStore } from "../../store/index.ts";
import type { EventReader } from "../event-log.ts";
import type { LoopLimits, WebhookLogger } from "./delivery-loop.ts";
import type { CallLimits } from "./receiver.ts";
import type { ResolveName } from "./receiver-names.ts";
import type { ReceiverSettings } from "./receiver-policy.ts";
import type { RetrySchedule } from "./retry-schedule.ts";
import type { SecretSealer } from "./sealed-settings.ts";

/** The event log as webhooks need it. */
export interface WebhookEvents extends EventReader {
  /** Where all begins that is kept, and where begins what has not happened yet. */
  ends(): Promise<{ readonly oldest: string; readonly latest: string }>;
}

export interface WebhooksOptions {
  readonly store: WebhookStore & Pick<EventStore, "appendEvents">;
  readonly events: WebhookEvents;
  readonly receivers: ReceiverSettings;
  readonly sealer: SecretSealer;
  readonly resolve: ResolveName;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: WebhookLogger;
  readonly version: string;
  readonly callLimits: CallLimits;
  readonly schedule: RetrySchedule;
  readonly limits: WebhookLimits;
}

export interface WebhookLimits extends Omit<LoopLimits, "batchBytes" | "mostBatchBytes"> {
  /** @default 100 */
  readonly webhooks: number;
  /** Of one body, roughly. @default 1 MiB */
  readonly batchBytes: number;
  /** Of one body to a receiver that is behind and quick. @default 4 MiB */
  readonly mostBatchBytes: number;
  /** Of all bodies that may be in memory, two for each endpoint; with many endpoints each gets smaller ones. @default 64 MiB */
  readonly allBatchesBytes: number;
}
