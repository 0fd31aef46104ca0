import { derTag } from "@carillon/apns/credentials";

/** One value: tag, definite length in the shortest form, content (X.690 §10.1). */
export function derValue(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(body.length)]), body]);
}

export function derSequence(...items: readonly Uint8Array[]): Buffer {
  return derValue(derTag.sequence, ...items);
}

export function derSet(...items: readonly Uint8Array[]): Buffer {
  return derValue(derTag.set, ...items);
}

/** A context-specific constructed value, `[number]`. */
export function derTagged(number: number, ...items: readonly Uint8Array[]): Buffer {
  return derValue(0xa0 | number, ...items);
}

/** A non-negative integer given by its big-endian bytes. */
export function derInteger(magnitude: Uint8Array): Buffer {
  let first = 0;
  while (first < magnitude.length - 1 && magnitude[first] === 0) first++;
  const digits = magnitude.subarray(first);
  const isNegativeLooking = (digits[0] ?? 0) >= 0x80;
  return derValue(derTag.integer, Buffer.from(isNegativeLooking ? [0] : []), digits);
}

export function derBoolean(value: boolean): Buffer {
  return derValue(derTag.boolean, Buffer.from([value ? 0xff : 0]));
}

export function derNull(): Buffer {
  return derValue(derTag.null);
}

/** An object identifier from its dotted form. */
export function derObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest];
  return derValue(derTag.objectIdentifier, Buffer.from(arcs.flatMap(base128)));
}

export function derUtf8(text: string): Buffer {
  return derValue(derTag.utf8String, Buffer.from(text, "utf8"));
}

export function derOctets(bytes: Uint8Array): Buffer {
  return derValue(derTag.octetString, bytes);
}

/** A bit string; `unusedBits` counts from the end of the last byte, 0 to 7. */
export function derBits(bytes: Uint8Array, unusedBits = 0): Buffer {
  return derValue(derTag.bitString, Buffer.from([unusedBits]), bytes);
}

/** A certificate's time to the second: UTCTime to 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). */
export function derTime(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  if (date.getUTCFullYear() >= 2050) return derValue(derTag.generalizedTime, Buffer.from(digits));
  return derValue(derTag.utcTime, Buffer.from(digits.slice(2)));
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

/** Seven bits a byte, most significant first; all but the last have the top bit set (X.690 §8.19). */
function base128(arc: number): number[] {
  const bytes = [arc % 0x80];
  for (let rest = Math.floor(arc / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    bytes.unshift(0x80 | (rest % 0x80));
  }
  return bytes;
}
