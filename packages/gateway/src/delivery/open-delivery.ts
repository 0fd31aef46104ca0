import { type Clock, systemClock } from "@carillon/apns";
import { SqliteStore, type Store } from "../store/index.ts";
import type { Delivery } from "./delivery.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import { DurableDelivery } from "./durable-delivery.ts";
import type { Retention } from "./housekeeping.ts";
import type { Environment } from "./notification-draft.ts";
import type { QueueLimits } from "./queue-tally.ts";
import type { MemoryLimits } from "./residency.ts";
import type { RouteLimits } from "./route.ts";
import type { RouteTeller } from "./route-teller.ts";
import type { Sender } from "./sender.ts";
import { defaultBudget, type RetryBudget } from "./settlement.ts";

export interface DeliveryOptions {
  /** The delivery closes it when it stops. */
  readonly store: Store;
  /** The way to Apple, or undefined while there is none: what is queued then waits. Asked before every sending. */
  senderFor(app: string, environment: Environment): Sender | undefined;
  /**
   * Whether an app wants BadDeviceToken to be followed by one try in the other environment, for drafts whose choice is open.
   * Asked at each such answer. @default none does
   */
  resolvesEnvironment?(app: string): boolean;
  /** Notifications a second that an app may send; undefined for as many as go. Asked once for each app. */
  rateOf?(app: string): number | undefined;
  readonly logger: DeliveryLogger;
  /** Hears what happens on a route. @default nobody does */
  tellerFor?(app: string, environment: string): RouteTeller;
  /** Everything below has the defaults that its type names. */
  readonly queueLimits?: Partial<QueueLimits>;
  readonly routeLimits?: Partial<RouteLimits>;
  readonly memory?: Partial<MemoryLimits>;
  readonly budget?: Partial<RetryBudget>;
  readonly retention?: Partial<Retention>;
  readonly clock?: Clock;
}

const mebibyte = 1024 * 1024;

export const defaults = {
  queueLimits: {
    maxQueued: 10_000_000,
    maxQueuedBytes: 10_240 * mebibyte,
    maxQueuedPerApp: 8_000_000,
    maxQueuedBytesPerApp: 8_192 * mebibyte,
  },
  routeLimits: {
    maxUnanswered: 2_000,
    maxInFlight: 8_000,
    maxInFlightBytes: 16 * mebibyte,
    maxInFlightBytesInAll: 64 * mebibyte,
  },
  memory: { maxResidentBytes: 64 * mebibyte, maxAppBytes: 24 * mebibyte, maxLaneBytes: 8 * mebibyte },
  budget: defaultBudget,
  retention: {
    bodiesMs: 86_400_000,
    recordsMs: 604_800_000,
    requestKeysMs: 86_400_000,
    verdictsMs: 7_776_000_000,
  },
  leaseMs: 30_000,
} as const;

/**
 * Opens the store in `dataDir` and begins to send what it holds.
 * @throws {StoreFailedError} another carillon is running on this folder, or the store cannot be opened.
 */
export async function openDelivery({
  dataDir,
  ...options
}: Omit<DeliveryOptions, "store"> & {
  /** The folder that holds the database; made when it is absent. */
  readonly dataDir: string;
}): Promise<Delivery> {
  return startDelivery({ ...options, store: await SqliteStore.open({ dataDir }) });
}

/** Begins to send what the store holds. */
export function startDelivery(options: DeliveryOptions): Promise<Delivery> {
  const { store, senderFor, tellerFor, logger, clock = systemClock } = options;
  return DurableDelivery.start({
    store,
    clock,
    random: Math.random,
    logger,
    senderFor,
    ...(tellerFor === undefined ? {} : { tellerFor }),
    resolvesEnvironment: (app) => options.resolvesEnvironment?.(app) ?? false,
    rateOf: (app) => options.rateOf?.(app),
    queueLimits: completeQueueLimits(options.queueLimits),
    routeLimits: { ...defaults.routeLimits, ...options.routeLimits },
    memory: { ...defaults.memory, ...options.memory },
    budget: { ...defaults.budget, ...options.budget },
    retention: { ...defaults.retention, ...options.retention },
    leaseMs: defaults.leaseMs,
  });
}

/** What one app may have follows from what all may have, where only that is said. */
function completeQueueLimits(given: Partial<QueueLimits> = {}): QueueLimits {
  const { maxQueued, maxQueuedBytes } = { ...defaults.queueLimits, ...given };
  return {
    maxQueuedPerApp: Math.ceil(maxQueued * ownShare),
    maxQueuedBytesPerApp: Math.ceil(maxQueuedBytes * ownShare),
    ...given,
    ...{ maxQueued, maxQueuedBytes },
  };
}

const ownShare = 0.8;
