import type { Accepted, Outcome } from "../response/index.ts";

/** What a channel keeps for devices that are offline; fixed when the channel is made. Channels that keep nothing may send more. */
export type ChannelStorage = "none" | "most-recent";

/** What every answer about channels has. */
export interface ChannelRequested {
  /** `apns-request-id`, a UUID: under which it was sent on every attempt. Compare without regard to case. */
  readonly requestId: string;
  /** How often it was sent or its sending was begun; 0 when it never was. */
  readonly attempts: number;
}

export interface ChannelCreated extends ChannelRequested {
  readonly kind: "created";
  /** Base64, opaque: devices subscribe with it, broadcasts name it. */
  readonly channelId: string;
}

export interface ChannelRead extends ChannelRequested {
  readonly kind: "read";
  readonly storage: ChannelStorage;
  /** As APNs says it: `LiveActivity`. */
  readonly pushType: string;
}

export interface ChannelsListed extends ChannelRequested {
  readonly kind: "listed";
  readonly channelIds: readonly string[];
}

export interface ChannelDeleted extends ChannelRequested {
  readonly kind: "deleted";
}

/** APNs took the broadcast for every device that listens to the channel. */
export interface BroadcastAccepted extends ChannelRequested {
  readonly kind: "accepted";
}

type About<One> = One extends Outcome ? Omit<One, "apnsId"> & ChannelRequested : never;

/**
 * The four ends that are no success, as for a notification: `rejected` with Apple's reason, `unrecognized`, `unprocessed` (sending it
 * again cannot duplicate) and `indeterminate` (written, then silence).
 */
export type ChannelFailure = About<Exclude<Outcome, Accepted>>;

export type CreateChannelOutcome = ChannelCreated | ChannelFailure;
export type ReadChannelOutcome = ChannelRead | ChannelFailure;
export type ListChannelsOutcome = ChannelsListed | ChannelFailure;
export type DeleteChannelOutcome = ChannelDeleted | ChannelFailure;
export type BroadcastOutcome = BroadcastAccepted | ChannelFailure;
