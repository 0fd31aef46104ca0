const firstRoomBytes = 4096;

const noBytes = Buffer.alloc(0);

/** One request and its answer while the stream is open. The connection mutates it; it decides nothing itself. */
export class ClientStream<Tag> {
  readonly id: number;
  readonly tag: Tag;
  /** What the peer lets us send on this stream; below 0 after it shrank its initial window (RFC 9113 §6.9.2). */
  sendWindow: number;
  /**
   * What of the request body was not written, because the stream's window has no room. Undefined once END_STREAM is
   * written.
   */
  unsentBody: Uint8Array | undefined;
  /** Status of the final response; undefined until its HEADERS came. */
  status: number | undefined;
  fields: readonly string[] = [];
  /** What `content-length` promised. */
  contentLength: number | undefined;
  /** Bytes of content received. */
  contentBytes = 0;
  /** Bytes of DATA payload received, padding included. */
  dataBytes = 0;
  /** Nobody waits for the answer any more; the stream only keeps its slot. */
  isForsaken = false;
  /** Informational responses received. */
  interimResponses = 0;
  /** The front of the content, [0, keptBytes). */
  private kept: Buffer = noBytes;
  private keptBytes = 0;
  private readonly mostBodyBytes: number;

  /** @param mostBodyBytes of the content this much is kept; the rest only counts */
  constructor(id: number, tag: Tag, sendWindow: number, mostBodyBytes: number) {
    this.mostBodyBytes = mostBodyBytes;
    this.id = id;
    this.tag = tag;
    this.sendWindow = sendWindow;
  }

  /** Takes the content of one DATA frame, [start, end) of `bytes`. */
  addContent(bytes: Buffer, start: number, end: number): void {
    this.contentBytes += end - start;
    const wanted = Math.min(end - start, this.mostBodyBytes - this.keptBytes);
    if (wanted <= 0) return;
    const needed = this.keptBytes + wanted;
    if (needed > this.kept.length) {
      const room = Math.max(needed, firstRoomBytes, 2 * this.kept.length);
      const larger = Buffer.allocUnsafeSlow(
        this.keptBytes === 0 ? wanted : Math.min(room, this.mostBodyBytes),
      );
      this.kept.copy(larger, 0, 0, this.keptBytes);
      this.kept = larger;
    }
    bytes.copy(this.kept, this.keptBytes, start, start + wanted);
    this.keptBytes += wanted;
  }

  /** The content received, cut to what is kept. */
  get body(): Buffer {
    return this.keptBytes === this.kept.length ? this.kept : this.kept.subarray(0, this.keptBytes);
  }

  /** Whether all content came that `content-length` promised, and no more (RFC 9113 §8.1.1). */
  get isContentLengthRight(): boolean {
    if (this.contentLength === undefined || this.contentLength === this.contentBytes) return true;
    // These have no content whatever the field says (RFC 9110 §8.6).
    return (this.status === 204 || this.status === 304) && this.contentBytes === 0;
  }
}
