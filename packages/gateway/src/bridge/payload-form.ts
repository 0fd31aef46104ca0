/** What may stand between two fixed parts of a payload. */
const gap = {
  /** The inside of a string. */
  text: 0,
  /** A whole number. */
  number: 1,
} as const;

type Gap = (typeof gap)[keyof typeof gap];

/** Larger payloads are judged by their length as well, which depends on the push type. */
const mostPayloadBytes = 4_096;
/** A form of more gaps is none: its numbers and texts are rather a list, and the next one has another length. */
const mostGaps = 64;
/** A safe integer however its digits are. */
const mostDigits = 15;
const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];

/** 1 for what stands behind the backslash in an escape that is always right. */
const isEscaped = Uint8Array.from({ length: 256 }, (_, code) =>
  '"\\/bfnrt'.includes(String.fromCharCode(code)) ? 1 : 0,
);

/**
 * The form of a payload that was read: fixed bytes, and between them gaps for what senders change and what tells no push type.
 * Another payload of this form is JSON as well, and is sent in the same way: its texts, and its whole numbers
 * except the value of `content-available`, may be others; its keys are the same.
 */
export class PayloadForm {
  /** Of the fixed parts one after the other, and where each ends. One more than there are gaps. */
  readonly #fixed: Uint8Array;
  readonly #ends: readonly number[];
  readonly #gaps: readonly Gap[];

  private constructor(fixed: readonly Uint8Array[], gaps: readonly Gap[]) {
    this.#fixed = Buffer.concat(fixed);
    let end = 0;
    this.#ends = fixed.map(({ length }) => (end += length));
    this.#gaps = gaps;
  }

  /**
   * The form of a payload, or undefined where none can be told.
   * @param payload a JSON object, which has been parsed
   */
  static of(payload: Buffer): PayloadForm | undefined {
    if (payload.length > mostPayloadBytes) return undefined;
    const fixed: Buffer[] = [];
    const gaps: Gap[] = [];
    let fixedStart = 0;
    let key = "";
    for (let at = 0; at < payload.length; ) {
      const start = at;
      const byte = payload[at] ?? 0;
      if (byte === quote) {
        at = endOfString(payload, at);
        if (isKey(payload, at)) {
          key = String(JSON.parse(payload.toString("utf8", start, at)));
          continue;
        }
        fixed.push(payload.subarray(fixedStart, start + 1));
        gaps.push(gap.text);
        fixedStart = at - 1;
      } else if (isWordByte(byte)) {
        while (isWordByte(payload[at] ?? 0)) at += 1;
        const isWhole = endOfNumber(payload, start) === at;
        if (!isWhole || key === "content-available") continue;
        fixed.push(payload.subarray(fixedStart, start));
        gaps.push(gap.number);
        fixedStart = at;
      } else at += 1;
      if (gaps.length > mostGaps) return undefined;
    }
    fixed.push(payload.subarray(fixedStart));
    return new PayloadForm(fixed, gaps);
  }

  /** Whether the payload is surely of this form. */
  fits(payload: Uint8Array): boolean {
    if (payload.length > mostPayloadBytes) return false;
    const fixed = this.#fixed;
    const ends = this.#ends;
    const gaps = this.#gaps;
    let at = 0;
    let next = 0;
    for (let part = 0; ; part += 1) {
      const partEnd = ends[part] ?? 0;
      for (; next < partEnd; next += 1, at += 1) if (payload[at] !== fixed[next]) return false;
      const kind = gaps[part];
      if (kind === undefined) return at === payload.length;
      at = kind === gap.text ? endOfText(payload, at) : endOfNumber(payload, at);
      if (at === noMatch) return false;
    }
  }
}

/** In place of an offset. */
const noMatch = -1;

/** Where the string ends that begins at `start` and is known to be right. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}

/** Whether the string that ends before `end` is a key. */
function isKey(bytes: Uint8Array, end: number): boolean {
  let at = end;
  while (isSpace(bytes[at])) at += 1;
  return bytes[at] === colon;
}

// Both give the end of what a gap may hold, or `noMatch`. Bytes that are no UTF-8 are read as U+FFFD by those who parse, in a
// string only, and so change nothing here.

function endOfText(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let byte = bytes[at]; byte !== quote; byte = bytes[at]) {
    if (byte === undefined || byte < 0x20) return noMatch;
    at += 1;
    if (byte !== backslash) continue;
    if (isEscaped[bytes[at] ?? 0] === 0) return noMatch;
    at += 1;
  }
  return at;
}

function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let byte = bytes[at] ?? 0; byte >= 0x30 && byte <= 0x39; byte = bytes[at] ?? 0) at += 1;
  const digits = at - start;
  return digits === 0 || digits > mostDigits || (bytes[start] === 0x30 && digits > 1) ? noMatch : at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Of a number, true, false or null. */
function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    "+-.E".includes(String.fromCharCode(byte))
  );
}
