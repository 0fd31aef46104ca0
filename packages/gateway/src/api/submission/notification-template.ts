import { isUtf8 } from "node:buffer";
import type { SharedDraft } from "../../delivery/index.ts";
import { limits } from "../contract/notification.ts";
import type { RunBuilder } from "./run-builder.ts";

/** What may stand between two fixed parts of a notification. */
export const gap = {
  /** The hex digits of the device token. */
  token: 0,
  /** The list of device tokens, brackets included. */
  tokens: 1,
  /** The inside of the reference. */
  reference: 2,
  /** The inside of a string in the payload. */
  text: 3,
  /** A whole number in the payload. */
  number: 4,
  /** Nothing; the payload begins or ends here. */
  payloadStart: 5,
  payloadEnd: 6,
} as const;

export type Gap = (typeof gap)[keyof typeof gap];

/** Every push type allows so much. What is longer is none of ours. */
const mostPayloadBytes = 4_096;
/** A safe integer however its digits are. */
const mostDigits = 15;

/** 1 for the codes of hexadecimal digits. */
const isHexDigit = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(code)) ? 1 : 0,
);
/** 1 for what stands behind the backslash in an escape that is always right. */
const isEscaped = Uint8Array.from({ length: 256 }, (_, code) =>
  '"\\/bfnrt'.includes(String.fromCharCode(code)) ? 1 : 0,
);

/**
 * The form of a notification that was read and found right: fixed bytes, and between them gaps for what senders change and
 * no rule looks at. Another text of this form is as right as the first, and means the same but for what stands in the gaps.
 */
export class NotificationTemplate {
  readonly shared: SharedDraft;
  /** Whether each notification of this form has one recipient. */
  readonly isForOne: boolean;
  /** Of the fixed parts one after the other, and where each ends. One more than there are gaps. */
  readonly #fixed: Uint8Array;
  readonly #ends: readonly number[];
  readonly #gaps: readonly Gap[];

  constructor(shared: SharedDraft, fixed: readonly Uint8Array[], gaps: readonly Gap[]) {
    this.shared = shared;
    this.#fixed = Buffer.concat(fixed);
    let end = 0;
    this.#ends = fixed.map(({ length }) => (end += length));
    this.#gaps = gaps;
    this.isForOne = !gaps.includes(gap.tokens);
  }

  /**
   * Adds to `run` the notification that begins at `start` of its bytes. Returns where it ends, or `noMatch` when it is not
   * surely of this form; then nothing was added.
   *
   * @param end where it must end; `noMatch` where that is not known
   */
  read(start: number, end: number, run: RunBuilder): number {
    const first = run.recipients;
    const found = this.#read(start, end, run, first);
    if (found === noMatch) run.takeBack(first);
    return found;
  }

  #read(start: number, end: number, run: RunBuilder, first: number): number {
    const { bytes } = run;
    const fixed = this.#fixed;
    let at = start;
    let next = 0;
    let payload = 0;
    let payloadEnd = 0;
    let reference = 0;
    let referenceEnd = 0;
    for (let part = 0; ; part += 1) {
      const partEnd = this.#ends[part] ?? 0;
      for (; next < partEnd; next += 1, at += 1) if (bytes[at] !== fixed[next]) return noMatch;
      const here = at;
      switch (this.#gaps[part]) {
        case gap.token:
          at = endOfToken(bytes, here);
          if (at !== noMatch) run.addToken(here, at);
          break;
        case gap.tokens:
          at = takeTokens(here, run, first);
          break;
        case gap.text:
          at = endOfText(bytes, here);
          break;
        case gap.number:
          at = endOfNumber(bytes, here);
          break;
        case gap.reference:
          at = endOfReference(bytes, here);
          reference = here;
          referenceEnd = at;
          break;
        case gap.payloadStart:
          payload = here;
          break;
        case gap.payloadEnd:
          payloadEnd = here;
          if (here - payload > mostPayloadBytes) return noMatch;
          break;
        case undefined:
          if (end !== noMatch && at !== end) return noMatch;
          run.describe(first, payload, payloadEnd, reference, referenceEnd);
          return at;
      }
      if (at === noMatch) return noMatch;
    }
  }
}

/** In place of an offset. */
export const noMatch = -1;

// Each of these gives the end of what a gap may hold, or `noMatch`.

function endOfToken(bytes: Buffer, start: number): number {
  let at = start;
  while (isHexDigit[bytes[at] ?? 0] === 1) at += 1;
  const length = at - start;
  return length < 8 || length > 200 || length % 2 === 1 ? noMatch : at;
}

function takeTokens(start: number, run: RunBuilder, first: number): number {
  const { bytes } = run;
  if (bytes[start] !== 0x5b) return noMatch;
  let at = start;
  do {
    at = endOfSpace(bytes, at + 1);
    if (bytes[at] !== 0x22 || run.recipients - first === limits.tokens) return noMatch;
    const end = endOfToken(bytes, at + 1);
    if (end === noMatch || bytes[end] !== 0x22) return noMatch;
    run.addToken(at + 1, end);
    at = endOfSpace(bytes, end + 1);
  } while (bytes[at] === 0x2c);
  return bytes[at] === 0x5d ? at + 1 : noMatch;
}

function endOfSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

function endOfText(bytes: Buffer, start: number): number {
  let at = start;
  let seen = 0;
  for (let byte = bytes[at]; byte !== 0x22; byte = bytes[at]) {
    if (byte === undefined || byte < 0x20) return noMatch;
    seen |= byte;
    at += 1;
    if (byte !== 0x5c) continue;
    if (isEscaped[bytes[at] ?? 0] === 0) return noMatch;
    at += 1;
  }
  return seen < 0x80 || isUtf8(bytes.subarray(start, at)) ? at : noMatch;
}

/** Its bytes are stored as they are, so that there must be no escape in it; and so few are short enough however they are counted. */
function endOfReference(bytes: Buffer, start: number): number {
  const end = endOfText(bytes, start);
  if (end === noMatch || end === start || end - start > limits.referenceLength) return noMatch;
  for (let at = start; at < end; at += 1) if (bytes[at] === 0x5c) return noMatch;
  return end;
}

function endOfNumber(bytes: Buffer, start: number): number {
  let at = start;
  for (let byte = bytes[at] ?? 0; byte >= 0x30 && byte <= 0x39; byte = bytes[at] ?? 0) at += 1;
  const digits = at - start;
  return digits === 0 || digits > mostDigits || (bytes[start] === 0x30 && digits > 1) ? noMatch : at;
}
