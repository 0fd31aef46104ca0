import type { ByteWriter } from "../byte-writer.ts";
import { DynamicTable, entryBytes } from "./dynamic-table.ts";
import { FieldName, isSameText, longestStaticValue } from "./field-name.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";
import { apnsIndexing, type Indexing } from "./indexing.ts";
import { staticTable } from "./static-table.ts";

export interface HpackEncoderOptions {
  /** The most table space we use, in bytes, whatever the peer allows. @default 4096 */
  readonly maxTableSize?: number;
  /** @default Apple's advice, `apnsIndexing` */
  readonly indexing?: (name: string) => Indexing;
  /**
   * When strings are written in Huffman code. "stable": values that enter the table or that a literal repeats, so
   * that the work is done once and the bytes are kept. "always": wherever it is shorter. @default "stable"
   */
  readonly huffman?: "stable" | "always" | "never";
}

/** The protocol's initial table size (RFC 9113 §6.5.2). */
const initialTableBytes = 4096;

/** Names remembered at most. A caller who uses more only loses matches in the table. */
const mostNames = 256;

/** Places of a list whose names are remembered. */
const mostPlaces = 64;

/** First bytes of the representations (RFC 7541 §6). */
const indexedField = 0x80;
const literalIncremental = 0x40;
const tableSizeUpdate = 0x20;
const literalNever = 0x10;
const literalWithout = 0x00;

/**
 * Encodes header blocks (RFC 7541). One encoder serves one direction of one connection.
 *
 * A hot path (bench/http2-engine.bench.ts): what is known about a name is found by one look-up, and the value that
 * the name had last is compared first.
 */
export class HpackEncoder {
  private readonly table: DynamicTable;
  private readonly ownMaxBytes: number;
  private readonly indexing: (name: string) => Indexing;
  private readonly huffman: "stable" | "always" | "never";
  private readonly names = new Map<string, FieldName>();
  /** Names by their place in the last list, at even indices as in the list. */
  private readonly places: (FieldName | undefined)[] = new Array(mostPlaces).fill(undefined);
  /**
   * Size updates to write before the next block: the smallest bound since the last one, then the bound in force.
   */
  private smallestBytes: number | undefined;

  constructor(options: HpackEncoderOptions = {}) {
    this.ownMaxBytes = options.maxTableSize ?? initialTableBytes;
    this.indexing = options.indexing ?? apnsIndexing;
    this.huffman = options.huffman ?? "stable";
    this.table = new DynamicTable(initialTableBytes);
    this.setMaxTableSize(initialTableBytes);
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE; the change is announced at the start of the next block (RFC 7541 §4.2).
   */
  setMaxTableSize(size: number): void {
    const bytes = Math.min(size, this.ownMaxBytes);
    if (bytes === this.table.maxBytes) return;
    this.smallestBytes = Math.min(bytes, this.smallestBytes ?? bytes);
    this.table.resize(bytes);
  }

  /** While it stays the same, a block that changed nothing says the same again; -1 where the next one has more to say. */
  get state(): number {
    return this.smallestBytes === undefined ? this.table.changes : -1;
  }

  /**
   * Writes one header block: fields = [name, value, name, value, ...], names in lower case, one byte a character.
   */
  encode(out: ByteWriter, fields: readonly string[]): void {
    if (this.smallestBytes !== undefined) this.announceTableSize(out);
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const value = fields[i + 1]!;
      const field = this.findName(fields[i]!, i);
      if (field.indexing === "incremental" && value === field.lastValue && this.writeRepeated(out, field))
        continue;
      this.writeField(out, field, value);
    }
  }

  /**
   * What is known about a name. Requests come with the same names in the same order, so the place is tried first.
   */
  private findName(name: string, place: number): FieldName {
    const expected = this.places[place];
    if (expected !== undefined && expected.text === name) return expected;
    const field = this.names.get(name) ?? this.remember(name);
    if (place < mostPlaces) this.places[place] = field;
    return field;
  }

  /**
   * Writes the value that the name had last: by its index, or from the bytes kept. False where neither is at hand.
   */
  private writeRepeated(out: ByteWriter, field: FieldName): boolean {
    if (field.lastStaticIndex > 0) {
      out.u8(indexedField | field.lastStaticIndex);
      return true;
    }
    if (field.lastOrdinal > this.table.evicted) {
      writeInteger(out, indexedField, 7, this.dynamicIndex(field.lastOrdinal));
      return true;
    }
    return false;
  }

  private writeField(out: ByteWriter, field: FieldName, value: string): void {
    const repeats = isSameText(value, field.lastValue);
    field.lastValue = value;
    field.lastOrdinal = 0;
    field.lastStaticIndex = 0;
    if (field.indexing === "never") {
      this.writeLiteral(out, literalNever, 4, field, value, repeats);
      return;
    }
    // A long value is not looked up: hashing it would cost more than all the rest.
    const staticIndex = value.length <= longestStaticValue ? field.staticValues?.get(value) : undefined;
    if (staticIndex !== undefined) {
      field.lastStaticIndex = staticIndex;
      out.u8(indexedField | staticIndex);
      return;
    }
    const ordinal = field.ordinalOf(value);
    if (ordinal > this.table.evicted) {
      field.lastOrdinal = ordinal;
      writeInteger(out, indexedField, 7, this.dynamicIndex(ordinal));
      return;
    }
    if (this.shouldInsert(field, value)) {
      this.writeLiteral(out, literalIncremental, 6, field, value, true);
      this.insert(field, value);
    } else {
      this.writeLiteral(out, literalWithout, 4, field, value, repeats);
    }
  }

  private shouldInsert(field: FieldName, value: string): boolean {
    if (field.indexing === "without") return false;
    // A value that takes most of the table would push out all that recurs; nghttp2 draws the same line.
    if (entryBytes(field.text, value) * 4 > this.table.maxBytes * 3) return false;
    if (field.indexing === "incremental") return true;
    return field.staticIndex === 0 && field.newestOrdinal <= this.table.evicted;
  }

  private insert(field: FieldName, value: string): void {
    this.table.insert(field.text, value);
    const ordinal = this.table.newest;
    field.newestOrdinal = ordinal;
    field.newestValue = value;
    field.lastOrdinal = ordinal;
    if (field.indexing !== "incremental") return;
    // Values that were evicted are forgotten from time to time: the map stays as large as the table.
    if (field.ordinals.size > 2 * this.table.length + 16) {
      for (const [old, at] of field.ordinals) if (at <= this.table.evicted) field.ordinals.delete(old);
    }
    field.ordinals.set(value, ordinal);
  }

  /**
   * Writes a literal with the name by index where one is known. `isStable` tells that the value will come again.
   */
  private writeLiteral(
    out: ByteWriter,
    first: number,
    prefixBits: number,
    field: FieldName,
    value: string,
    isStable: boolean,
  ): void {
    let nameIndex = field.staticIndex;
    if (nameIndex === 0 && field.newestOrdinal > this.table.evicted) {
      nameIndex = this.dynamicIndex(field.newestOrdinal);
    }
    writeInteger(out, first, prefixBits, nameIndex);
    if (nameIndex === 0) this.writeString(out, field.text, this.huffman !== "never");
    if (this.huffman !== "stable" || !isStable) {
      this.writeString(out, value, this.huffman === "always");
      return;
    }
    if (field.keptValue !== value) {
      field.keptBytes = encodeString(value);
      field.keptValue = value;
    }
    out.bytes(field.keptBytes);
  }

  private writeString(out: ByteWriter, text: string, inHuffman: boolean): void {
    if (inHuffman) {
      out.bytes(encodeString(text));
      return;
    }
    writeInteger(out, 0, 7, text.length);
    out.latin1(text);
  }

  private announceTableSize(out: ByteWriter): void {
    const smallest = this.smallestBytes ?? this.table.maxBytes;
    if (smallest < this.table.maxBytes) writeInteger(out, tableSizeUpdate, 5, smallest);
    writeInteger(out, tableSizeUpdate, 5, this.table.maxBytes);
    this.smallestBytes = undefined;
  }

  private remember(name: string): FieldName {
    if (this.names.size >= mostNames) this.names.clear();
    const field = new FieldName(name, this.indexing(name));
    this.names.set(name, field);
    return field;
  }

  private dynamicIndex(ordinal: number): number {
    return staticTable.length + this.table.newest - ordinal + 1;
  }
}

/** Appends an integer behind the bits of `first` (RFC 7541 §5.1). */
function writeInteger(out: ByteWriter, first: number, prefixBits: number, value: number): void {
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    out.u8(first | value);
    return;
  }
  out.u8(first | most);
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.u8(0x80 | (rest & 0x7f));
  out.u8(rest);
}

/** A string literal (RFC 7541 §5.2) in whichever code is shorter. */
function encodeString(text: string): Uint8Array {
  const huffmanBytes = huffmanLength(text);
  const inHuffman = huffmanBytes < text.length;
  const length = inHuffman ? huffmanBytes : text.length;
  const bytes = Buffer.allocUnsafeSlow(6 + length);
  let at = 0;
  const first = inHuffman ? 0x80 : 0;
  if (length < 0x7f) {
    bytes[at++] = first | length;
  } else {
    bytes[at++] = first | 0x7f;
    let rest = length - 0x7f;
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = 0x80 | (rest & 0x7f);
    bytes[at++] = rest;
  }
  at = inHuffman ? encodeHuffman(text, bytes, at) : at + bytes.write(text, at, "latin1");
  return bytes.subarray(0, at);
}
