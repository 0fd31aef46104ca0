import type { RejectionReason } from "@carillon/apns";

/**
 * What the simulator assumes where nobody outside Apple knows (`apns-protocol` §11). Every default is what was observed,
 * or the mildest reading of Apple's pages.
 */
export interface Assumptions {
  /** A payload that is no JSON object. @default "accept" */
  readonly badJson: "accept" | RejectionReason;
  /** A background push with priority 10. @default "BadPriority" */
  readonly backgroundAtPriority10: "accept" | RejectionReason;
  /** A key of the other environment. @default "BadEnvironmentKeyInToken", as seen; Apple's page has the other one */
  readonly environmentKey: "BadEnvironmentKeyInToken" | "BadEnvironmentKeyIdInToken";
  /** How far a provider token's time may be ahead of the simulator's clock, in milliseconds. @default 300 000 */
  readonly mostAheadMs: number;
  /** A provider token from further ahead. @default "InvalidProviderToken" */
  readonly tokenFromTheFuture: RejectionReason;
  /** A provider token that expired while its connection was idle for over an hour. @default "ExpiredProviderToken" */
  readonly expiredWhileIdle: "ExpiredProviderToken" | "InternalServerError";
  /** Another team's provider token on a connection that has one. @default "InvalidProviderToken" */
  readonly otherTeam: RejectionReason;
  /** An app id without the broadcast capability. @default "BroadcastFeatureNotEnabled", as seen; Apple's page has the other one */
  readonly broadcastCapability: "BroadcastFeatureNotEnabled" | "FeatureNotEnabled";
  /** Where broadcasts are taken. @default "every-port" */
  readonly broadcastsAt: "every-port" | "push-port" | "channels-port";
  /** Where channels are managed; Apple has hosts for it, which take nothing else. @default "every-port" */
  readonly channelsManagedAt: "every-port" | "channels-port";
  /** What changes of provider tokens are counted by. @default "connection" */
  readonly tokenUpdatesBy: "connection" | "team";
  /** A topic that the certificate does not list. @default "TopicDisallowed" */
  readonly topicOutsideCertificate: "TopicDisallowed" | "BadTopic";
  /** Live Activities by certificate. @default "accept" */
  readonly liveActivityByCertificate: "accept" | RejectionReason;
  /** An `mdm` push with a provider token; Apple wants the MDM push certificate. @default "accept" */
  readonly mdmByToken: "accept" | RejectionReason;
  /** A broadcast whose expiration is missing or wrong. @default "BadExpirationDate", as Apple's page and as seen */
  readonly broadcastExpiration: "BadExpirationDate" | "BadDate";
  /** A push without a push type. @default "accept" */
  readonly missingPushType: "accept" | RejectionReason;
  /** A payload that contradicts the push type, such as an alert in a background push. @default "accept" */
  readonly contraryPayload: "accept" | RejectionReason;
  /** `Retry-After` with 429 and 503, in seconds. @default undefined: never sent */
  readonly retryAfterSeconds: number | undefined;
  /** `content-type` of refusals. @default "application/json" */
  readonly contentType: string | undefined;
  /** In which order the rules are asked. @default "apns-protocol" */
  readonly order: "apns-protocol" | "pushy";
  /** Extension .5 of client certificates. @default "ignore" */
  readonly extension5: "ignore" | "topics";
  /** A second push with the same `apns-id` to the same device. @default "deliver" */
  readonly repeatedApnsId: "deliver" | "drop";
  /** The stream limit falls to 1 after so many refusals in a row, until a push is accepted. @default undefined: never */
  readonly penaltyAfter: number | undefined;
  /** A connection without a request for so long ends, in milliseconds. @default undefined: never */
  readonly idleTimeoutMs: number | undefined;
  /** What such a connection gets: GOAWAY when the time is up, or 400 for the request that comes after it. @default "goaway" */
  readonly idleTimeoutBy: "goaway" | "answer";
  /** A frame of the retired binary protocol without an expiration. @default "as-absent": as a request without the header */
  readonly binaryWithoutExpiration: "as-absent" | "not-stored";
  /** Longest payload of the binary protocol in bytes: 256 until 2014; VoIP certificates have 4096 at least. @default 2048 */
  readonly binaryPayloadLimitBytes: number;
  /** The identifier in the error response to an empty device token. @default "zero", as seen */
  readonly binaryEmptyToken: "zero" | "echo";
  /** A refused frame of command 0, which has no identifier. "close": the connection ends without a word. @default "close" */
  readonly binarySimpleRefusal: "close" | "error" | "drop";
  /** A bad device token. "drop": not delivered, and nothing said, as was seen too. @default "error" */
  readonly binaryBadToken: "error" | "drop";
  /** A certificate of the other environment. "close": at once after the handshake. @default "close", as seen */
  readonly binaryOtherEnvironment: "close" | "accept";
  /** What a reader of the feedback service took is told to nobody else, or to everybody. @default "once" */
  readonly feedbackReading: "once" | "again";
}

export const usualAssumptions: Assumptions = {
  badJson: "accept",
  backgroundAtPriority10: "BadPriority",
  environmentKey: "BadEnvironmentKeyInToken",
  mostAheadMs: 5 * 60_000,
  tokenFromTheFuture: "InvalidProviderToken",
  expiredWhileIdle: "ExpiredProviderToken",
  otherTeam: "InvalidProviderToken",
  broadcastCapability: "BroadcastFeatureNotEnabled",
  broadcastsAt: "every-port",
  channelsManagedAt: "every-port",
  tokenUpdatesBy: "connection",
  topicOutsideCertificate: "TopicDisallowed",
  liveActivityByCertificate: "accept",
  mdmByToken: "accept",
  broadcastExpiration: "BadExpirationDate",
  missingPushType: "accept",
  contraryPayload: "accept",
  retryAfterSeconds: undefined,
  contentType: "application/json",
  order: "apns-protocol",
  extension5: "ignore",
  repeatedApnsId: "deliver",
  penaltyAfter: undefined,
  idleTimeoutMs: undefined,
  idleTimeoutBy: "goaway",
  binaryWithoutExpiration: "as-absent",
  binaryPayloadLimitBytes: 2048,
  binaryEmptyToken: "zero",
  binarySimpleRefusal: "close",
  binaryBadToken: "error",
  binaryOtherEnvironment: "close",
  feedbackReading: "once",
};

/** Refuses what Apple's pages forbid, also where APNs has been seen to take it: for senders who want to be on the safe side. */
export const strictAssumptions: Assumptions = {
  ...usualAssumptions,
  badJson: "BadRequestPayload",
  liveActivityByCertificate: "TopicDisallowed",
  mdmByToken: "Forbidden",
  missingPushType: "MissingPushType",
  contraryPayload: "BadRequestPayload",
};
