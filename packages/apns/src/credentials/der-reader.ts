/** Tags of the universal types that X.509 needs (X.690 §8). */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value of DER: where its content lies. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
}

/** Values in one sequence at most; a certificate's longest has some dozens. */
const mostValues = 4096;

/**
 * The values that stand one after the other in `bytes`, or undefined where they are not well-formed: a length cut or in
 * indefinite form, a tag of several bytes, or more than 4,096 values. Never throws.
 */
export function readDer(bytes: Buffer): readonly DerNode[] | undefined {
  const nodes: DerNode[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at]!;
    if ((tag & 0x1f) === 0x1f || nodes.length >= mostValues) return undefined;
    const header = readLength(bytes, at + 1);
    if (header === undefined || header.contentStart + header.length > bytes.length) return undefined;
    const end = header.contentStart + header.length;
    nodes.push({ tag, content: bytes.subarray(header.contentStart, end) });
    at = end;
  }
  return nodes;
}

/** An object identifier in dotted form; undefined where its last arc is cut or too large. */
export function readObjectIdentifier(content: Buffer): string | undefined {
  const arcs: number[] = [];
  let arc = 0;
  for (const [position, byte] of content.entries()) {
    arc = arc * 0x80 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte >= 0x80) {
      if (position === content.length - 1) return undefined;
      continue;
    }
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  return arcs.length === 0 ? undefined : arcs.join(".");
}

/**
 * UTCTime or GeneralizedTime as X.509 writes them, in UTC with seconds (RFC 5280 §4.1.2.5), in epoch milliseconds. Undefined for
 * anything else.
 */
export function readTime({ tag, content }: DerNode): number | undefined {
  const match = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(content.toString("latin1"));
  const [, year = "", month, day, hour, minute, second] = match ?? [];
  const isTime =
    (tag === derTag.utcTime && year.length === 2) || (tag === derTag.generalizedTime && year.length === 4);
  if (!isTime) return undefined;
  // Two digits stand for 1950 to 2049.
  const century = year.length === 4 ? "" : Number(year) < 50 ? "20" : "19";
  const time = Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function readLength(bytes: Buffer, at: number): { length: number; contentStart: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { length: first, contentStart: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 1 + count > bytes.length) return undefined;
  return { length: bytes.readUIntBE(at + 1, count), contentStart: at + 1 + count };
}
