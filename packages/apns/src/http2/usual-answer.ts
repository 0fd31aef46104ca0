import type { HpackDecoder } from "./hpack/decoder.ts";

/** Bytes of the value that ends a usual answer: a UUID. */
const idBytes = 36;

/**
 * Recognises the answer that nearly every request gets: `:status 200` and `apns-id`, in the same bytes as the one before but for the
 * id. It says nothing about others; those are decoded.
 *
 * A hot path (bench/client.ts). Such a block leaves the decoder's table as it is, so nothing is lost when it is not decoded.
 */
export class UsualAnswer {
  private readonly decoder: HpackDecoder;
  /** The block up to the id, its length octet included. */
  private head: Uint8Array = new Uint8Array(0);
  /** The decoder's state in which `head` means what it says. */
  private state = -1;

  constructor(decoder: HpackDecoder) {
    this.decoder = decoder;
  }

  /** Whether [start, end) of `bytes` is such a block. */
  is(bytes: Buffer, start: number, end: number): boolean {
    const { head } = this;
    const { length } = head;
    if (length === 0 || end - start !== length + idBytes || this.decoder.state !== this.state) return false;
    for (let at = 0; at < length; at++) if (bytes[start + at] !== head[at]) return false;
    // Visible characters, as every UUID has: nothing that a field value must not have (RFC 9113 §8.2.1).
    for (let at = start + length; at < end; at++) {
      const byte = bytes[at]!;
      if (byte <= 0x20 || byte >= 0x7f) return false;
    }
    return true;
  }

  /** Learns from a block that was decoded, where it is one of that kind; `stateBefore` is the decoder's before it. */
  learn(bytes: Buffer, start: number, end: number, fields: readonly string[], stateBefore: number): void {
    const idAt = end - idBytes;
    if (
      fields.length !== 4 ||
      fields[0] !== ":status" ||
      fields[1] !== "200" ||
      fields[2] !== "apns-id" ||
      stateBefore !== this.decoder.state ||
      idAt - 1 <= start ||
      // The length octet of a string that is not in Huffman code, and the string itself.
      bytes[idAt - 1] !== idBytes ||
      bytes.toString("latin1", idAt, end) !== fields[3]
    )
      return;
    this.head = Uint8Array.prototype.slice.call(bytes, start, idAt);
    this.state = stateBefore;
  }
}
