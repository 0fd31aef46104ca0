import type { RejectionReason } from "../response/index.ts";
import { rejectionReasons } from "../response/index.ts";

/**
 * Status codes of an error response. Source: Apple, Local and Remote Notification Programming Guide, "Binary Provider API",
 * "Codes in error-response packet".
 */
export const errorStatus = {
  noErrors: 0,
  processingError: 1,
  missingDeviceToken: 2,
  missingTopic: 3,
  missingPayload: 4,
  invalidTokenSize: 5,
  invalidTopicSize: 6,
  invalidPayloadSize: 7,
  invalidToken: 8,
  shutdown: 10,
  protocolError: 128,
  unknown: 255,
} as const;

const texts: Readonly<Record<number, string>> = {
  [errorStatus.noErrors]: "no errors encountered",
  [errorStatus.processingError]: "processing error",
  [errorStatus.missingDeviceToken]: "missing device token",
  [errorStatus.missingTopic]: "missing topic",
  [errorStatus.missingPayload]: "missing payload",
  [errorStatus.invalidTokenSize]: "invalid token size",
  [errorStatus.invalidTopicSize]: "invalid topic size",
  [errorStatus.invalidPayloadSize]: "invalid payload size",
  [errorStatus.invalidToken]: "invalid token",
  [errorStatus.shutdown]: "shutdown",
  [errorStatus.protocolError]: "protocol error",
  [errorStatus.unknown]: "unknown",
};

/** The status in Apple's words. */
export function describeErrorStatus(status: number): string {
  return texts[status] ?? `status ${status}`;
}

/**
 * How the binary gateway would say what HTTP/2 calls this reason; undefined for a device that is gone (410), which was told by
 * the feedback service and never on the connection.
 */
export function errorStatusOf(reason: RejectionReason): number | undefined {
  switch (reason) {
    case "BadDeviceToken":
    case "DeviceTokenNotForTopic":
      return errorStatus.invalidToken;
    case "MissingDeviceToken":
      return errorStatus.missingDeviceToken;
    case "MissingTopic":
    case "BadTopic":
    case "TopicDisallowed":
      return errorStatus.missingTopic;
    case "PayloadEmpty":
      return errorStatus.missingPayload;
    case "PayloadTooLarge":
      return errorStatus.invalidPayloadSize;
    default:
      return rejectionReasons[reason].status === 410 ? undefined : errorStatus.processingError;
  }
}

/** The same the other way: the reason that says of today's requests what this status says; undefined where there is none. */
export function reasonOfErrorStatus(status: number): RejectionReason | undefined {
  switch (status) {
    case errorStatus.processingError:
      return "InternalServerError";
    case errorStatus.missingDeviceToken:
      return "MissingDeviceToken";
    case errorStatus.missingTopic:
      return "MissingTopic";
    case errorStatus.missingPayload:
      return "PayloadEmpty";
    case errorStatus.invalidTokenSize:
    case errorStatus.invalidToken:
      return "BadDeviceToken";
    case errorStatus.invalidTopicSize:
      return "BadTopic";
    case errorStatus.invalidPayloadSize:
      return "PayloadTooLarge";
    default:
      return undefined;
  }
}
