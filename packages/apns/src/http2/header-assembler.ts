import { type ConnectionError, errorCode } from "./frame-types.ts";

/** CONTINUATION frames of one block at most. Without a bound a peer can send them for ever (CERT VU#421644). */
const mostContinuations = 128;

/** Bytes of one block at most: enough to decode and refuse a list several times over any sensible limit. */
const mostBlockBytes = 262_144;

/**
 * Puts together one header block that spans HEADERS and CONTINUATION frames (RFC 9113 §4.3, §6.10). Both numbers
 * and bytes are bounded.
 */
export class HeaderAssembler {
  /** The stream whose block is being put together; undefined between blocks. */
  streamId: number | undefined;
  /** Flags of the HEADERS frame that began it. */
  flags = 0;
  private fragments: Buffer[] = [];
  private blockBytes = 0;
  private continuations = 0;

  /** Begins a block with the fragment [start, end) of a HEADERS frame that has no END_HEADERS. */
  begin(streamId: number, flags: number, bytes: Buffer, start: number, end: number): void {
    this.streamId = streamId;
    this.flags = flags;
    this.continuations = 0;
    this.blockBytes = end - start;
    this.fragments = [Buffer.from(bytes.subarray(start, end))];
  }

  /** Adds the payload of a CONTINUATION frame for `streamId`; an error ends the connection. */
  append(streamId: number, bytes: Buffer, start: number, end: number): ConnectionError | undefined {
    if (this.streamId !== streamId) {
      return { code: errorCode.protocolError, detail: `CONTINUATION on stream ${streamId} out of place` };
    }
    this.continuations += 1;
    this.blockBytes += end - start;
    if (this.continuations > mostContinuations || this.blockBytes > mostBlockBytes) {
      return {
        code: errorCode.enhanceYourCalm,
        detail: `header block of more than ${mostBlockBytes} bytes or ${mostContinuations} frames`,
      };
    }
    this.fragments.push(Buffer.from(bytes.subarray(start, end)));
    return undefined;
  }

  /** The whole block; the assembler is free for the next. */
  finish(): Buffer {
    const block = Buffer.concat(this.fragments, this.blockBytes);
    this.streamId = undefined;
    this.fragments = [];
    return block;
  }
}
