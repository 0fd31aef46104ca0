/**
 * The connection's receive window (RFC 9113 §5.2, §6.9.1). Every byte of DATA is credited back, padding and data of
 * dead streams too, in steps of half a window.
 */
export class ReceiveWindow {
  private readonly windowBytes: number;
  /** What the peer may still send. */
  private available: number;
  /** Received and not credited yet. */
  private owed = 0;

  /** @param windowBytes the window that was announced to the peer */
  constructor(windowBytes: number) {
    this.windowBytes = windowBytes;
    this.available = windowBytes;
  }

  /** Counts the payload of a DATA frame, padding included. False where it exceeds what the peer was allowed. */
  receive(bytes: number): boolean {
    this.available -= bytes;
    this.owed += bytes;
    return this.available >= 0;
  }

  /** The increment to send now, 0 while it is not worth a frame. */
  takeCredit(): number {
    const credit = this.owed;
    if (credit * 2 < this.windowBytes) return 0;
    this.owed = 0;
    this.available += credit;
    return credit;
  }
}
