/** The value that everything passes around: one push to one device, made, checked, completed, and as a header list. */

export { makeApnsId } from "./apns-id.ts";
export type {
  ApnsPayload,
  Aps,
  ApsAlert,
  ApsLocalized,
  ApsSound,
  InterruptionLevel,
  LiveActivityEvent,
} from "./apns-payload.ts";
export { bundleIdOf } from "./derive.ts";
export { type DeviceToken, parseDeviceToken } from "./device-token.ts";
export { explainEpochSeconds, toEpochSeconds } from "./epoch-seconds.ts";
export type { Delivery, Notification, NotificationProblem, PreparedNotification } from "./notification.ts";
export { type AlertPayloadOptions, alertPayload, type CriticalSound } from "./payload/alert.ts";
export type { PayloadData } from "./payload/draft.ts";
export {
  type LiveActivityAlert,
  type LiveActivityEnd,
  type LiveActivityStart,
  type LiveActivityUpdate,
  liveActivityPayload,
} from "./payload/live-activity.ts";
export {
  backgroundPayload,
  contentChangedPayload,
  dataPayload,
  type FileProviderPayloadOptions,
  fileProviderPayload,
  mdmPayload,
  type SafariPayloadOptions,
  safariPayload,
  walletPayload,
} from "./payload/special.ts";
export type { LocalizedText, PayloadText } from "./payload/text.ts";
export { checkSize, isWritable, writePayload } from "./payload-content.ts";
export { checkPayload } from "./payload-rules.ts";
export { isUuid, type Prepared, type PrepareOptions, prepareNotification, type Sender } from "./prepare.ts";
export { Preparer } from "./preparer.ts";
export {
  type Priority,
  type PushType,
  type PushTypeRule,
  payloadLimitBytes,
  priorities,
  pushTypeRule,
  pushTypes,
} from "./push-type.ts";
export { devicePath, requestFields } from "./request-fields.ts";
