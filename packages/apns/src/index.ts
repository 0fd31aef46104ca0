/**
 * `@carillon/apns`: Apple push notifications from Node.js.
 *
 * `ApnsClient` sends; the tables and checks below it are shared with the simulator and the gateway.
 */
export {
  ApnsClient,
  type ApnsClientOptions,
  type ClientEvent,
  type CloseOptions,
  type ConnectionSnapshot,
  type PoolSnapshot,
  type RetryOptions,
  type SendOptions,
} from "./client/index.ts";
export {
  type Credentials,
  loadProviderKey,
  type ProviderTokenClaims,
  ProviderTokenSource,
  type ReadProviderToken,
  readProviderToken,
  signProviderToken,
  verifyProviderToken,
} from "./credentials/index.ts";
export {
  type Delivery,
  type DeviceToken,
  isUuid,
  type Notification,
  type NotificationProblem,
  type Prepared,
  type PreparedNotification,
  type PrepareOptions,
  type Priority,
  type PushType,
  type PushTypeRule,
  parseDeviceToken,
  payloadLimitBytes,
  prepareNotification,
  priorities,
  pushTypeRule,
  pushTypes,
} from "./notification/index.ts";
export {
  type Accepted,
  type Answer,
  type Fault,
  type Indeterminate,
  type Outcome,
  parseRejectionReason,
  type Rejected,
  type RejectionReason,
  type RejectionRule,
  readAnswer,
  rejectionReasons,
  type Unprocessed,
  type Unrecognized,
} from "./response/index.ts";
export {
  ApnsError,
  type ApnsErrorCode,
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
  type Timer,
} from "./runtime/index.ts";
