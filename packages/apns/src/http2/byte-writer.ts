/**
 * Bytes of a buffer, unless more is written between two takes. Over a TLS socket 16 KB to 256 KB made no difference
 * that could be measured.
 */
const defaultChunkBytes = 65_536;

/**
 * Below this many characters a loop over char codes beats the call into native code (bench/http2-engine.bench.ts).
 */
const nativeWriteCharacters = 28;

/**
 * A growing output buffer. What was taken is never written to again, so a socket may keep it.
 *
 * The hot path of the engine: it mutates in place, and the encoders write through it without a buffer of their own
 * (bench/http2-engine.bench.ts).
 */
export class ByteWriter {
  private buffer: Buffer;
  /** Where the bytes that were not taken yet begin. */
  private start = 0;
  private end = 0;
  private lastTakenBytes = 0;
  private readonly chunkBytes: number;

  /** @param chunkBytes size of the buffers that are allocated, at least 64. @default 65 536 */
  constructor(chunkBytes: number = defaultChunkBytes) {
    this.chunkBytes = Math.max(64, chunkBytes);
    this.buffer = Buffer.allocUnsafeSlow(this.chunkBytes);
  }

  /** Bytes written since the last take. */
  get length(): number {
    return this.end - this.start;
  }

  /** Appends the low 8 bits. */
  u8(value: number): void {
    if (this.end === this.buffer.length) this.grow(1);
    this.buffer[this.end++] = value;
  }

  /** Appends the low 16 bits, big-endian. */
  u16(value: number): void {
    if (this.end + 2 > this.buffer.length) this.grow(2);
    const { buffer, end } = this;
    buffer[end] = value >>> 8;
    buffer[end + 1] = value;
    this.end = end + 2;
  }

  /** Appends the low 24 bits, big-endian. */
  u24(value: number): void {
    if (this.end + 3 > this.buffer.length) this.grow(3);
    const { buffer, end } = this;
    buffer[end] = value >>> 16;
    buffer[end + 1] = value >>> 8;
    buffer[end + 2] = value;
    this.end = end + 3;
  }

  /** Appends the low 32 bits, big-endian. */
  u32(value: number): void {
    if (this.end + 4 > this.buffer.length) this.grow(4);
    const { buffer, end } = this;
    buffer[end] = value >>> 24;
    buffer[end + 1] = value >>> 16;
    buffer[end + 2] = value >>> 8;
    buffer[end + 3] = value;
    this.end = end + 4;
  }

  /** Appends one byte per UTF-16 unit: its low 8 bits. */
  latin1(text: string): void {
    const length = text.length;
    if (this.end + length > this.buffer.length) this.grow(length);
    const { buffer, end } = this;
    if (length < nativeWriteCharacters) {
      for (let i = 0; i < length; i++) buffer[end + i] = text.charCodeAt(i);
    } else {
      buffer.write(text, end, length, "latin1");
    }
    this.end = end + length;
  }

  /** Appends `text` as UTF-8 (a lone surrogate as U+FFFD) and returns the number of bytes written. */
  utf8(text: string): number {
    const most = text.length * 3;
    if (this.end + most > this.buffer.length) this.grow(most);
    const written = this.buffer.write(text, this.end, most, "utf8");
    this.end += written;
    return written;
  }

  bytes(source: Uint8Array): void {
    if (this.end + source.length > this.buffer.length) this.grow(source.length);
    this.buffer.set(source, this.end);
    this.end += source.length;
  }

  /**
   * Overwrites 3 bytes that were written since the last take; `at` counts from there. For lengths known only
   * afterwards.
   */
  patchU24(at: number, value: number): void {
    const position = this.start + at;
    this.buffer[position] = value >>> 16;
    this.buffer[position + 1] = value >>> 8;
    this.buffer[position + 2] = value;
  }

  /** Overwrites one byte that was written since the last take; `at` counts from there. */
  patchU8(at: number, value: number): void {
    this.buffer[this.start + at] = value;
  }

  /** Overwrites 4 bytes, big-endian, that were written since the last take; `at` counts from there. */
  patchU32(at: number, value: number): void {
    const position = this.start + at;
    const { buffer } = this;
    buffer[position] = value >>> 24;
    buffer[position + 1] = value >>> 16;
    buffer[position + 2] = value >>> 8;
    buffer[position + 3] = value;
  }

  /** Overwrites one byte per UTF-16 unit of what was written since the last take; `at` counts from there. */
  patchLatin1(at: number, text: string): void {
    this.buffer.write(text, this.start + at, text.length, "latin1");
  }

  /** A copy of the bytes from `from` on, counted from the last take. */
  copy(from: number): Buffer {
    return Buffer.from(this.buffer.subarray(this.start + from, this.end));
  }

  /** Removes the bytes from `length` on, and returns a copy of them. */
  cut(length: number): Buffer {
    const removed = this.copy(length);
    this.end = this.start + length;
    return removed;
  }

  /**
   * The bytes written since the last take; the writer then starts anew (the returned buffer is never written to
   * again).
   */
  take(): Buffer {
    const taken = this.buffer.subarray(this.start, this.end);
    this.start = this.end;
    this.lastTakenBytes = taken.length;
    return taken;
  }

  /**
   * Moves what was not taken to a new buffer with room for `bytes` more. The last take tells how much is written
   * between two takes: with room for two of them nothing has to be moved while the load is steady.
   */
  private grow(bytes: number): void {
    const needed = this.length + bytes;
    const size = Math.max(
      this.chunkBytes,
      this.lastTakenBytes * 2,
      needed > this.chunkBytes ? needed * 2 : 0,
    );
    const larger = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, this.start, this.end);
    this.end = this.length;
    this.start = 0;
    this.buffer = larger;
  }
}
