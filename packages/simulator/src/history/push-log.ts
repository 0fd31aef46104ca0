import type { PushFacts, RequestKind } from "./push.ts";

/** The texts of a push in the log; its header fields follow them. */
export const slot = { apnsId: 0, deviceToken: 1, topic: 2, pushType: 3, channelId: 4, fields: 5 } as const;

type Texts = readonly (string | undefined)[];

/** Bytes of one segment. The largest entry, 8 KiB of payload and as much of header fields, is far below it. */
const segmentBytes = 262_144;

/** Texts by which an entry may differ from its base; beyond that it becomes a base itself. */
const mostDifferences = 8;

/** Bases of a segment that a new entry is compared with, newest first. */
const mostCompared = 4;

/**
 * An entry: numbers, then the texts that differ from those of its base, then the payload.
 *
 * atMs f64 · connection u32 · stream u32 · payload length u16 · status u16 · reason + 1 u16 · base u16 · differences u8 · kind * 2 + answer u8,
 * for each difference its place u16 and its length + 1 u16 (0: undefined), the texts, the payload. All little-endian.
 */
const at = { atMs: 0, connection: 8, stream: 12, payload: 16, status: 18, reason: 20, base: 22 } as const;
const atDifferences = 24;
const atAnswer = 25;
const headBytes = 26;

const kindNumbers: Readonly<Record<RequestKind, number>> = { push: 0, broadcast: 1, channels: 2 };
const kinds = Object.keys(kindNumbers) as RequestKind[];

/** Bits of the byte about the answer; the kind's number stands above them. */
const wasSent = 1;
const wasBinary = 2;
const kindStep = 4;

interface Segment {
  readonly bytes: Buffer;
  used: number;
  /** Sequence of its first entry. */
  readonly first: number;
  /** Where each entry begins. */
  readonly starts: number[];
  /** Whole lists of texts, of which later entries say only what differs: pushes of one sender have most in common. */
  readonly bases: Texts[];
  readonly reasons: string[];
  baseBytes: number;
}

/**
 * Pushes written into few large buffers, with nothing left for the garbage collector to look at. The newest are kept; the
 * caller drops the oldest.
 */
export class PushLog {
  private segments: Segment[] = [];
  /** A segment that is empty again and will be used next. */
  private spare: Buffer | undefined;
  /** Texts of the entry at hand that are not those of its base. */
  private readonly differing = new Uint16Array(mostDifferences + 1);
  private differences = 0;
  /** Sequence of the oldest and the newest entry. */
  oldest = 1;
  newest = 0;
  /** Entries kept that are about channels. */
  channelsKept = 0;
  /** Bytes that the entries occupy, with what they refer to. */
  bytes = 0;

  get kept(): number {
    return this.newest - this.oldest + 1;
  }

  /** Texts of a text encoding other than latin1 must not stand anywhere but in `reason`. */
  append(facts: PushFacts): void {
    const { fields, payload } = facts;
    const segment = this.segmentFor(this.largest(facts));
    const base = this.findBase(segment, facts);
    const { differing, differences } = this;
    const { bytes } = segment;
    const start = segment.used;
    let head = start + headBytes;
    let place = head + differences * 4;
    for (let each = 0; each < differences; each++) {
      const index = differing[each]!;
      const value = index < slot.fields ? textAt(facts, index) : fields[index - slot.fields];
      writeU16(bytes, head, index);
      writeU16(bytes, head + 2, value === undefined ? 0 : value.length + 1);
      head += 4;
      if (value !== undefined) place += bytes.write(value, place, "latin1");
    }
    payload.copy(bytes, place);
    bytes.writeDoubleLE(facts.atMs, start + at.atMs);
    bytes.writeUInt32LE(facts.connection, start + at.connection);
    bytes.writeUInt32LE(facts.stream, start + at.stream);
    writeU16(bytes, start + at.payload, payload.length);
    writeU16(bytes, start + at.status, facts.status);
    writeU16(bytes, start + at.reason, this.findReason(segment, facts.reason));
    writeU16(bytes, start + at.base, base);
    bytes[start + atDifferences] = differences;
    bytes[start + atAnswer] =
      kindNumbers[facts.kind] * kindStep +
      (facts.answer === "sent" ? wasSent : 0) +
      (facts.protocol === "binary" ? wasBinary : 0);
    if (facts.kind === "channels") this.channelsKept += 1;
    segment.used = place + payload.length;
    segment.starts.push(start);
    this.newest += 1;
    this.bytes += segment.used - start;
  }

  dropOldest(): void {
    const segment = this.segments[0]!;
    const index = this.oldest - segment.first;
    if (kindOf(segment.bytes, segment.starts[index]!) === "channels") this.channelsKept -= 1;
    const end = segment.starts[index + 1] ?? segment.used;
    this.bytes -= end - segment.starts[index]!;
    this.oldest += 1;
    if (index + 1 < segment.starts.length) return;
    this.bytes -= segment.baseBytes;
    this.spare = segment.bytes;
    this.segments.shift();
  }

  clear(): void {
    this.segments = [];
    this.spare = undefined;
    this.oldest = this.newest + 1;
    this.channelsKept = 0;
    this.bytes = 0;
  }

  kind(sequence: number): RequestKind {
    const { bytes, start } = this.locate(sequence);
    return kindOf(bytes, start);
  }

  status(sequence: number): number {
    const { bytes, start } = this.locate(sequence);
    return bytes.readUInt16LE(start + at.status);
  }

  connection(sequence: number): number {
    const { bytes, start } = this.locate(sequence);
    return bytes.readUInt32LE(start + at.connection);
  }

  reason(sequence: number): string | undefined {
    const { segment, bytes, start } = this.locate(sequence);
    const index = bytes.readUInt16LE(start + at.reason);
    return index === 0 ? undefined : segment.reasons[index - 1];
  }

  protocol(sequence: number): PushFacts["protocol"] {
    const { bytes, start } = this.locate(sequence);
    return (bytes[start + atAnswer]! & wasBinary) === 0 ? "http/2" : "binary";
  }

  /** One of the texts. */
  text(sequence: number, index: number): string | undefined {
    const { segment, bytes, start } = this.locate(sequence);
    const count = bytes[start + atDifferences]!;
    let place = start + headBytes + count * 4;
    for (let difference = 0; difference < count; difference++) {
      const where = start + headBytes + difference * 4;
      const length = bytes.readUInt16LE(where + 2);
      if (bytes.readUInt16LE(where) === index) {
        return length === 0 ? undefined : bytes.toString("latin1", place, place + length - 1);
      }
      place += Math.max(0, length - 1);
    }
    return segment.bases[bytes.readUInt16LE(start + at.base)]![index];
  }

  /** The whole entry; its payload is a copy. */
  read(sequence: number): PushFacts {
    const { segment, bytes, start } = this.locate(sequence);
    const texts = [...segment.bases[bytes.readUInt16LE(start + at.base)]!];
    const count = bytes[start + atDifferences]!;
    let place = start + headBytes + count * 4;
    for (let difference = 0; difference < count; difference++) {
      const where = start + headBytes + difference * 4;
      const length = bytes.readUInt16LE(where + 2);
      const end = place + Math.max(0, length - 1);
      texts[bytes.readUInt16LE(where)] = length === 0 ? undefined : bytes.toString("latin1", place, end);
      place = end;
    }
    const how = bytes[start + atAnswer]!;
    return {
      kind: kindOf(bytes, start),
      protocol: (how & wasBinary) === 0 ? "http/2" : "binary",
      atMs: bytes.readDoubleLE(start + at.atMs),
      apnsId: texts[slot.apnsId] ?? "",
      deviceToken: texts[slot.deviceToken],
      topic: texts[slot.topic],
      pushType: texts[slot.pushType],
      channelId: texts[slot.channelId],
      status: bytes.readUInt16LE(start + at.status),
      reason: this.reason(sequence),
      answer: (how & wasSent) === 0 ? "withheld" : "sent",
      fields: texts.slice(slot.fields) as string[],
      payload: Buffer.from(bytes.subarray(place, place + bytes.readUInt16LE(start + at.payload))),
      connection: bytes.readUInt32LE(start + at.connection),
      stream: bytes.readUInt32LE(start + at.stream),
    };
  }

  /** The segment of an entry, found by halving: segments have unlike numbers of entries. */
  private locate(sequence: number): { segment: Segment; bytes: Buffer; start: number } {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.segments[middle]!.first <= sequence) low = middle;
      else high = middle - 1;
    }
    const segment = this.segments[low]!;
    return { segment, bytes: segment.bytes, start: segment.starts[sequence - segment.first]! };
  }

  /** More than the entry can take. */
  private largest({ payload }: PushFacts): number {
    return headBytes + mostDifferences * 4 + 16_384 + payload.length;
  }

  private segmentFor(bytes: number): Segment {
    const last = this.segments.at(-1);
    if (last !== undefined && last.used + bytes <= segmentBytes && last.bases.length < 0xffff) return last;
    const made: Segment = {
      ...{ bytes: this.spare ?? Buffer.allocUnsafeSlow(segmentBytes), used: 0, first: this.newest + 1 },
      ...{ starts: [], bases: [], reasons: [], baseBytes: 0 },
    };
    this.spare = undefined;
    this.segments.push(made);
    return made;
  }

  /** A base that has most in common with the entry, and in what it differs; if there is none the entry becomes one. */
  private findBase(segment: Segment, facts: PushFacts): number {
    const { bases } = segment;
    const { fields } = facts;
    const { differing } = this;
    const least = Math.max(0, bases.length - mostCompared);
    for (let index = bases.length - 1; index >= least; index--) {
      const base = bases[index]!;
      if (base.length !== fields.length + slot.fields) continue;
      let differences = 0;
      let textBytes = 0;
      for (let each = 0; each < base.length && differences <= mostDifferences; each++) {
        const value = each < slot.fields ? textAt(facts, each) : fields[each - slot.fields];
        if (value === base[each]) continue;
        differing[differences++] = each;
        textBytes += value?.length ?? 0;
      }
      this.differences = differences;
      if (differences <= mostDifferences && textBytes <= 16_384) return index;
    }
    this.differences = 0;
    const made = [facts.apnsId, facts.deviceToken, facts.topic, facts.pushType, facts.channelId, ...fields];
    const baseBytes = made.reduce((sum, text) => sum + 24 + (text?.length ?? 0), 0);
    bases.push(made);
    segment.baseBytes += baseBytes;
    this.bytes += baseBytes;
    return bases.length - 1;
  }

  /** Its number from 1; 0 for none. Reasons are few. */
  private findReason(segment: Segment, reason: string | undefined): number {
    if (reason === undefined) return 0;
    const known = segment.reasons.indexOf(reason);
    return known === -1 ? segment.reasons.push(reason) : known + 1;
  }
}

function kindOf(bytes: Buffer, start: number): RequestKind {
  return kinds[Math.floor(bytes[start + atAnswer]! / kindStep)]!;
}

function textAt(facts: PushFacts, index: number): string | undefined {
  switch (index) {
    case slot.apnsId:
      return facts.apnsId;
    case slot.deviceToken:
      return facts.deviceToken;
    case slot.topic:
      return facts.topic;
    case slot.pushType:
      return facts.pushType;
    default:
      return facts.channelId;
  }
}

function writeU16(bytes: Buffer, place: number, value: number): void {
  bytes[place] = value & 0xff;
  bytes[place + 1] = value >>> 8;
}
