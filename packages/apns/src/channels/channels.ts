import { isUuid, makeApnsId } from "../notification/index.ts";
import { type ChannelDefaults, isChannelId, type Refuse, readBundleId, refused } from "./broadcast.ts";
import { readChannel, readCreated, readDeleted, readList } from "./channel-answer.ts";
import type { Carry, ChannelRequest } from "./channel-request.ts";
import type {
  ChannelStorage,
  CreateChannelOutcome,
  DeleteChannelOutcome,
  ListChannelsOutcome,
  ReadChannelOutcome,
} from "./channel-results.ts";

export interface ChannelOptions {
  /** @default the client's topic, without a suffix */
  readonly bundleId?: string;
  /** `apns-request-id`, a UUID. @default a new one */
  readonly requestId?: string;
  /** Gives up when it fires: not written yet is `unprocessed`, written is `indeterminate`. */
  readonly signal?: AbortSignal;
}

export interface CreateChannelOptions extends ChannelOptions {
  /** "most-recent": the newest message waits up to 8 hours for devices that are offline. "none": nothing waits. */
  readonly storage: ChannelStorage;
}

/** What each action is: its method, its path and how its answer reads. */
interface Action {
  readonly method: ChannelRequest["method"];
  readonly resource: "channels" | "all-channels";
  readonly channelId?: string;
  readonly body?: string;
  readonly delivery: ChannelRequest["delivery"];
}

/**
 * The broadcast channels of an app, at most 10,000 for each environment; `client.channels` has one. The app needs Apple's Broadcast
 * capability. Connections to the management host open with the first call and are kept.
 *
 * Every call resolves for every answer and every failure of the network, as `send` does, and rejects with an ApnsError for a caller's
 * mistake only: `bad-notification`, whose `problems` name the fields, or `closed`.
 *
 * Source: Apple, "Sending channel management requests to APNs".
 */
export class ApnsChannels {
  private readonly carry: Carry;
  private readonly defaults: ChannelDefaults;

  /** @internal `client.channels` */
  constructor(carry: Carry, defaults: ChannelDefaults) {
    this.carry = carry;
    this.defaults = defaults;
  }

  /**
   * Makes a channel. Sent at most once: where the answer is lost (`indeterminate`) the channel may exist, and `list` shows it.
   */
  async create(options: CreateChannelOptions): Promise<CreateChannelOutcome> {
    const policy = { none: 0, "most-recent": 1 }[options?.storage];
    const request = this.prepare(options, (refuse) => {
      if (policy === undefined) refuse("storage", 'must be "none" or "most-recent"');
      const body = JSON.stringify({ "message-storage-policy": policy, "push-type": "LiveActivity" });
      return { method: "POST", resource: "channels", body, delivery: "at-most-once" };
    });
    return readCreated(request, await this.carry(request, options.signal));
  }

  /** What a channel was made with. */
  async read(channelId: string, options: ChannelOptions = {}): Promise<ReadChannelOutcome> {
    const request = this.prepare(options, (refuse) => {
      checkChannelId(channelId, refuse);
      return { method: "GET", resource: "channels", channelId, delivery: "at-least-once" };
    });
    return readChannel(request, await this.carry(request, options.signal));
  }

  /** The ids of all channels of the app in this environment. */
  async list(options: ChannelOptions = {}): Promise<ListChannelsOutcome> {
    const request = this.prepare(options, () => {
      return { method: "GET", resource: "all-channels", delivery: "at-least-once" };
    });
    return readList(request, await this.carry(request, options.signal));
  }

  /**
   * Deletes a channel for good; what it stored may still arrive. A channel that does not exist (any more) has been seen to be answered
   * with `rejected`, 404 `BadPath`.
   */
  async delete(channelId: string, options: ChannelOptions = {}): Promise<DeleteChannelOutcome> {
    const request = this.prepare(options, (refuse) => {
      checkChannelId(channelId, refuse);
      return { method: "DELETE", resource: "channels", channelId, delivery: "at-least-once" };
    });
    return readDeleted(request, await this.carry(request, options.signal));
  }

  private prepare(options: ChannelOptions, describe: (refuse: Refuse) => Action): ChannelRequest {
    const problems: { readonly field: string; readonly detail: string }[] = [];
    const refuse: Refuse = (field, detail) => void problems.push({ field, detail });
    const { bundleId, requestId = makeApnsId() } = options ?? {};
    const app = readBundleId(bundleId, this.defaults.topic, refuse);
    if (!isUuid(requestId)) refuse("requestId", "must be a UUID; leave it out to get a new one");
    const { method, resource, channelId, body = "", delivery } = describe(refuse);
    if (problems.length > 0) throw refused("request", problems);
    return {
      method,
      path: `/1/apps/${app}/${resource}`,
      channelId,
      requestId,
      priority: undefined,
      expirationSeconds: undefined,
      pushType: undefined,
      payload: body,
      payloadBytes: Buffer.byteLength(body),
      delivery,
    };
  }
}

function checkChannelId(channelId: unknown, refuse: Refuse): void {
  if (!isChannelId(channelId)) refuse("channelId", "must be the base64 text that creating the channel gave");
}
