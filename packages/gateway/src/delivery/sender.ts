import type { Outcome } from "@carillon/apns";

/** One notification for one device, in the form that `ApnsClient.send` takes. */
export interface SenderNotification {
  readonly deviceToken: string;
  readonly payload: Uint8Array;
  readonly topic: string;
  readonly pushType?: string;
  readonly priority?: 10 | 5 | 1;
  /** Epoch seconds; 0 means "do not store". */
  readonly expiration?: number;
  readonly collapseId?: string;
  readonly apnsId: string;
}

/**
 * The way to Apple for one app in one environment; `ApnsClient` is one. Whoever made it closes it, after the delivery
 * has stopped.
 */
export interface Sender {
  /**
   * Resolves for every answer and every failure of the network. It must not try again by itself: settlement does.
   * A rejection counts as "nothing was sent".
   */
  send(notification: SenderNotification): Promise<Outcome>;
}
