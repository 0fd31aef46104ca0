/**
 * The three frames that carry a notification: 0 "simple", 1 "enhanced", 2 "frame" with items.
 * Source: Apple, Local and Remote Notification Programming Guide, "Binary Provider API" and "Legacy Format".
 */
export type BinaryCommand = 0 | 1 | 2;

/** A notification as the binary protocol carries it: there is no topic, the client certificate stands for one. */
export interface BinaryNotification {
  /** Raw bytes, 32 as a rule. */
  readonly deviceToken: Uint8Array;
  /** JSON in UTF-8. */
  readonly payload: Uint8Array;
  /** 32 bits of the sender's own, opaque, which come back in an error response. Command 0 has none. */
  readonly identifier?: number | undefined;
  /** 0: one attempt, not stored. Undefined: nothing is said about it; command 0 cannot, command 1 must say something. */
  readonly expirationSeconds?: number | undefined;
  /** 10 or 5; as it stands there, unjudged. Only command 2 can carry one, and its absence means 10. */
  readonly priority?: number | undefined;
}

/** Numbers of a frame's items in command 2. */
export const itemId = { deviceToken: 1, payload: 2, identifier: 3, expiration: 4, priority: 5 } as const;

/** Device tokens have up to 100 bytes. */
export const mostTokenBytes = 100;

/** What HTTP/2 takes. The retired gateway took 256, later 2048; 4096 of VoIP certificates. */
export const mostPayloadBytes = 4096;
