import type { DeliveryPolicy } from "../notification-draft.ts";
import {
  type BatchEntry,
  type BatchSettings,
  checksumOf,
  format,
  maxBatchCount,
  type Origin,
} from "./format.ts";

export type DecodedBatch =
  | { readonly kind: "decoded"; readonly batch: BatchReader }
  | { readonly kind: "malformed"; readonly detail: string };

/** Reads a whole batch. Never throws: damaged bytes are an answer. The reader shares `body`'s memory. */
export function decodeBatch(body: Uint8Array): DecodedBatch {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const fault = checkHeader(bytes);
  if (fault !== undefined) return { kind: "malformed", detail: fault };
  const scan = new Scan(bytes);
  const damage = scan.run();
  if (damage !== undefined) return { kind: "malformed", detail: damage };
  return { kind: "decoded", batch: new BatchReader(bytes, scan) };
}

/** A decoded batch: each of its notifications by its place. */
export class BatchReader {
  readonly count: number;
  readonly delivery: DeliveryPolicy;
  readonly byteLength: number;
  readonly #bytes: Buffer;
  readonly #scan: Scan;

  constructor(bytes: Buffer, scan: Scan) {
    this.#bytes = bytes;
    this.#scan = scan;
    this.count = scan.entryStarts.length;
    this.delivery = bytes[2] === 1 ? "at-most-once" : "at-least-once";
    this.byteLength = bytes.length;
  }

  /** The notification at `place`, 0 to `count` - 1. */
  entry(place: number): BatchEntry {
    const start = this.#scan.entryStarts[place];
    const payload = this.#scan.payloads[this.#scan.payloadOf[place] ?? -1];
    const settings = this.#scan.settings[this.#scan.settingsOf[place] ?? -1];
    if (start === undefined || payload === undefined || settings === undefined)
      throw new RangeError(`place ${place} of a batch of ${this.count}`);
    const bytes = this.#bytes;
    const tag = bytes.readUInt8(start);
    const tokenEnd = start + 2 + bytes.readUInt8(start + 1);
    const deviceToken = bytes.toString("hex", start + 2, tokenEnd);
    if (tag === 0) return { deviceToken, payload, settings };
    let at = tokenEnd;
    const entry: { -readonly [K in keyof BatchEntry]: BatchEntry[K] } = { deviceToken, payload, settings };
    if (tag & format.entry.reference) {
      const end = at + 2 + bytes.readUInt16BE(at);
      entry.reference = bytes.toString("utf8", at + 2, end);
      at = end;
    }
    if (tag & format.entry.apnsId) {
      entry.apnsId = uuidAt(bytes, at);
      at += 16;
    }
    if (tag & format.entry.origin) {
      entry.origin = originAt(bytes, at);
      at += originBytes;
    }
    if (tag & format.entry.registeredAt) entry.registeredAtMs = bytes.readUIntBE(at, 6);
    return entry;
  }
}

/** One pass over the records: where the entries start and what they refer to. Holds every length against the end. */
class Scan {
  readonly payloads: Buffer[] = [];
  readonly settings: BatchSettings[] = [];
  readonly entryStarts: number[] = [];
  readonly payloadOf: number[] = [];
  readonly settingsOf: number[] = [];
  readonly #bytes: Buffer;
  #at: number = format.headerBytes;
  #payload = -1;
  #current = -1;
  readonly #entryMax: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const knowsRegistration = (bytes[1] ?? 0) >= format.versions.registeredAt;
    this.#entryMax = format.tag.entryMax - (knowsRegistration ? 0 : format.entry.registeredAt);
  }

  /** What is wrong, or undefined. */
  run(): string | undefined {
    while (this.#at < this.#bytes.length) {
      const start = this.#at;
      const fault = this.#record(this.#u8() ?? 0xff, start);
      if (fault !== undefined) return `${fault} at byte ${start}`;
    }
    const expected = this.#bytes.readUInt16BE(8);
    return this.entryStarts.length === expected
      ? undefined
      : `${this.entryStarts.length} entries, expected ${expected}`;
  }

  #record(tag: number, start: number): string | undefined {
    if (tag <= this.#entryMax) return this.#entry(tag, start);
    switch (tag) {
      case format.tag.payload:
        return this.#payloadRecord();
      case format.tag.settings:
        return this.#settingsRecord();
      case format.tag.payloadAgain:
        this.#payload = this.#u16() ?? -1;
        return this.#payload in this.payloads ? undefined : "an unknown payload";
      case format.tag.settingsAgain:
        this.#current = this.#u16() ?? -1;
        return this.#current in this.settings ? undefined : "unknown settings";
      default:
        return `unknown record ${tag}`;
    }
  }

  #entry(tag: number, start: number): string | undefined {
    if (this.#payload < 0 || this.#current < 0) return "an entry before its payload and settings";
    if (this.entryStarts.length === maxBatchCount) return "too many entries";
    const whole =
      this.#skip(this.#u8()) &&
      (!(tag & format.entry.reference) || this.#skip(this.#u16())) &&
      (!(tag & format.entry.apnsId) || this.#skip(16)) &&
      (!(tag & format.entry.origin) || this.#skip(originBytes)) &&
      (!(tag & format.entry.registeredAt) || this.#skip(6));
    if (!whole) return "a cut entry";
    this.entryStarts.push(start);
    this.payloadOf.push(this.#payload);
    this.settingsOf.push(this.#current);
    return undefined;
  }

  #payloadRecord(): string | undefined {
    const length = this.#uint(4);
    const start = this.#at;
    if (!this.#skip(length)) return "a cut payload";
    this.#payload = this.payloads.push(this.#bytes.subarray(start, this.#at)) - 1;
    return undefined;
  }

  #settingsRecord(): string | undefined {
    const present = this.#u8();
    const topic = this.#text();
    const pushType = this.#text();
    if (present === undefined || topic === undefined || pushType === undefined) return "cut settings";
    const settings: { -readonly [K in keyof BatchSettings]: BatchSettings[K] } = { topic };
    if (pushType !== "") settings.pushType = pushType;
    if (present & format.present.priority) {
      const priority = this.#u8();
      if (priority !== 10 && priority !== 5 && priority !== 1) return `priority ${priority}`;
      settings.priority = priority;
    }
    if (present & format.present.expiration) {
      const expirationSeconds = this.#uint(6);
      if (expirationSeconds === undefined) return "a cut expiration";
      settings.expirationSeconds = expirationSeconds;
    }
    if (present & format.present.collapseId) {
      const collapseId = this.#text();
      if (collapseId === undefined) return "a cut collapse id";
      settings.collapseId = collapseId;
    }
    this.#current = this.settings.push(settings) - 1;
    return undefined;
  }

  #text(): string | undefined {
    const length = this.#u16();
    const start = this.#at;
    return this.#skip(length) ? this.#bytes.toString("utf8", start, this.#at) : undefined;
  }

  #u8(): number | undefined {
    return this.#uint(1);
  }

  #u16(): number | undefined {
    return this.#uint(2);
  }

  #uint(length: number): number | undefined {
    const start = this.#at;
    return this.#skip(length) ? this.#bytes.readUIntBE(start, length) : undefined;
  }

  #skip(length: number | undefined): boolean {
    if (length === undefined || this.#at + length > this.#bytes.length) return false;
    this.#at += length;
    return true;
  }
}

function checkHeader(bytes: Buffer): string | undefined {
  if (bytes.length < format.headerBytes) return `${bytes.length} bytes are no batch`;
  if (bytes[0] !== format.magic) return `first byte ${bytes[0]}, expected ${format.magic}`;
  const { first, registeredAt: latest } = format.versions;
  if (bytes[1] !== first && bytes[1] !== latest)
    return `version ${bytes[1]}, this carillon knows ${first} to ${latest}`;
  if (bytes[2] !== 0 && bytes[2] !== 1) return `delivery ${bytes[2]}`;
  if (bytes[3] !== 0) return `reserved byte ${bytes[3]}`;
  const matches = checksumOf(bytes) === bytes.readUInt32BE(format.checksumAt);
  return matches ? undefined : "the checksum does not match";
}

const originBytes = 25;

function originAt(bytes: Buffer, at: number): Origin {
  return {
    id: uuidAt(bytes, at),
    attempts: bytes.readUInt16BE(at + 16),
    doubt: bytes.readUInt8(at + 18) === 1,
    sinceMs: bytes.readUIntBE(at + 19, 6),
  };
}

function uuidAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString("hex", at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
