/** A line is one notification with up to 10,000 recipients. */
export const mostLineBytes = 1024 * 1024;

export type Line =
  | { readonly kind: "line"; readonly number: number; readonly bytes: Buffer }
  /** Longer than a line may be; it was let go of unread. */
  | { readonly kind: "too-long"; readonly number: number };

const newline = 0x0a;

/** Cuts a body into its lines, whatever chunks it comes in. Lines that hold nothing but spaces count and are left out. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;
  #number = 0;

  /** The lines that end in `chunk`; they share its memory. */
  *split(chunk: Buffer): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield* this.#line(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The last line, when no newline stands behind it. */
  *end(): Generator<Line> {
    if (this.#restBytes > 0) yield* this.#line(Buffer.alloc(0));
  }

  *#line(end: Buffer): Generator<Line> {
    this.#number += 1;
    const number = this.#number;
    const length = this.#restBytes + end.length;
    const bytes = this.#rest.length === 0 ? end : Buffer.concat([...this.#rest, end]);
    this.#rest = [];
    this.#restBytes = 0;
    if (length > mostLineBytes) yield { kind: "too-long", number };
    else if (!isBlank(bytes)) yield { kind: "line", number, bytes };
  }

  /** What is too long anyway is only counted. */
  #keep(part: Buffer): void {
    this.#restBytes += part.length;
    if (this.#restBytes > mostLineBytes) this.#rest = [];
    else this.#rest.push(part);
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  return true;
}
