import type { DeliveryPolicy, EnvironmentChoice } from "../notification-draft.ts";
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

/** What few notifications have. */
type RareParts = Pick<BatchEntry, "reference" | "apnsId" | "origin" | "registeredAtMs">;

/**
 * A decoded batch: each of its notifications by its place, 0 to `count` - 1. Their parts are made when they are asked for: most
 * are asked for once, or never.
 */
export class BatchReader {
  readonly count: number;
  readonly delivery: DeliveryPolicy;
  readonly environmentChoice: EnvironmentChoice;
  readonly byteLength: number;
  readonly #bytes: Buffer;
  readonly #scan: Scan;
  /** The payload asked for last. */
  #payload: Uint8Array = new Uint8Array(0);
  #payloadIndex = -1;

  constructor(bytes: Buffer, scan: Scan) {
    this.#bytes = bytes;
    this.#scan = scan;
    this.count = scan.count;
    this.delivery = bytes[2] === 1 ? "at-most-once" : "at-least-once";
    this.environmentChoice = format.environmentChoices[bytes[3] ?? 0] ?? "fixed";
    this.byteLength = bytes.length;
  }

  entry(place: number): BatchEntry {
    const shared = { payload: this.payload(place), settings: this.settings(place) };
    return { deviceToken: this.deviceToken(place), ...shared, ...this.rareParts(place) };
  }

  deviceToken(place: number): string {
    const start = this.#startOf(place);
    return this.#bytes.toString("hex", start + 2, this.#tokenEnd(start));
  }

  payload(place: number): Uint8Array {
    const index = this.#scan.payloadOf[place] ?? -1;
    if (index === this.#payloadIndex) return this.#payload;
    const start = this.#scan.payloadStarts[index];
    const end = this.#scan.payloadEnds[index];
    if (start === undefined || end === undefined) throw this.#beyond(place);
    const { buffer, byteOffset } = this.#bytes;
    this.#payload = new Uint8Array(buffer, byteOffset + start, end - start);
    this.#payloadIndex = index;
    return this.#payload;
  }

  settings(place: number): BatchSettings {
    const settings = this.#scan.settings[this.#scan.settingsOf[place] ?? -1];
    if (settings === undefined) throw this.#beyond(place);
    return settings;
  }

  /** Undefined where it has none of them. */
  rareParts(place: number): RareParts | undefined {
    const bytes = this.#bytes;
    const start = this.#startOf(place);
    const tag = bytes.readUInt8(start);
    if (tag === 0) return undefined;
    let at = this.#tokenEnd(start);
    const parts: { -readonly [K in keyof RareParts]: RareParts[K] } = {};
    if (tag & format.entry.reference) {
      const end = at + 2 + bytes.readUInt16BE(at);
      parts.reference = bytes.toString("utf8", at + 2, end);
      at = end;
    }
    if (tag & format.entry.apnsId) {
      parts.apnsId = uuidAt(bytes, at);
      at += 16;
    }
    if (tag & format.entry.origin) {
      parts.origin = originAt(bytes, at);
      at += originBytes;
    }
    if (tag & format.entry.registeredAt) parts.registeredAtMs = bytes.readUIntBE(at, 6);
    return parts;
  }

  #startOf(place: number): number {
    const start = place < this.count ? this.#scan.entryStarts[place] : undefined;
    if (start === undefined) throw this.#beyond(place);
    return start;
  }

  #tokenEnd(start: number): number {
    return start + 2 + this.#bytes.readUInt8(start + 1);
  }

  #beyond(place: number): RangeError {
    return new RangeError(`place ${place} of a batch of ${this.count}`);
  }
}

/** One pass over the records: where the entries start and what they refer to. Holds every length against the end. */
class Scan {
  readonly payloadStarts: number[] = [];
  readonly payloadEnds: number[] = [];
  readonly settings: BatchSettings[] = [];
  /** By place, as `payloadOf` and `settingsOf`. */
  readonly entryStarts: Uint32Array;
  readonly payloadOf: Uint32Array;
  readonly settingsOf: Uint32Array;
  count = 0;
  readonly #bytes: Buffer;
  readonly #expected: number;
  #at: number = format.headerBytes;
  #payload = -1;
  #current = -1;
  readonly #entryMax: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const knowsRegistration = (bytes[1] ?? 0) >= format.versions.registeredAt;
    this.#entryMax = format.tag.entryMax - (knowsRegistration ? 0 : format.entry.registeredAt);
    this.#expected = bytes.readUInt16BE(8);
    const room = Math.min(this.#expected, maxBatchCount);
    this.entryStarts = new Uint32Array(room);
    this.payloadOf = new Uint32Array(room);
    this.settingsOf = new Uint32Array(room);
  }

  /** What is wrong, or undefined. */
  run(): string | undefined {
    while (this.#at < this.#bytes.length) {
      const start = this.#at;
      const fault = this.#record(this.#u8() ?? 0xff, start);
      if (fault !== undefined) return `${fault} at byte ${start}`;
    }
    return this.count === this.#expected ? undefined : `${this.count} entries, expected ${this.#expected}`;
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
        return this.#payload in this.payloadStarts ? undefined : "an unknown payload";
      case format.tag.settingsAgain:
        this.#current = this.#u16() ?? -1;
        return this.#current in this.settings ? undefined : "unknown settings";
      default:
        return `unknown record ${tag}`;
    }
  }

  #entry(tag: number, start: number): string | undefined {
    if (this.#payload < 0 || this.#current < 0) return "an entry before its payload and settings";
    if (this.count === this.entryStarts.length) return "too many entries";
    const whole =
      this.#skip(this.#u8()) &&
      (!(tag & format.entry.reference) || this.#skip(this.#u16())) &&
      (!(tag & format.entry.apnsId) || this.#skip(16)) &&
      (!(tag & format.entry.origin) || this.#skip(originBytes)) &&
      (!(tag & format.entry.registeredAt) || this.#skip(6));
    if (!whole) return "a cut entry";
    this.entryStarts[this.count] = start;
    this.payloadOf[this.count] = this.#payload;
    this.settingsOf[this.count] = this.#current;
    this.count += 1;
    return undefined;
  }

  #payloadRecord(): string | undefined {
    const length = this.#uint(4);
    const start = this.#at;
    if (!this.#skip(length)) return "a cut payload";
    this.payloadEnds.push(this.#at);
    this.#payload = this.payloadStarts.push(start) - 1;
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
    const at = this.#at;
    this.#at += 1;
    return this.#bytes[at];
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
  const { first, environmentChoice: latest } = format.versions;
  const version = bytes[1] ?? 0;
  if (version < first || version > latest)
    return `version ${version}, this carillon knows ${first} to ${latest}`;
  if (bytes[2] !== 0 && bytes[2] !== 1) return `delivery ${bytes[2]}`;
  const choices = version < format.versions.environmentChoice ? 1 : format.environmentChoices.length;
  if ((bytes[3] ?? 0) >= choices) return `choice of the environment ${bytes[3]}`;
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
