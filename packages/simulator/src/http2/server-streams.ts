import type { ServerStream } from "./server-stream.ts";

/** How a stream ended, seen from the frames that may still come for it. */
export type ClosedBy =
  /** The peer had ended it and had its answer: more HEADERS or DATA are an error (RFC 9113 §5.1). */
  | "answer"
  /** The peer reset it and must not send for it again. */
  | "peer-reset"
  /** We gave it up: frames that were under way are to be ignored. */
  | "us"
  /** It was never used: the peer opened a higher one first (RFC 9113 §5.1.1). */
  | "skipped"
  /** Too long ago to tell: ignored as well. */
  | "forgotten";

/** Unusual endings and gaps remembered at most. */
const mostRemembered = 1024;
const mostGaps = 64;

/** The streams of one server connection: those open, and how the others ended, in bounded memory. */
export class ServerStreams {
  /** The highest stream that the peer opened; 0 before the first. */
  highestId = 0;
  private readonly open = new Map<number, ServerStream>();
  private readonly unusual = new Map<number, "peer-reset" | "us">();
  /** Ids that were passed over, [first, last], newest last. */
  private readonly gaps: (readonly [first: number, last: number])[] = [];
  /** Nothing is claimed about streams up to here. */
  private forgottenUpTo = 0;

  get count(): number {
    return this.open.size;
  }

  /** The peer used this id to open a stream, whether we take it or not. */
  pass(id: number): void {
    if (id > this.highestId + 2) this.rememberGap(this.highestId + 1, id - 1);
    this.highestId = id;
  }

  add(stream: ServerStream): void {
    this.open.set(stream.id, stream);
  }

  find(id: number): ServerStream | undefined {
    return this.open.get(id);
  }

  all(): Iterable<ServerStream> {
    return this.open.values();
  }

  /** The stream's request was whole and its answer is written. */
  finish(id: number): void {
    this.open.delete(id);
  }

  /** The stream ended in another way, or was never opened (refused). */
  drop(id: number, by: "peer-reset" | "us"): void {
    this.open.delete(id);
    this.unusual.set(id, by);
    if (this.unusual.size <= mostRemembered) return;
    for (const oldest of this.unusual.keys()) {
      this.unusual.delete(oldest);
      this.forgottenUpTo = Math.max(this.forgottenUpTo, oldest);
      break;
    }
  }

  /** How a stream that is neither open nor above `highestId` ended. */
  closedBy(id: number): ClosedBy {
    const unusual = this.unusual.get(id);
    if (unusual !== undefined) return unusual;
    if (this.gaps.some(([first, last]) => id >= first && id <= last)) return "skipped";
    return id <= this.forgottenUpTo ? "forgotten" : "answer";
  }

  private rememberGap(first: number, last: number): void {
    this.gaps.push([first, last]);
    if (this.gaps.length <= mostGaps) return;
    const oldest = this.gaps.shift();
    if (oldest !== undefined) this.forgottenUpTo = Math.max(this.forgottenUpTo, oldest[1]);
  }
}
