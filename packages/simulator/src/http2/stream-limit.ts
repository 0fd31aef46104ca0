/** Streams that a client may assume before it knows our SETTINGS: what nghttp2 and Node do, and RFC 9113 §6.5.2 asks for. */
const assumedLimit = 100;

/** SETTINGS frames that may wait for their acknowledgement; beyond them the oldest counts as acknowledged. */
const mostUnacknowledged = 64;

/**
 * SETTINGS_MAX_CONCURRENT_STREAMS, and what of it the peer can be held to: a lower limit from its acknowledgement on (RFC
 * 9113 §6.5.3), a higher one as soon as it left.
 */
export class StreamLimit {
  /** As written last. */
  announced: number;
  /** What was acknowledged last. */
  private acknowledged = assumedLimit;
  /** The limits of SETTINGS frames that were written and not acknowledged, and how many of these have left. */
  private readonly waiting: number[];
  private leftCount = 0;
  private limitInForce = assumedLimit;

  /** @param first the limit in our first SETTINGS */
  constructor(first: number) {
    this.announced = first;
    this.waiting = [first];
  }

  /** How many streams the peer may have open now. */
  get inForce(): number {
    return this.limitInForce;
  }

  /** A SETTINGS frame with this limit, or with other entries alone, is written. */
  write(limit: number = this.announced): void {
    this.announced = limit;
    this.waiting.push(limit);
    if (this.waiting.length > mostUnacknowledged) this.acknowledge();
  }

  /** What was written is on its way to the peer. */
  leave(): void {
    if (this.leftCount === this.waiting.length) return;
    this.leftCount = this.waiting.length;
    this.weigh();
  }

  /** The peer acknowledged one SETTINGS frame; they come back in order. False where none was waiting. */
  acknowledge(): boolean {
    const limit = this.waiting.shift();
    if (limit === undefined) return false;
    this.acknowledged = limit;
    this.leftCount = Math.max(0, this.leftCount - 1);
    this.weigh();
    return true;
  }

  private weigh(): void {
    let limit = this.acknowledged;
    for (let i = 0; i < this.leftCount; i++) limit = Math.max(limit, this.waiting[i]!);
    this.limitInForce = limit;
  }
}
