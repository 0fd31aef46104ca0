/** How a stream ended, seen from the frames that may still come for it. */
export type ClosedBy =
  /** The peer ended it with END_STREAM: any DATA or HEADERS behind that is an error (RFC 9113 §5.1). */
  | "end-stream"
  /** The peer reset it and must not send for it again. */
  | "peer-reset"
  /** We gave it up: frames that were under way are to be ignored. */
  | "us"
  /** Too long ago to tell: ignored as well. */
  | "forgotten";

/** Streams remembered at most. */
const mostRemembered = 1024;

/**
 * Remembers how streams ended, in bounded memory: only the unusual endings are kept, the newest of them, and what
 * is older than they are is treated kindly.
 */
export class ClosedStreams {
  private readonly unusual = new Map<number, "peer-reset" | "us">();
  /** Nothing is claimed about streams up to here. */
  private forgottenUpTo = 0;

  remember(streamId: number, by: "peer-reset" | "us"): void {
    this.unusual.set(streamId, by);
    if (this.unusual.size <= mostRemembered) return;
    for (const oldest of this.unusual.keys()) {
      this.unusual.delete(oldest);
      if (oldest > this.forgottenUpTo) this.forgottenUpTo = oldest;
      break;
    }
  }

  /** How a stream that was opened and is not open any more ended. */
  find(streamId: number): ClosedBy {
    return this.unusual.get(streamId) ?? (streamId <= this.forgottenUpTo ? "forgotten" : "end-stream");
  }
}
