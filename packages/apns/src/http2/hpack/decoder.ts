import { DynamicTable, entryBytes } from "./dynamic-table.ts";
import { decodeHuffman, mostDecodedBytes } from "./huffman.ts";
import { LiteralMemo } from "./literal-memo.ts";
import { staticNames, staticValues } from "./static-table.ts";

/** What one header block held. Fields are [name, value, name, value, ...], one character a byte. */
export type HeaderBlock =
  | { readonly kind: "decoded"; readonly fields: string[] }
  /** Well-formed, but larger than the limit: the table was kept in step, the fields were dropped. */
  | { readonly kind: "too-large" }
  /** The compression state is lost: a connection error of type COMPRESSION_ERROR (RFC 9113 §4.3). */
  | { readonly kind: "malformed"; readonly detail: string };

export interface HpackDecoderOptions {
  /**
   * The table's size from the first block on, in bytes; over HTTP/2 it is 4096 until SETTINGS were acknowledged.
   * @default 4096
   */
  readonly maxTableSize?: number;
  /** The largest list, names + values + 32 bytes a field (RFC 9113 §6.5.2). @default 16 384 */
  readonly maxHeaderListBytes?: number;
}

/** Continuation bytes of an integer that are read at most: 7 bits + 4 x 7 bits reach past 2^28. */
const mostContinuationBytes = 4;

/** Decodes header blocks (RFC 7541). Never throws; one decoder serves one direction of one connection. */
export class HpackDecoder {
  private readonly table: DynamicTable;
  private readonly maxHeaderListBytes: number;
  /** The bound that our SETTINGS set and a size update may not exceed. */
  private maxTableSize: number;
  /** After a reduction the next block must begin with a size update (RFC 9113 §4.3.1). */
  private sizeUpdateDue = false;
  /** Where the next byte is read. */
  private position = 0;
  /** Where Huffman code is decoded to. */
  private scratch: Buffer = Buffer.allocUnsafeSlow(256);
  private readonly memo = new LiteralMemo();
  /** Fields of the block at hand, copied when it is whole: one array of the right size is less work than one that grows. */
  private readonly gathered: string[] = [];
  /** Why reading a string or an integer failed. */
  private fault = "";

  constructor(options: HpackDecoderOptions = {}) {
    this.maxTableSize = options.maxTableSize ?? 4096;
    this.maxHeaderListBytes = options.maxHeaderListBytes ?? 16_384;
    this.table = new DynamicTable(this.maxTableSize);
  }

  /** Our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it. */
  setMaxTableSize(size: number): void {
    if (size < this.table.maxBytes) this.sizeUpdateDue = true;
    this.maxTableSize = size;
  }

  /** While it stays the same, a block that changed nothing means the same again; -1 where the next one must begin otherwise. */
  get state(): number {
    return this.sizeUpdateDue ? -1 : this.table.changes;
  }

  /**
   * Decodes one whole block, [start, end) of `bytes`. A list over the limit is "too-large"; its insertions are
   * still made, so that the next block decodes rightly. After "malformed" the decoder is of no further use.
   */
  decode(bytes: Buffer, start: number, end: number): HeaderBlock {
    const { gathered } = this;
    let count = 0;
    let listBytes = 0;
    let first = true;
    this.position = start;
    while (this.position < end) {
      const byte = bytes[this.position]!;
      let name: string | undefined;
      let value: string | undefined;
      if (byte >= 0x80) {
        const index = this.readInteger(bytes, end, 0x7f);
        if (index < 0) return malformed(this.fault);
        if (index === 0 || index > 61 + this.table.length) return malformed(`index ${index} names no entry`);
        name = index <= 61 ? staticNames[index]! : this.table.nameAt(index - 61);
        value = index <= 61 ? staticValues[index]! : this.table.valueAt(index - 61);
      } else if (byte >= 0x20 && byte < 0x40) {
        if (!first) return malformed("table size update behind a field");
        if (!this.updateTableSize(bytes, end)) return malformed(this.fault);
        continue;
      } else {
        const indexed = byte >= 0x40;
        const index = this.readInteger(bytes, end, indexed ? 0x3f : 0x0f);
        if (index < 0) return malformed(this.fault);
        if (index > 61 + this.table.length) return malformed(`index ${index} names no entry`);
        if (index === 0) name = this.readString(bytes, end, 0);
        else name = index <= 61 ? staticNames[index]! : this.table.nameAt(index - 61);
        if (name === undefined) return malformed(this.fault);
        value = this.readString(bytes, end, index);
        if (value === undefined) return malformed(this.fault);
        if (indexed) this.table.insert(name, value);
      }
      if (first && this.sizeUpdateDue) return malformed("the reduced table size was not taken up");
      first = false;
      listBytes += entryBytes(name, value);
      if (listBytes > this.maxHeaderListBytes) continue;
      gathered[count] = name;
      gathered[count + 1] = value;
      count += 2;
    }
    return listBytes > this.maxHeaderListBytes
      ? { kind: "too-large" }
      : { kind: "decoded", fields: gathered.slice(0, count) };
  }

  /** Reads a dynamic table size update (RFC 7541 §6.3); false and `fault` where it exceeds our SETTINGS. */
  private updateTableSize(bytes: Buffer, end: number): boolean {
    const size = this.readInteger(bytes, end, 0x1f);
    if (size < 0) return false;
    if (size > this.maxTableSize) {
      this.fault = `table size ${size}, at most ${this.maxTableSize} allowed`;
      return false;
    }
    this.table.resize(size);
    this.sizeUpdateDue = false;
    return true;
  }

  /**
   * Reads an integer whose first byte has the prefix `mask` (RFC 7541 §5.1); -1 and `fault` where it is cut or too
   * large.
   */
  private readInteger(bytes: Buffer, end: number, mask: number): number {
    let value = bytes[this.position++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < mostContinuationBytes * 7; shift += 7) {
      if (this.position >= end) {
        this.fault = "integer is cut";
        return -1;
      }
      const byte = bytes[this.position++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.fault = "integer is too large";
    return -1;
  }

  /**
   * Reads a string literal (RFC 7541 §5.2); undefined and `fault` where it is cut or its Huffman code is malformed.
   *
   * @param nameIndex where the name that the literal is the value of stands in the tables; 0 for a name, and where it has none
   */
  private readString(bytes: Buffer, end: number, nameIndex: number): string | undefined {
    if (this.position >= end) {
      this.fault = "string is missing";
      return undefined;
    }
    const isHuffman = bytes[this.position]! >= 0x80;
    const length = this.readInteger(bytes, end, 0x7f);
    if (length < 0) return undefined;
    const from = this.position;
    const to = from + length;
    if (to > end) {
      this.fault = "string is cut";
      return undefined;
    }
    this.position = to;
    const known = this.memo.find(nameIndex, bytes, from, to, isHuffman);
    if (known !== undefined) return known;
    const text = isHuffman ? this.readHuffman(bytes, from, to) : bytes.toString("latin1", from, to);
    if (text === undefined) this.fault = "Huffman code is malformed";
    else this.memo.learn(nameIndex, bytes, from, to, isHuffman, text);
    return text;
  }

  private readHuffman(bytes: Buffer, from: number, to: number): string | undefined {
    const most = mostDecodedBytes(to - from);
    if (most > this.scratch.length) this.scratch = Buffer.allocUnsafeSlow(most);
    const decoded = decodeHuffman(bytes, from, to, this.scratch);
    return decoded < 0 ? undefined : this.scratch.toString("latin1", 0, decoded);
  }
}

function malformed(detail: string): HeaderBlock {
  return { kind: "malformed", detail };
}
