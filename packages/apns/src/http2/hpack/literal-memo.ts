/** Encoded bytes of the literals that are remembered: shorter ones are decoded as fast, longer ones never recur. */
const fewestBytes = 24;
const mostBytes = 1024;

/** A power of two: the names of the static table that are of interest have slots of their own. */
const slots = 16;

interface Slot {
  /** What is remembered; empty before the first. */
  bytes: Uint8Array;
  isHuffman: boolean;
  text: string;
  /** The end of the literal seen last, which is remembered when it comes again. */
  lastEnd: number;
}

/**
 * Long literals that come again and again byte for byte, as a provider token does with every request: each is decoded once. It
 * holds eight of them, by their length, and takes up none that came only once.
 *
 * A hot path (bench/simulator.ts).
 */
export class LiteralMemo {
  private readonly slots: readonly Slot[] = Array.from({ length: slots }, () => ({
    ...{ bytes: new Uint8Array(0), isHuffman: false, text: "", lastEnd: 0 },
  }));

  /** The text of the literal [start, end), if it is remembered. @param nameIndex where its name stands in the tables */
  find(
    nameIndex: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isHuffman: boolean,
  ): string | undefined {
    const length = end - start;
    if (length < fewestBytes) return undefined;
    const slot = this.slots[nameIndex & (slots - 1)]!;
    const known = slot.bytes;
    if (known.length !== length || slot.isHuffman !== isHuffman) return undefined;
    // From the end: what differs in the middle of device paths and ids differs there as well.
    for (let at = length - 1; at >= 0; at--) if (known[at] !== bytes[start + at]) return undefined;
    return slot.text;
  }

  /** A literal was decoded. */
  learn(
    nameIndex: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isHuffman: boolean,
    text: string,
  ): void {
    const length = end - start;
    if (length < fewestBytes || length > mostBytes) return;
    const slot = this.slots[nameIndex & (slots - 1)]!;
    const lastEnd =
      (bytes[end - 4]! << 24) | (bytes[end - 3]! << 16) | (bytes[end - 2]! << 8) | bytes[end - 1]!;
    if (lastEnd === slot.lastEnd) {
      slot.bytes = Uint8Array.prototype.slice.call(bytes, start, end);
      slot.isHuffman = isHuffman;
      slot.text = text;
    }
    slot.lastEnd = lastEnd;
  }
}
