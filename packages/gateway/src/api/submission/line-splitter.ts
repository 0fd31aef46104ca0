/** A line is one notification with up to 10,000 recipients. */
export const mostLineBytes = 1024 * 1024;

const newline = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * Cuts a body into its lines, whatever chunks it comes in. Lines that hold nothing but spaces count and are left out.
 * After each `next` that is true the fields tell of one line.
 */
export class LineSplitter {
  /** What the line stands in; it shares the chunk's memory where it can. */
  bytes: Buffer = nothing;
  start = 0;
  end = 0;
  /** From 1. */
  number = 0;
  /** Longer than a line may be: it was let go of unread, and `bytes` holds nothing of it. */
  isTooLong = false;
  #chunk: Buffer = nothing;
  #at = 0;
  /** Of a line whose end has not come yet. */
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** Goes on with the next chunk. Every line of the one before was asked for. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Whether there is another line that ends in this chunk. */
  next(): boolean {
    for (;;) {
      const start = this.#at;
      const end = this.#chunk.indexOf(newline, start);
      if (end < 0) {
        if (start < this.#chunk.length) this.#keep(this.#chunk.subarray(start));
        this.#at = this.#chunk.length;
        return false;
      }
      this.#at = end + 1;
      if (this.#isLine(this.#chunk, start, end)) return true;
    }
  }

  /** Whether there is a last line, with no newline behind it. To be asked once, at the end. */
  last(): boolean {
    return this.#restBytes > 0 && this.#isLine(nothing, 0, 0);
  }

  #isLine(chunk: Buffer, start: number, end: number): boolean {
    this.number += 1;
    const length = this.#restBytes + end - start;
    this.isTooLong = length > mostLineBytes;
    this.bytes = chunk;
    this.start = start;
    this.end = end;
    if (this.#restBytes > 0) {
      this.bytes = this.isTooLong ? nothing : Buffer.concat([...this.#rest, chunk.subarray(start, end)]);
      this.start = 0;
      this.end = this.bytes.length;
      this.#rest = [];
      this.#restBytes = 0;
    }
    return this.isTooLong || !isBlank(this.bytes, this.start, this.end);
  }

  /** What is too long anyway is only counted. */
  #keep(part: Buffer): void {
    this.#restBytes += part.length;
    if (this.#restBytes > mostLineBytes) this.#rest = [];
    else this.#rest.push(part);
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  }
  return true;
}
