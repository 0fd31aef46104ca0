/**
 * Who must act before the same notification can succeed: the sender who wrote the request, nobody because the device token is
 * dead or wrong, the operator who holds the credential, time alone, or Apple.
 */
export type Fault = "request" | "device-token" | "credential" | "pace" | "service";

export interface RejectionRule {
  readonly status: number;
  readonly fault: Fault;
  /** What Apple says with it. */
  readonly means: string;
  /** What to do about it. */
  readonly remedy: string;
}

/**
 * Every reason that APNs documents or has been seen to send, for device pushes and for broadcast channels.
 * Source: Apple, "Handling notification responses from APNs" and "Sending channel management requests to APNs".
 */
export const rejectionReasons = {
  BadChannelId: rule(
    400,
    "request",
    "The channel id never existed.",
    "Use the id that creating the channel gave.",
  ),
  BadCollapseId: rule(
    400,
    "request",
    "The collapse id is longer than 64 bytes.",
    "Shorten it, or send a hash of it.",
  ),
  BadDate: rule(400, "request", "A date in the request is not valid.", "Send epoch seconds."),
  BadDeviceToken: rule(
    400,
    "device-token",
    "The device token is malformed or belongs to the other environment.",
    "Check first that sandbox and production are not mixed up; do not delete the token on this answer alone.",
  ),
  BadExpirationDate: rule(
    400,
    "request",
    "The expiration is not valid.",
    "Send epoch seconds, or 0 for one attempt.",
  ),
  BadMessageId: rule(
    400,
    "request",
    "The apns-id is not a UUID.",
    "Send a UUID in 8-4-4-4-12 form, or none.",
  ),
  BadPriority: rule(
    400,
    "request",
    "The priority is not valid.",
    "Send 10, 5 or 1; 5 for background pushes.",
  ),
  BadRequestParams: rule(
    400,
    "request",
    "A parameter of the channel request is wrong.",
    "Compare it with the guide.",
  ),
  BadRequestPayload: rule(
    400,
    "request",
    "The body of the channel request is wrong.",
    "Compare it with the guide.",
  ),
  BadTopic: rule(
    400,
    "request",
    "The topic is not valid.",
    "Send the bundle id with the push type's suffix.",
  ),
  BroadcastFeatureNotEnabled: rule(
    400,
    "credential",
    "The app id has no broadcast capability.",
    "Switch the Broadcast capability on for the app id.",
  ),
  CannotCreateChannelConfig: rule(
    400,
    "pace",
    "The app has as many channels as it may have.",
    "Delete channels that are not used any more.",
  ),
  ChannelNotRegistered: rule(
    400,
    "request",
    "The channel was deleted.",
    "Create a new one and tell the app its id.",
  ),
  DeviceTokenNotForTopic: rule(
    400,
    "device-token",
    "The device token belongs to another topic.",
    "Send to the app that the token came from.",
  ),
  DuplicateHeaders: rule(
    400,
    "request",
    "A header stands twice.",
    "Report it: the client writes each header once.",
  ),
  FeatureNotEnabled: rule(
    400,
    "credential",
    "The app id has no broadcast capability.",
    "Switch the Broadcast capability on for the app id.",
  ),
  IdleTimeout: rule(
    400,
    "service",
    "The connection was idle for too long.",
    "Send again; the client reconnects.",
  ),
  InvalidPushType: rule(
    400,
    "request",
    "The push type is not known.",
    "Send one of the documented push types.",
  ),
  MissingChannelId: rule(400, "request", "The channel id is missing.", "Name the channel."),
  MissingChannelQueueSize: rule(
    400,
    "request",
    "The message storage policy is missing or not valid.",
    "Send 0 (store nothing) or 1 (store the newest message).",
  ),
  MissingDeviceToken: rule(400, "request", "The path has no device token.", "Name the device."),
  MissingPushType: rule(400, "request", "The push type is missing.", "Send the push type."),
  MissingTopic: rule(
    400,
    "request",
    "The topic is missing and the credential has several.",
    "Name the topic.",
  ),
  PayloadEmpty: rule(400, "request", "The payload is empty.", "Send at least {}."),
  TopicDisallowed: rule(
    400,
    "credential",
    "This credential may not send to this topic.",
    "Use a key of the app's team, or a certificate that lists the topic.",
  ),
  BadCertificate: rule(403, "credential", "The certificate is not valid.", "Install a valid certificate."),
  BadCertificateEnvironment: rule(
    403,
    "credential",
    "The certificate is for the other environment.",
    "Use the certificate of this environment, or the other host.",
  ),
  BadEnvironmentKeyIdInToken: rule(
    403,
    "credential",
    "The key is for the other environment.",
    "Use a key of this environment, or the other host.",
  ),
  BadEnvironmentKeyInToken: rule(
    403,
    "credential",
    "The key is for the other environment.",
    "Use a key of this environment, or the other host.",
  ),
  ExpiredProviderToken: rule(
    403,
    "credential",
    "The provider token is older than an hour.",
    "The client makes a new one; if it repeats, set this machine's clock.",
  ),
  Forbidden: rule(403, "credential", "The action is not allowed.", "Ask the owner of the developer account."),
  InvalidProviderToken: rule(
    403,
    "credential",
    "The provider token's signature, key id or team id is wrong, or the key was revoked.",
    "Compare key file, key id and team id with the developer account.",
  ),
  MissingProviderToken: rule(
    403,
    "credential",
    "The request carries neither a provider token nor a certificate.",
    "Configure a credential.",
  ),
  TopicMismatch: rule(
    403,
    "credential",
    "The certificate is for another topic.",
    "Use the certificate of this app.",
  ),
  UnrelatedKeyIdInToken: rule(
    403,
    "credential",
    "The key is not related to the first one on this connection.",
    "Use a client of its own for each key.",
  ),
  BadPath: rule(404, "request", "The path is wrong.", "Report it: the client writes the path."),
  MethodNotAllowed: rule(
    405,
    "request",
    "The method is not POST.",
    "Report it: the client writes the method.",
  ),
  ExpiredToken: rule(
    410,
    "device-token",
    "The device token has expired.",
    "Delete it unless it was registered since.",
  ),
  Unregistered: rule(
    410,
    "device-token",
    "The app is no longer registered on the device for this topic.",
    "Delete the device token unless it was registered since.",
  ),
  PayloadTooLarge: rule(
    413,
    "request",
    "The payload is too large.",
    "Shorten it to 4096 bytes (VoIP: 5120).",
  ),
  TooManyProviderTokenUpdates: rule(
    429,
    "pace",
    "The provider token changed more than once in 20 minutes.",
    "Share one token; look for another sender with the same key.",
  ),
  TooManyRequests: rule(
    429,
    "pace",
    "Too many pushes in a row to this device token.",
    "Send fewer to this device; others are not concerned.",
  ),
  InternalServerError: rule(
    500,
    "service",
    "Apple's side failed.",
    "Send again later, on another connection.",
  ),
  ServiceUnavailable: rule(503, "service", "Apple's side is not available.", "Send again later."),
  Shutdown: rule(503, "service", "The server is shutting down.", "Send again, on another connection."),
} as const satisfies Record<string, RejectionRule>;

export type RejectionReason = keyof typeof rejectionReasons;

/** The text as a documented reason, or undefined for one that is newer than the table. */
export function parseRejectionReason(text: string): RejectionReason | undefined {
  return Object.hasOwn(rejectionReasons, text) ? (text as RejectionReason) : undefined;
}

function rule(status: number, fault: Fault, means: string, remedy: string): RejectionRule {
  return { status, fault, means, remedy };
}
