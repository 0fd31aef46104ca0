import { type ConnectionError, errorCode } from "./frame-types.ts";

/** Replies (SETTINGS and PING acknowledgements, RST_STREAM) that wait for `takeOutput` at most. */
const mostWaitingReplies = 1000;

/**
 * Frames without effect (empty DATA, PRIORITY, unknown types, frames of closed streams, 1xx) between two answers at
 * most.
 */
const mostIdleFrames = 10_000;

/**
 * Ends connections whose peer makes us work for nothing (RFC 9113 §10.5). A count that exceeds its bound gives the
 * error.
 */
export class FloodGuard {
  private waitingReplies = 0;
  private idleFrames = 0;

  /** A frame that must be answered. */
  countReply(): ConnectionError | undefined {
    this.waitingReplies += 1;
    if (this.waitingReplies <= mostWaitingReplies) return undefined;
    return { code: errorCode.enhanceYourCalm, detail: `${this.waitingReplies} replies wait to be sent` };
  }

  /** A frame that had no effect. */
  countIdle(): ConnectionError | undefined {
    this.idleFrames += 1;
    if (this.idleFrames <= mostIdleFrames) return undefined;
    return { code: errorCode.enhanceYourCalm, detail: `${this.idleFrames} frames without effect` };
  }

  /** The replies were handed to the socket. */
  repliesTaken(): void {
    this.waitingReplies = 0;
  }

  /** The peer did what it is there for. */
  answered(): void {
    this.idleFrames = 0;
  }
}
