/** What is known when Apple has refused a notification. */
export interface TokenAnswer {
  /** Apple's word. */
  readonly reason: string;
  /** With 410: since when the device token is gone, epoch milliseconds. */
  readonly goneSinceMs?: number;
  /** The latest sign that it was good: a registration, or an accepted notification. Epoch milliseconds. */
  readonly goodAtMs?: number;
  readonly nowMs: number;
}

/** What an answer says about the device token. */
export type TokenVerdict =
  | { readonly kind: "gone"; readonly sinceMs: number }
  /** Something is wrong with it, and most often it is the configuration. */
  | { readonly kind: "suspect" }
  /** It was gone, and was registered again since: it stays. */
  | { readonly kind: "outdated" }
  | { readonly kind: "nothing" };

/** How far Apple's clock may be ahead of ours before its times are not believed. */
const mostAheadMs = 300_000;

/**
 * Judges a device token by one answer. Pure. Only a 410 whose timestamp is later than every sign of life makes it gone;
 * one at the same moment does not, for the registration may have been the later of the two.
 *
 * Source: Apple, "Handling notification responses from APNs": stop pushing "until you detect the device has re-registered".
 */
export function judgeToken({ reason, goneSinceMs, goodAtMs, nowMs }: TokenAnswer): TokenVerdict {
  switch (reason) {
    case "BadDeviceToken":
    case "DeviceTokenNotForTopic":
      return { kind: "suspect" };
    case "Unregistered":
    case "ExpiredToken":
      if (goneSinceMs === undefined || goneSinceMs > nowMs + mostAheadMs) return { kind: "suspect" };
      if (goodAtMs !== undefined && goodAtMs >= goneSinceMs) return { kind: "outdated" };
      return { kind: "gone", sinceMs: goneSinceMs };
    default:
      return { kind: "nothing" };
  }
}
