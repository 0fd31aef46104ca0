import { randomBytes } from "node:crypto";

/** A broadcast channel of an app. */
export interface Channel {
  /** Base64, opaque. */
  readonly channelId: string;
  readonly bundleId: string;
  /** What is kept for devices that are offline; fixed when the channel is made. */
  readonly storage: "none" | "most-recent";
  /** Milliseconds since 1970 by the simulator's clock. */
  readonly createdAtMs: number;
  /** Broadcasts accepted. */
  readonly broadcasts: number;
  /** The newest broadcast, as long as it waits for devices that are offline. */
  readonly stored: StoredBroadcast | undefined;
}

export interface StoredBroadcast {
  readonly requestId: string;
  readonly payload: Buffer;
  /** Until when it is kept, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** A broadcast that was accepted. */
export interface AcceptedBroadcast {
  readonly requestId: string;
  readonly payload: Buffer;
  /** 0: it is not kept. */
  readonly expirationSeconds: number;
  readonly atMs: number;
}

/** Channels of one app in one environment (`apns-protocol` §5). */
const mostChannelsPerApp = 10_000;

/** Channels at most, of all apps; and deleted ones remembered, of which those deleted first are forgotten first. */
const mostChannels = 200_000;
const mostDeleted = 20_000;

/** A stored message is kept for so long at most. */
const longestStorageMs = 8 * 3_600_000;

type KnownChannel = { -readonly [Key in keyof Channel]: Channel[Key] };

/** The broadcast channels of all apps. Every app has the broadcast capability until it is switched off. */
export class Channels {
  private readonly byApp = new Map<string, Map<string, KnownChannel>>();
  private readonly deleted = new Set<string>();
  private readonly incapable = new Set<string>();
  private readonly now: () => number;
  private count = 0;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /** Every channel, app by app, in the order in which they were made. */
  get all(): readonly Channel[] {
    return [...this.byApp.values()].flatMap((channels) =>
      [...channels.values()].map((each) => this.look(each)),
    );
  }

  /** The ids of an app's channels, oldest first. */
  list(bundleId: string): readonly string[] {
    return [...(this.byApp.get(bundleId)?.keys() ?? [])];
  }

  find(bundleId: string, channelId: string): Channel | undefined {
    const channel = this.byApp.get(bundleId)?.get(channelId);
    return channel && this.look(channel);
  }

  /** Whether the channel was there once, as far as that is remembered. */
  wasDeleted(bundleId: string, channelId: string): boolean {
    return this.deleted.has(`${bundleId} ${channelId}`);
  }

  /** Whether the app may have one channel more. */
  hasRoom(bundleId: string): boolean {
    return (this.byApp.get(bundleId)?.size ?? 0) < mostChannelsPerApp && this.count < mostChannels;
  }

  /**
   * Makes a channel.
   *
   * @param channelId is made here where it is left out: 16 bytes as base64, as Apple's
   * @throws Error where the app has as many channels as it may have
   */
  create(bundleId: string, storage: Channel["storage"], channelId: string = makeChannelId()): Channel {
    if (!this.hasRoom(bundleId)) {
      throw new Error(
        `No more channels for ${bundleId}: an app may have ${mostChannelsPerApp}, all together ${mostChannels}. Delete some.`,
      );
    }
    const made = { channelId, bundleId, storage, createdAtMs: this.now(), broadcasts: 0, stored: undefined };
    const channels = this.byApp.get(bundleId) ?? new Map<string, KnownChannel>();
    this.byApp.set(bundleId, channels.set(channelId, made));
    this.count += 1;
    return made;
  }

  /** Deletes a channel for good. Whether it was there. */
  delete(bundleId: string, channelId: string): boolean {
    const channels = this.byApp.get(bundleId);
    if (channels === undefined || !channels.delete(channelId)) return false;
    if (channels.size === 0) this.byApp.delete(bundleId);
    this.count -= 1;
    this.deleted.add(`${bundleId} ${channelId}`);
    if (this.deleted.size <= mostDeleted) return true;
    for (const oldest of this.deleted) {
      this.deleted.delete(oldest);
      break;
    }
    return true;
  }

  /** Takes an accepted broadcast: a channel that stores keeps it, in the place of the one before, until it expires. */
  accept(bundleId: string, channelId: string, broadcast: AcceptedBroadcast): void {
    const channel = this.byApp.get(bundleId)?.get(channelId);
    if (channel === undefined) return;
    channel.broadcasts += 1;
    const { requestId, payload, expirationSeconds, atMs } = broadcast;
    if (channel.storage === "none" || expirationSeconds === 0) return;
    const untilMs = Math.min(expirationSeconds * 1000, atMs + longestStorageMs);
    channel.stored = { requestId, payload, untilMs };
  }

  /** Whether the app id has the broadcast capability. */
  isCapable(bundleId: string): boolean {
    return !this.incapable.has(bundleId);
  }

  /** Switches the broadcast capability of an app id; "off" deletes all its channels, as Apple does. */
  setCapability(bundleId: string, capability: "on" | "off"): void {
    if (capability === "on") {
      this.incapable.delete(bundleId);
      return;
    }
    for (const channelId of this.list(bundleId)) this.delete(bundleId, channelId);
    this.incapable.add(bundleId);
  }

  /** Forgets everything: no channels, and every app may have them. */
  clear(): void {
    this.byApp.clear();
    this.deleted.clear();
    this.incapable.clear();
    this.count = 0;
  }

  /** The channel as it is now: what it stored may have expired. */
  private look(channel: KnownChannel): Channel {
    if (channel.stored !== undefined && channel.stored.untilMs <= this.now()) channel.stored = undefined;
    return { ...channel };
  }
}

export function makeChannelId(): string {
  return randomBytes(16).toString("base64");
}
