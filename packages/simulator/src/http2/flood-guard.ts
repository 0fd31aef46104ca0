import { type ConnectionError, errorCode } from "@carillon/apns/http2";

/** Acknowledgements of SETTINGS and PING that wait for `takeOutput` at most. */
const mostWaitingReplies = 1000;

/** Frames without effect (empty DATA, PRIORITY, unknown types, frames of closed streams, refused streams) between two answers at most. */
const mostIdleFrames = 10_000;

/** Resets that a connection starts with, gains per answer, and holds at most. Rapid reset (CVE-2023-44487) lives on their being free. */
const firstResets = 1000;
const resetsPerAnswer = 0.5;
const mostResets = 5000;

/** Ends connections whose peer makes us work for nothing (RFC 9113 §10.5). A count that exceeds its bound gives the error. */
export class FloodGuard {
  private waitingReplies = 0;
  private idleFrames = 0;
  private resetsLeft = firstResets;

  /** A frame that must be acknowledged. */
  countReply(): ConnectionError | undefined {
    this.waitingReplies += 1;
    if (this.waitingReplies <= mostWaitingReplies) return undefined;
    return calm(`${this.waitingReplies} acknowledgements wait to be sent`);
  }

  /** A frame that had no effect. */
  countIdle(): ConnectionError | undefined {
    this.idleFrames += 1;
    if (this.idleFrames <= mostIdleFrames) return undefined;
    return calm(`${this.idleFrames} frames without effect`);
  }

  /** A stream that the peer reset, or made us reset (CVE-2025-8671). */
  countReset(): ConnectionError | undefined {
    this.resetsLeft -= 1;
    if (this.resetsLeft >= 0) return undefined;
    return calm("too many streams were reset");
  }

  /** The replies were handed to the socket. */
  repliesTaken(): void {
    this.waitingReplies = 0;
  }

  /** A whole request came and was answered: that is what the peer is there for. */
  answered(): void {
    this.idleFrames = 0;
    this.resetsLeft = Math.min(mostResets, this.resetsLeft + resetsPerAnswer);
  }
}

function calm(detail: string): ConnectionError {
  return { code: errorCode.enhanceYourCalm, detail };
}
