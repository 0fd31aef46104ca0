import type { Outcome, PreparedNotification } from "@carillon/apns";

/**
 * The way to Apple for one app in one environment; `ApnsClient` is one. Whoever made it closes it, after the delivery
 * has stopped.
 */
export interface Sender {
  /**
   * Calls `settled` once for every answer and every failure of the network, perhaps before this returns. It must not try
   * again by itself: settlement does. What it throws counts as "nothing was sent".
   */
  sendPrepared<Given extends PreparedNotification>(
    notification: Given,
    settled: (outcome: Outcome, notification: Given) => void,
  ): void;
}
