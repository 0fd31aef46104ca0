/** The value that everything passes around: one push to one device, checked, completed, and as a header list. */
export { type DeviceToken, parseDeviceToken } from "./device-token.ts";
export type { Delivery, Notification, NotificationProblem, PreparedNotification } from "./notification.ts";
export { isUuid, type Prepared, type PrepareOptions, prepareNotification } from "./prepare.ts";
export {
  type Priority,
  type PushType,
  type PushTypeRule,
  payloadLimitBytes,
  priorities,
  pushTypeRule,
  pushTypes,
} from "./push-type.ts";
export { requestFields } from "./request-fields.ts";
