/** Of a request body this much is read; then the request is handed on as it is. The largest payload Apple takes has 5,120 bytes. */
export const mostBodyBytes = 8192;

const noBytes = Buffer.alloc(0);

/** One request and its answer while the stream is open. The connection mutates it; it decides nothing itself. */
export class ServerStream {
  readonly id: number;
  readonly fields: readonly string[];
  /** What `content-length` promised. */
  readonly contentLength: number | undefined;
  /**
   * "receiving": more of the request is to come. "cut": so it is, but the request was handed on and the rest is ignored.
   * "received": END_STREAM came, and the answer is not written whole.
   */
  phase: "receiving" | "cut" | "received" = "receiving";
  /** Bytes of content received, kept or not. */
  contentBytes = 0;
  /** What the peer may still send on this stream, and what of it was used and not given back. */
  receiveWindow: number;
  owedBytes = 0;
  /** What the peer lets us send; below 0 after it shrank its initial window (RFC 9113 §6.9.2). */
  sendWindow: number;
  /** What of the answer's body was not written yet, because a window has no room. */
  unsentBody: Uint8Array | undefined;
  /** What was kept of the content: nearly always all of it in one piece. */
  private first: Buffer | undefined;
  private more: Buffer[] | undefined;

  constructor(
    id: number,
    fields: readonly string[],
    contentLength: number | undefined,
    receiveWindow: number,
    sendWindow: number,
  ) {
    this.id = id;
    this.fields = fields;
    this.contentLength = contentLength;
    this.receiveWindow = receiveWindow;
    this.sendWindow = sendWindow;
  }

  /**
   * Keeps the content [start, end) of one DATA frame, up to the bound: a copy, unless it is all there is, because a stream
   * that waits for more must not hold the whole chunk that a frame came in.
   */
  addContent(bytes: Buffer, start: number, end: number, position: "last" | "more"): void {
    const wanted = Math.min(end - start, mostBodyBytes - this.contentBytes);
    this.contentBytes += end - start;
    if (wanted <= 0) return;
    const part = bytes.subarray(start, start + wanted);
    if (this.first === undefined) this.first = position === "last" ? part : Buffer.from(part);
    else {
      this.more ??= [];
      this.more.push(Buffer.from(part));
    }
  }

  /** The content received, cut to `mostBodyBytes`. */
  get body(): Buffer {
    const { first = noBytes, more } = this;
    return more === undefined ? first : Buffer.concat([first, ...more]);
  }

  /** Whether all content came that `content-length` promised, and no more (RFC 9113 §8.1.1). */
  get isContentLengthRight(): boolean {
    return this.contentLength === undefined || this.contentLength === this.contentBytes;
  }
}
