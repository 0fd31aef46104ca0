/** Streams at once while APNs holds a connection back, and otherwise (`apns-protocol` §4.1). */
const heldBack = 1;
const usual = 1000;

/**
 * How many streams one connection may have: one until its provider token was found valid, and, where that is assumed, one
 * after refusals in a row until a push is accepted.
 */
export class StreamAllowance {
  private isProven: boolean;
  private refusals = 0;
  private readonly penaltyAfter: number;

  /** @param isProven as connections with a certificate are from the start */
  constructor(isProven: boolean, penaltyAfter: number = Number.POSITIVE_INFINITY) {
    this.isProven = isProven;
    this.penaltyAfter = penaltyAfter;
  }

  get limit(): number {
    return this.isProven && this.refusals < this.penaltyAfter ? usual : heldBack;
  }

  /** A request was answered. A 410 is no error of the sender's. */
  answered(status: number, isAuthenticated: boolean): void {
    if (isAuthenticated) this.isProven = true;
    if (status < 300) this.refusals = 0;
    else if (status < 500 && status !== 410) this.refusals += 1;
  }
}
