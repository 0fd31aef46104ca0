/** `@carillon/apns/binary`: the protocol that Apple retired on 2021-03-31, for senders that still speak it. */
export {
  type BinaryCommand,
  type BinaryNotification,
  itemId,
  mostPayloadBytes,
  mostTokenBytes,
} from "./binary-notification.ts";
export {
  type ErrorResponse,
  ErrorResponseDecoder,
  encodeErrorResponse,
  type ReceivedErrorResponse,
} from "./error-response.ts";
export { describeErrorStatus, errorStatus, errorStatusOf, reasonOfErrorStatus } from "./error-status.ts";
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
