/**
 * Code lengths in bits of the symbols 0 to 255 and EOS (RFC 7541 appendix B). The code is canonical, so the lengths
 * determine it: codes of one length follow each other in the order of their symbols.
 */
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const endOfString = 256;
const shortestCode = 5;
const codes = assignCodes();
const decodingTable = buildDecodingTable();
/** Enough for two hexadecimal digits, so for device tokens, and for most pairs of frequent letters. */
const pairBits = 12;
const pairs = buildPairs();

/** Bytes that `text` (one byte per UTF-16 unit) takes in Huffman code, padding included. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += codeLengths[text.charCodeAt(i) & 0xff]!;
  return (bits + 7) >>> 3;
}

/**
 * Writes `text` (one byte per UTF-16 unit) in Huffman code to `target` from `offset`; returns the end. The room is
 * the caller's.
 */
export function encodeHuffman(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  let pending = 0; // bits not written yet, at most 7 between symbols
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    let code = codes[symbol]!;
    let length = codeLengths[symbol]!;
    if (length > 16) {
      // 7 + 30 bits do not fit 32: the upper part first, never more than 14 bits.
      length -= 16;
      pending = (pending << length) | (code >>> 16);
      pendingBits += length;
      for (; pendingBits >= 8; pendingBits -= 8) target[at++] = pending >>> (pendingBits - 8);
      code &= 0xffff;
      length = 16;
    }
    pending = (pending << length) | code;
    pendingBits += length;
    for (; pendingBits >= 8; pendingBits -= 8) target[at++] = pending >>> (pendingBits - 8);
  }
  // Padding is the front of EOS: ones (RFC 7541 §5.2).
  if (pendingBits > 0) target[at++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
  return at;
}

/** The most bytes that `encodedBytes` of Huffman code can decode to: the shortest code has 5 bits. */
export function mostDecodedBytes(encodedBytes: number): number {
  return Math.floor((encodedBytes * 8) / 5);
}

/**
 * Decodes [start, end) of `bytes` into `target` from 0, which has room for `mostDecodedBytes`. Returns how many
 * bytes came out, or -1 where the code is malformed: EOS inside, padding of more than 7 bits or with zeros (RFC
 * 7541 §5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let decoded = 0;
  let window = 0; // the last bits read; those above `windowBits` are used up
  let windowBits = 0;
  let bitsSinceSymbol = 0;
  let node = 0;
  let at = start;
  while (at < end) {
    if (node === 0) {
      // Two symbols at a time, as long as that is possible.
      while (at + 1 < end && windowBits < pairBits) {
        window = (window << 16) | (bytes[at]! << 8) | bytes[at + 1]!;
        windowBits += 16;
        at += 2;
        while (windowBits >= pairBits) {
          const pair = pairs[(window >>> (windowBits - pairBits)) & 0xfff]!;
          if (pair === 0) break;
          target[decoded] = pair;
          target[decoded + 1] = pair >>> 8;
          decoded += 2;
          windowBits -= pair >>> 16;
        }
      }
      bitsSinceSymbol = windowBits;
    }
    if (windowBits < 8 && at < end) {
      window = (window << 8) | bytes[at++]!;
      windowBits += 8;
      bitsSinceSymbol += 8;
    }
    while (windowBits >= 8) {
      const entry = decodingTable[node + ((window >>> (windowBits - 8)) & 0xff)]!;
      if (entry < 0) {
        node = -entry;
        windowBits -= 8;
        continue;
      }
      const symbol = entry >>> 8;
      if (symbol === endOfString) return -1;
      target[decoded++] = symbol;
      windowBits -= entry & 0xff;
      bitsSinceSymbol = windowBits;
      node = 0;
    }
  }
  // At most 7 bits are left: symbols that end in them, then padding.
  while (windowBits > 0) {
    const entry = decodingTable[node + ((window << (8 - windowBits)) & 0xff)]!;
    const length = entry & 0xff;
    if (entry < 0 || length > windowBits) break;
    if (entry >>> 8 === endOfString) return -1;
    target[decoded++] = entry >>> 8;
    windowBits -= length;
    bitsSinceSymbol = windowBits;
    node = 0;
  }
  const padding = (1 << windowBits) - 1;
  if (bitsSinceSymbol > 7 || (window & padding) !== padding) return -1;
  return decoded;
}

/** The codes, right-aligned, by symbol. */
function assignCodes(): Uint32Array {
  const assigned = new Uint32Array(codeLengths.length);
  let code = 0;
  for (let length = 1; length <= 30; length++) {
    code *= 2;
    for (let symbol = 0; symbol < codeLengths.length; symbol++) {
      if (codeLengths[symbol] === length) assigned[symbol] = code++;
    }
  }
  return assigned;
}

/**
 * A tree of tables of 256 entries, one level per 8 bits, in one array. An entry is either a leaf, symbol << 8 |
 * bits of the code used at this level (1 to 8), or the negative offset of the next table.
 */
function buildDecodingTable(): Int32Array {
  const entries: number[] = new Array(256).fill(0);
  for (let symbol = 0; symbol < codeLengths.length; symbol++) {
    const code = codes[symbol]!;
    let table = 0;
    let length = codeLengths[symbol]!;
    for (; length > 8; length -= 8) {
      const at = table + ((code >>> (length - 8)) & 0xff);
      if (entries[at] === 0) {
        entries[at] = -entries.length;
        entries.push(...new Array<number>(256).fill(0));
      }
      table = -entries[at]!;
    }
    const first = table + ((code << (8 - length)) & 0xff);
    entries.fill((symbol << 8) | length, first, first + (1 << (8 - length)));
  }
  return Int32Array.from(entries);
}

/**
 * What the next 12 bits begin with, where that is two whole symbols: bits of both codes << 16 | second symbol << 8 | first;
 * 0 elsewhere.
 */
function buildPairs(): Int32Array {
  const entries = new Int32Array(1 << pairBits);
  const short = [...codeLengths.keys()].filter((symbol) => codeLengths[symbol]! <= pairBits - shortestCode);
  for (const first of short) {
    for (const second of short) {
      const bits = codeLengths[first]! + codeLengths[second]!;
      if (bits > pairBits) continue;
      const code = (codes[first]! << codeLengths[second]!) | codes[second]!;
      const at = code << (pairBits - bits);
      entries.fill((bits << 16) | (second << 8) | first, at, at + (1 << (pairBits - bits)));
    }
  }
  return entries;
}
