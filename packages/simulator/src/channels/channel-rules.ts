import { isUuid, type RejectionReason } from "@carillon/apns";
import { type Assumptions, findPayloadFault, type Sender } from "../verdict/index.ts";
import type { ChannelRequest, ChannelResource } from "./channel-request.ts";
import type { Channels } from "./channels.ts";

/** What a request about channels is judged by, beside itself. */
export interface ChannelCourt {
  readonly nowMs: number;
  readonly environment: "sandbox" | "production";
  readonly assumptions: Assumptions;
  readonly channels: Channels;
  /** Which of the simulator's ports the request came to. */
  readonly port: "push" | "channels";
  /** What the service as a whole has to say to it: that it goes down, or is overloaded. */
  readonly serviceRefusal: RejectionReason | undefined;
  /** How long the connection had been without a request before this one. */
  readonly idleMs: number;
}

interface ChannelRule {
  readonly name: string;
  check(request: ChannelRequest, sender: Sender, court: ChannelCourt): RejectionReason | undefined;
}

const methods: Readonly<Record<ChannelResource, readonly string[]>> = {
  channels: ["POST", "GET", "DELETE"],
  "all-channels": ["GET"],
  broadcast: ["POST"],
};

/** A broadcast or a channel's description may have so many bytes. */
const mostBytes = 5120;

/**
 * The rules in the order in which they are asked; the first that refuses decides. As for pushes, method comes before
 * authentication, and that before everything else; the rest is undocumented and follows `apns-protocol` §3.4.
 */
export const channelRules: readonly ChannelRule[] = [
  { name: "service", check: (_request, _sender, { serviceRefusal }) => serviceRefusal },
  {
    name: "method",
    check: ({ method, resource }) =>
      resource !== undefined && !methods[resource].includes(method) ? "MethodNotAllowed" : undefined,
  },
  {
    name: "authentication",
    check(request, sender, court) {
      if (sender.kind === "bad-certificate") return "BadCertificate";
      return sender.kind === "token" ? sender.session.check(request.authorization, court) : undefined;
    },
  },
  {
    name: "path",
    check: ({ resource }, _sender, court) =>
      resource === undefined || !isTakenHere(resource, court) ? "BadPath" : undefined,
  },
  { name: "query", check: ({ query }) => (query === undefined ? undefined : "BadRequestParams") },
  {
    name: "duplicate headers",
    check: ({ duplicate }) => (duplicate === undefined ? undefined : "DuplicateHeaders"),
  },
  {
    name: "request id",
    check: ({ requestId }) => (requestId === undefined || isUuid(requestId) ? undefined : "BadMessageId"),
  },
  { name: "app", check: checkApp },
  {
    name: "capability",
    check: ({ bundleId }, _sender, { channels, assumptions }) =>
      channels.isCapable(bundleId) ? undefined : assumptions.broadcastCapability,
  },
  { name: "channel id", check: checkChannelId },
  { name: "broadcast", check: checkBroadcast },
  { name: "description", check: checkDescription },
  { name: "registration", check: checkRegistration },
];

/** Where broadcasts are sent to is not sure (`apns-protocol` §11); management has hosts of its own. */
function isTakenHere(resource: ChannelResource, { assumptions, port }: ChannelCourt): boolean {
  const taken = resource === "broadcast" ? assumptions.broadcastsAt : assumptions.channelsManagedAt;
  return taken === "every-port" || taken === `${port}-port`;
}

function checkApp({ bundleId }: ChannelRequest, sender: Sender): RejectionReason | undefined {
  if (!/^[\w.-]{1,255}$/.test(bundleId)) return "BadPath";
  switch (sender.kind) {
    case "token": {
      const { topics } = sender.session;
      return topics === undefined || topics.includes(bundleId) ? undefined : "TopicDisallowed";
    }
    case "certificate":
      return sender.certificate.topics.includes(bundleId) ? undefined : "TopicMismatch";
    case "bad-certificate":
      return undefined;
  }
}

/** Making a channel and listing them need no id. */
function checkChannelId(request: ChannelRequest): RejectionReason | undefined {
  const { channelId } = request;
  if (isCreation(request) || request.resource === "all-channels") return undefined;
  if (channelId === undefined || channelId === "") return "MissingChannelId";
  return /^[A-Za-z0-9+/_-]{1,255}={0,2}$/.test(channelId) ? undefined : "BadChannelId";
}

function checkBroadcast(
  { resource, pushType, expiration, priority, body, bodyBytes }: ChannelRequest,
  _sender: Sender,
  { assumptions }: ChannelCourt,
): RejectionReason | undefined {
  if (resource !== "broadcast") return undefined;
  if (pushType === undefined) return "MissingPushType";
  if (!isLiveActivity(pushType)) return "InvalidPushType";
  if (expiration === undefined || !/^\d{1,19}$/.test(expiration)) return assumptions.broadcastExpiration;
  if (priority !== undefined && priority !== "10" && priority !== "5") return "BadPriority";
  if (bodyBytes === 0) return "PayloadEmpty";
  if (bodyBytes > mostBytes) return "PayloadTooLarge";
  const { badJson, contraryPayload } = assumptions;
  if (badJson === "accept" && contraryPayload === "accept") return undefined;
  const fault = findPayloadFault(body, "liveactivity") ?? (startsActivity(body) ? "contrary" : undefined);
  const assumed = fault === undefined ? "accept" : fault === "contrary" ? contraryPayload : badJson;
  return assumed === "accept" ? undefined : assumed;
}

/** A channel can update an activity and end it; it cannot start one. */
function startsActivity(body: Buffer): boolean {
  const { aps } = (parse(body) ?? {}) as { readonly aps?: { readonly event?: unknown } };
  return aps?.event === "start";
}

/** What a channel is to be. */
function checkDescription(
  request: ChannelRequest,
  _sender: Sender,
  { channels }: ChannelCourt,
): RejectionReason | undefined {
  if (!isCreation(request)) return undefined;
  if (request.bodyBytes === 0) return "PayloadEmpty";
  if (request.bodyBytes > mostBytes) return "PayloadTooLarge";
  const description = parse(request.body);
  if (description === undefined) return "BadRequestPayload";
  const pushType = description["push-type"];
  if (pushType === undefined) return "MissingPushType";
  if (typeof pushType !== "string" || !isLiveActivity(pushType)) return "InvalidPushType";
  if (readStorage(request.body) === undefined) return "MissingChannelQueueSize";
  return channels.hasRoom(request.bundleId) ? undefined : "CannotCreateChannelConfig";
}

/** The channel itself, as was seen in the sandbox: management calls one that is not there a bad path. */
function checkRegistration(
  { resource, bundleId, channelId = "", expiration, method }: ChannelRequest,
  _sender: Sender,
  { channels, assumptions }: ChannelCourt,
): RejectionReason | undefined {
  if (resource === "all-channels" || (resource === "channels" && method === "POST")) return undefined;
  const channel = channels.find(bundleId, channelId);
  if (resource === "channels") return channel === undefined ? "BadPath" : undefined;
  if (channel === undefined) {
    return channels.wasDeleted(bundleId, channelId) ? "ChannelNotRegistered" : "BadChannelId";
  }
  return channel.storage === "none" && Number(expiration) !== 0 ? assumptions.broadcastExpiration : undefined;
}

function isCreation({ resource, method }: ChannelRequest): boolean {
  return resource === "channels" && method === "POST";
}

/** Apple writes it in several ways: `LiveActivity`, `Liveactivity`, `liveactivity`. */
function isLiveActivity(pushType: string): boolean {
  return pushType.toLowerCase() === "liveactivity";
}

/** The storage policy in the description of a channel; undefined where it is missing or wrong. */
export function readStorage(body: Buffer): "none" | "most-recent" | undefined {
  const policy = parse(body)?.["message-storage-policy"];
  return policy === 0 ? "none" : policy === 1 ? "most-recent" : undefined;
}

/** Whatever JSON object the bytes are; undefined where they are none. */
function parse(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
