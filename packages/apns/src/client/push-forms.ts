import { RequestForm } from "../http2/index.ts";
import { devicePath, type PreparedNotification, requestFields } from "../notification/index.ts";

/**
 * The form of the requests that a connection sends one after the other: all but device token and id stays the same while topic, push
 * type, priority and provider token do. A hot path (bench/client.ts).
 */
export class PushForms {
  private topic: string | undefined;
  private pushType: string | undefined;
  private priority: number | undefined;
  private authorization: string | undefined;
  private form: RequestForm | undefined;

  /** The form for a notification, or undefined where it differs from the one before or has values of its own. */
  find(
    notification: PreparedNotification,
    authority: string,
    authorization: string | undefined,
  ): RequestForm | undefined {
    const { topic, pushType, priority } = notification;
    if (notification.expirationSeconds !== undefined || notification.collapseId !== undefined)
      return undefined;
    if (
      topic !== this.topic ||
      pushType !== this.pushType ||
      priority !== this.priority ||
      authorization !== this.authorization
    ) {
      this.topic = topic;
      this.pushType = pushType;
      this.priority = priority;
      this.authorization = authorization;
      this.form = undefined;
      return undefined;
    }
    this.form ??= new RequestForm(
      requestFields(notification, authority, authorization),
      devicePath,
      "apns-id",
    );
    return this.form;
  }
}
