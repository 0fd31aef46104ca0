import type { Priority, PushType } from "./push-type.ts";

/** One push to one device, as a caller hands it over. */
export interface Notification {
  /** 8 to 200 hexadecimal digits, an even number, either case. */
  readonly deviceToken: string;
  /** An object is written as JSON; a string or bytes go to the device as they are. At most 4096 bytes (VoIP 5120). */
  readonly payload: object | string | Uint8Array;
  /** Bundle id with the push type's suffix. @default the client's topic, with the suffix of the push type */
  readonly topic?: string;
  /** @default told from the payload and the topic's suffix: "background", "alert", "voip", … */
  readonly pushType?: PushType | (string & {});
  /** @default 5 for background pushes; otherwise none is sent, which means 10 */
  readonly priority?: Priority;
  /** When to stop trying: a Date or epoch seconds. 0: one attempt, not stored. Absent: stored as APNs likes, up to 30 days. */
  readonly expiration?: Date | number;
  /** 1 to 64 bytes; a newer notification with the same id replaces the older one on the device. */
  readonly collapseId?: string;
  /** A UUID, 8-4-4-4-12. @default a new one */
  readonly apnsId?: string;
  /** What to do when a push was written and no answer came. @default "at-least-once" */
  readonly delivery?: Delivery;
}

/** "at-least-once": sent again with the same `apns-id`. "at-most-once": reported as indeterminate. */
export type Delivery = "at-least-once" | "at-most-once";

/** A notification that was checked and completed; nothing behind this room checks again. */
export interface PreparedNotification {
  readonly deviceToken: string;
  readonly payload: string | Uint8Array;
  readonly payloadBytes: number;
  readonly topic: string | undefined;
  readonly pushType: string | undefined;
  readonly priority: Priority | undefined;
  readonly expirationSeconds: number | undefined;
  readonly collapseId: string | undefined;
  readonly apnsId: string;
  readonly delivery: Delivery;
}

/** Something that APNs would refuse, in the caller's own terms. */
export interface NotificationProblem {
  /** The property of `Notification` at fault. */
  readonly field: keyof Notification;
  /** What is wrong and what to do about it. */
  readonly detail: string;
  /** Within the payload: the key at fault, such as `aps.badge`. */
  readonly path?: string;
}
