/** `@carillon/apns/binary`: the protocol that Apple retired on 2021-03-31, for senders that still speak it. */
export { BinaryClient } from "./binary-client.ts";
export type { BinaryClientOptions, BinaryPeerOptions } from "./binary-client-options.ts";
export {
  type BinaryCommand,
  type BinaryNotification,
  itemId,
  mostPayloadBytes,
  mostTokenBytes,
} from "./binary-notification.ts";
export type { BinaryPush } from "./binary-push.ts";
export {
  type ErrorResponse,
  ErrorResponseDecoder,
  encodeErrorResponse,
  type ReceivedErrorResponse,
} from "./error-response.ts";
export { describeErrorStatus, errorStatus, errorStatusOf, reasonOfErrorStatus } from "./error-status.ts";
export {
  type FeedbackOptions,
  type FeedbackReading,
  type GoneDevice,
  readFeedback,
} from "./feedback-reader.ts";
export {
  encodeFeedback,
  FeedbackDecoder,
  type FeedbackTuple,
  type ReceivedFeedback,
} from "./feedback-tuple.ts";
export {
  BinaryFrameDecoder,
  type BinaryFrameDecoderOptions,
  type MalformedFrame,
  type ReceivedFrame,
  type ReceivedNotification,
} from "./frame-decoder.ts";
export { encodeFrame, frameBytes, writeFrame } from "./frame-encoder.ts";
