import {
  bundleIdOf,
  checkPayload,
  checkSize,
  type Delivery,
  explainEpochSeconds,
  isUuid,
  isWritable,
  makeApnsId,
  toEpochSeconds,
  writePayload,
} from "../notification/index.ts";
import { ApnsError } from "../runtime/index.ts";
import type { ChannelRequest } from "./channel-request.ts";

/** One push to every Live Activity that listens to a channel. */
export interface Broadcast {
  /** The id that creating the channel gave: base64. */
  readonly channelId: string;
  /** Of `liveActivityPayload.update` or `.end`; a channel cannot start one. At most 5120 bytes. Strings and bytes go as they are. */
  readonly payload: object | string | Uint8Array;
  /** @default the client's topic, without a suffix */
  readonly bundleId?: string;
  /**
   * Until when it is kept for devices that are offline: a Date or epoch seconds. Channels without storage take only 0.
   * @default 0: one attempt, not kept
   */
  readonly expiration?: Date | number;
  /** @default none is sent, which means 10 */
  readonly priority?: 10 | 5;
  /** A UUID. @default a new one */
  readonly requestId?: string;
  /** What to do when it was written and no answer came. @default "at-least-once" */
  readonly delivery?: Delivery;
}

export interface ChannelDefaults {
  /** The client's topic. */
  readonly topic: string | undefined;
  readonly mode: "strict" | "lenient";
}

const broadcastLimitBytes = 5120;

/**
 * Checks a broadcast and fills in what APNs needs. Source: Apple, "Sending broadcast push notification requests to APNs".
 *
 * @throws ApnsError `bad-notification`, whose `problems` name the fields
 */
export function prepareBroadcast(broadcast: Broadcast, defaults: ChannelDefaults): ChannelRequest {
  const problems: { readonly field: string; readonly detail: string }[] = [];
  const refuse: Refuse = (field, detail) => void problems.push({ field, detail });
  const { channelId, priority, requestId = makeApnsId(), delivery = "at-least-once" } = broadcast;
  const bundleId = readBundleId(broadcast.bundleId, defaults.topic, refuse);
  if (!isChannelId(channelId)) refuse("channelId", "must be the base64 text that creating the channel gave");
  if (!isUuid(requestId)) refuse("requestId", "must be a UUID; leave it out to get a new one");
  if (priority !== undefined && priority !== 10 && priority !== 5) refuse("priority", "must be 10 or 5");
  if (delivery !== "at-least-once" && delivery !== "at-most-once")
    refuse("delivery", 'must be "at-least-once" or "at-most-once"');
  const expirationSeconds = toEpochSeconds(broadcast.expiration ?? 0);
  const fault = explainEpochSeconds(expirationSeconds);
  if (fault !== undefined) refuse("expiration", `${fault}; 0 means that APNs tries once`);
  const payload = writePayload(broadcast.payload, refuse);
  if (payload !== undefined) checkSize(payload.bytes, broadcastLimitBytes, refuse);
  if (defaults.mode === "strict" && isWritable(broadcast.payload)) checkUpdate(broadcast.payload, refuse);
  if (problems.length > 0 || payload === undefined) throw refused("broadcast", problems);
  return {
    method: "POST",
    path: `/4/broadcasts/apps/${bundleId}`,
    channelId,
    requestId,
    priority,
    expirationSeconds,
    pushType: "liveactivity",
    payload: payload.content,
    payloadBytes: payload.bytes,
    delivery,
  };
}

export type Refuse = (field: string, detail: string) => void;

export function refused(what: string, problems: readonly { field: string; detail: string }[]): ApnsError {
  const all = problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
  return new ApnsError("bad-notification", `${what} refused: ${all}`, problems);
}

/** The bundle id that a path about channels needs, without a push type's suffix. */
export function readBundleId(
  bundleId: string | undefined,
  topic: string | undefined,
  refuse: Refuse,
): string {
  const found = bundleId ?? (topic === undefined ? undefined : bundleIdOf(topic));
  if (typeof found === "string" && /^[A-Za-z0-9.-]{1,255}$/.test(found)) return found;
  refuse("bundleId", "must be the app's bundle id, such as com.example.app, here or as the client's topic");
  return "";
}

/** Base64, standard or for URLs. Apple promises no length; 24 characters have been seen. */
export function isChannelId(text: unknown): text is string {
  return typeof text === "string" && /^[A-Za-z0-9+/_-]{1,255}={0,2}$/.test(text);
}

function checkUpdate(payload: object, refuse: Refuse): void {
  checkPayload(payload, "liveactivity", (path, detail) => refuse("payload", `at ${path}: ${detail}`));
  const { aps } = payload as { readonly aps?: { readonly event?: unknown } };
  if (aps?.event === "start")
    refuse("payload", "has the event start, which no channel can carry: send it to push-to-start tokens");
}
