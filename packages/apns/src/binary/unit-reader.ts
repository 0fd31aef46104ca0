/**
 * How many bytes the unit has whose front is [start, start + available) of `bytes`, at least one byte: as far as that can be
 * told. It is whole when the answer is not above `available`; otherwise the answer is what must be there before more can be told.
 */
export type Measure = (bytes: Buffer, start: number, available: number) => number;

const noBytes = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into units that tell their own length, at any split point. A unit that is whole in one chunk is a view
 * of it; one that is not is copied once for each length that `measure` asks for, however small the chunks are.
 */
export class UnitReader {
  private readonly measure: Measure;
  private chunks: Buffer[] = [];
  /** Chunks before this one are used up, as are the bytes before `position` of it. */
  private head = 0;
  private position = 0;
  /** The front of a unit, [0, partialBytes), in as many bytes as were asked for. */
  private partial = noBytes;
  private partialBytes = 0;

  constructor(measure: Measure) {
    this.measure = measure;
  }

  /** Adds bytes to the stream. They are kept, not copied: the caller does not change them any more. */
  receive(chunk: Uint8Array): void {
    this.chunks.push(
      Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
    );
  }

  /** The next whole unit; undefined until more bytes come. */
  next(): Buffer | undefined {
    while (this.head < this.chunks.length) {
      const chunk = this.chunks[this.head]!;
      const available = chunk.length - this.position;
      if (available === 0) this.dropChunk();
      else {
        const unit =
          this.partialBytes === 0 ? this.cut(chunk, available) : this.complete(chunk, this.position);
        if (unit !== undefined) return unit;
      }
    }
    return undefined;
  }

  /** Whether the front of a unit has come and its end has not. Asked after `next` gave undefined. */
  get isInUnit(): boolean {
    return this.partialBytes > 0;
  }

  /** Forgets all bytes. */
  clear(): void {
    this.chunks = [];
    this.head = 0;
    this.position = 0;
    this.partial = noBytes;
    this.partialBytes = 0;
  }

  private cut(chunk: Buffer, available: number): Buffer | undefined {
    const start = this.position;
    const wanted = this.measure(chunk, start, available);
    if (wanted <= available) {
      this.position = start + wanted;
      return chunk.subarray(start, start + wanted);
    }
    this.partial = Buffer.allocUnsafeSlow(wanted);
    this.partialBytes = chunk.copy(this.partial, 0, start);
    this.dropChunk();
    return undefined;
  }

  private complete(chunk: Buffer, start: number): Buffer | undefined {
    const { partial } = this;
    const copied = chunk.copy(partial, this.partialBytes, start, start + partial.length - this.partialBytes);
    this.position = start + copied;
    this.partialBytes += copied;
    if (this.partialBytes < partial.length) return undefined;
    const wanted = this.measure(partial, 0, partial.length);
    if (wanted <= partial.length) {
      this.partial = noBytes;
      this.partialBytes = 0;
      return partial;
    }
    this.partial = Buffer.allocUnsafeSlow(wanted);
    partial.copy(this.partial);
    return undefined;
  }

  private dropChunk(): void {
    this.chunks[this.head] = noBytes;
    this.head += 1;
    this.position = 0;
    if (this.head < this.chunks.length) return;
    this.chunks = [];
    this.head = 0;
  }
}
