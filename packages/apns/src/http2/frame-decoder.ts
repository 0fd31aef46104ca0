import { type ConnectionError, errorCode, frameHeaderBytes } from "./frame-types.ts";

/**
 * Receives one whole frame: bytes [start, end) of `bytes` are its payload, padding and priority fields not yet
 * removed, valid only during the call. What it returns, if anything, stops the decoder.
 */
export type FrameListener = (
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
) => ConnectionError | undefined;

/**
 * Splits a byte stream into frames at any split point (RFC 9113 §4.1), without copying where a frame is whole in
 * one chunk. Holds at most one frame: 9 + maxFrameSize bytes.
 */
export class FrameDecoder {
  private readonly maxFrameSize: number;
  /** The front of a frame whose end has not come, [0, partialBytes). */
  private partial: Buffer = Buffer.alloc(0);
  private partialBytes = 0;
  private error: ConnectionError | undefined;

  /** @param maxFrameSize our SETTINGS_MAX_FRAME_SIZE, 16 384 to 16 777 215. @default 16 384 */
  constructor(maxFrameSize = 16_384) {
    this.maxFrameSize = maxFrameSize;
  }

  /**
   * Calls `onFrame` for each whole frame. Stops at, and returns, the first error: FRAME_SIZE_ERROR for a frame that
   * is too large (seen at its header, before its payload), or what `onFrame` returned. After an error every call
   * returns it.
   */
  receive(chunk: Buffer, onFrame: FrameListener): ConnectionError | undefined {
    if (this.error !== undefined) return this.error;
    let position = 0;
    if (this.partialBytes > 0) {
      position = this.completePartial(chunk, onFrame);
      if (this.error !== undefined || this.partialBytes > 0) return this.error;
    }
    const length = chunk.length;
    while (position + frameHeaderBytes <= length) {
      const payloadBytes = payloadLength(chunk, position);
      if (payloadBytes > this.maxFrameSize) return this.refuse(payloadBytes);
      const start = position + frameHeaderBytes;
      const end = start + payloadBytes;
      if (end > length) break;
      const error = deliver(chunk, position, end, onFrame);
      if (error !== undefined) {
        this.error = error;
        return error;
      }
      position = end;
    }
    if (position < length) this.keep(chunk, position);
    return undefined;
  }

  /** Adds bytes of `chunk` to the kept front of a frame and delivers it when whole; returns how many were used. */
  private completePartial(chunk: Buffer, onFrame: FrameListener): number {
    let position = 0;
    if (this.partialBytes < frameHeaderBytes) {
      position = this.append(chunk, 0, frameHeaderBytes);
      if (this.partialBytes < frameHeaderBytes) return position;
    }
    const payloadBytes = payloadLength(this.partial, 0);
    if (payloadBytes > this.maxFrameSize) {
      this.refuse(payloadBytes);
      return position;
    }
    const frameBytes = frameHeaderBytes + payloadBytes;
    position += this.append(chunk, position, frameBytes);
    if (this.partialBytes < frameBytes) return position;
    this.partialBytes = 0;
    this.error = deliver(this.partial, 0, frameBytes, onFrame);
    return position;
  }

  /** Copies from `chunk` until `wantedBytes` are kept or the chunk ends; returns how many bytes were copied. */
  private append(chunk: Buffer, from: number, wantedBytes: number): number {
    if (this.partial.length < wantedBytes) {
      const larger = Buffer.allocUnsafeSlow(wantedBytes);
      this.partial.copy(larger, 0, 0, this.partialBytes);
      this.partial = larger;
    }
    const copied = chunk.copy(this.partial, this.partialBytes, from, from + wantedBytes - this.partialBytes);
    this.partialBytes += copied;
    return copied;
  }

  /** Keeps the last bytes of a chunk: the front of a frame. */
  private keep(chunk: Buffer, from: number): void {
    const available = chunk.length - from;
    // The whole frame's room at once where the header tells it, so that later pieces need no new buffer.
    const room =
      available < frameHeaderBytes ? frameHeaderBytes : frameHeaderBytes + payloadLength(chunk, from);
    if (this.partial.length < room) this.partial = Buffer.allocUnsafeSlow(room);
    this.partialBytes = chunk.copy(this.partial, 0, from);
  }

  private refuse(payloadBytes: number): ConnectionError {
    this.error = {
      code: errorCode.frameSizeError,
      detail: `frame of ${payloadBytes} bytes, at most ${this.maxFrameSize} allowed`,
    };
    return this.error;
  }
}

function payloadLength(bytes: Buffer, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/** Hands on the frame in [at, end) of `bytes`. The reserved bit before the stream id is ignored (RFC 9113 §4.1). */
function deliver(
  bytes: Buffer,
  at: number,
  end: number,
  onFrame: FrameListener,
): ConnectionError | undefined {
  const streamId =
    ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
  return onFrame(bytes[at + 3]!, bytes[at + 4]!, streamId, bytes, at + frameHeaderBytes, end);
}
