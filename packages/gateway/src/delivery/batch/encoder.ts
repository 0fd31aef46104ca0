import { type DraftRun, runSpan } from "../draft-run.ts";
import type { DeliveryPolicy, EnvironmentChoice } from "../notification-draft.ts";
import {
  type BatchEntry,
  type BatchSettings,
  checksumOf,
  format,
  fullBatchBytes,
  maxBatchCount,
  type Origin,
} from "./format.ts";
import { markOf, RecentPayloads } from "./recent-payloads.ts";

/** How many earlier settings new ones are compared with. */
const remembered = 8;
/** A loop copies so few bytes sooner than a call of native code begins. */
const fewBytes = 48;

/** Writes one batch, entry by entry. */
export class BatchEncoder {
  readonly #delivery: DeliveryPolicy;
  readonly #choice: EnvironmentChoice;
  #bytes = Buffer.allocUnsafe(1_024);
  #length: number = format.headerBytes;
  #count = 0;
  #version: number = format.versions.first;
  readonly #payloads = new RecentPayloads();
  /** The index of the current payload, and where it was read last. */
  #payload = -1;
  #source: Uint8Array | undefined;
  #sourceStart = 0;
  #sourceEnd = 0;
  readonly #settings = new RecentSettings();

  constructor(delivery: DeliveryPolicy, choice: EnvironmentChoice = "fixed") {
    this.#delivery = delivery;
    this.#choice = choice;
    if (choice !== "fixed") this.#version = format.versions.environmentChoice;
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#length;
  }

  /** Whether nothing more should be added. */
  get isFull(): boolean {
    return this.#count >= maxBatchCount || this.#length >= fullBatchBytes;
  }

  /** Adds a notification and returns its place. The caller has asked `isFull`. */
  add(deviceToken: string, entry: Omit<BatchEntry, "deviceToken">): number {
    this.#usePayload(entry.payload, 0, entry.payload.length);
    this.#useSettings(entry.settings);
    this.#writeEntry(deviceToken, entry);
    this.#count += 1;
    return this.#count - 1;
  }

  /** Adds one recipient of a run, with the same result as if its values had been given one by one. */
  addFromRun({ bytes, tokenForm, spans, shared }: DraftRun, recipient: number): number {
    const at = recipient * runSpan.size;
    this.#usePayload(bytes, spans[at + runSpan.payloadStart] ?? 0, spans[at + runSpan.payloadEnd] ?? 0);
    this.#useSettings(shared);
    const tokenStart = spans[at + runSpan.tokenStart] ?? 0;
    const tokenEnd = spans[at + runSpan.tokenEnd] ?? 0;
    const referenceStart = spans[at + runSpan.referenceStart] ?? 0;
    const referenceBytes = (spans[at + runSpan.referenceEnd] ?? 0) - referenceStart;
    const isHex = tokenForm !== "bytes";
    const tokenBytes = isHex ? (tokenEnd - tokenStart) >> 1 : tokenEnd - tokenStart;
    const { registeredAtMs } = shared;
    this.#reserve(10 + tokenBytes + referenceBytes);
    this.#u8(
      (referenceBytes === 0 ? 0 : format.entry.reference) |
        (registeredAtMs === undefined ? 0 : format.entry.registeredAt),
    );
    this.#u8(tokenBytes);
    if (isHex) this.#hexBytes(bytes, tokenStart, tokenEnd);
    else this.#copy(bytes, tokenStart, tokenEnd);
    if (referenceBytes > 0) {
      this.#length = this.#bytes.writeUInt16BE(referenceBytes, this.#length);
      this.#copy(bytes, referenceStart, referenceStart + referenceBytes);
    }
    if (registeredAtMs !== undefined) this.#registeredAt(registeredAtMs);
    this.#count += 1;
    return this.#count - 1;
  }

  /** The finished batch, in a buffer of exactly its size. */
  finish(): Uint8Array {
    const body = new Uint8Array(this.#length);
    const bytes = Buffer.from(body.buffer);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    bytes.writeUInt8(format.magic, 0);
    bytes.writeUInt8(this.#version, 1);
    bytes.writeUInt8(this.#delivery === "at-most-once" ? 1 : 0, 2);
    bytes.writeUInt8(format.environmentChoices.indexOf(this.#choice), 3);
    bytes.writeUInt16BE(this.#count, 8);
    bytes.writeUInt32BE(checksumOf(bytes), format.checksumAt);
    return body;
  }

  #usePayload(bytes: Uint8Array, start: number, end: number): void {
    // Nearly always so where it has several recipients.
    if (this.#source === bytes && this.#sourceStart === start && this.#sourceEnd === end) return;
    this.#source = bytes;
    this.#sourceStart = start;
    this.#sourceEnd = end;
    const mark = markOf(bytes, start, end);
    const known = this.#payloads.find(mark, this.#bytes, bytes, start, end);
    if (known !== undefined) {
      if (known !== this.#payload) this.#writeAgain(format.tag.payloadAgain, known);
      this.#payload = known;
      return;
    }
    this.#reserve(5 + end - start);
    this.#u8(format.tag.payload);
    this.#length = this.#bytes.writeUInt32BE(end - start, this.#length);
    const at = this.#length;
    this.#copy(bytes, start, end);
    this.#payload = this.#payloads.add(mark, at, this.#length);
  }

  #useSettings(settings: BatchSettings): void {
    const use = this.#settings.use(settings);
    if (use.kind === "current") return;
    if (use.kind === "earlier") {
      this.#writeAgain(format.tag.settingsAgain, use.index);
      return;
    }
    const { topic, pushType = "", priority, expirationSeconds, collapseId } = settings;
    this.#reserve(16);
    this.#u8(format.tag.settings);
    this.#u8(
      (priority === undefined ? 0 : format.present.priority) |
        (expirationSeconds === undefined ? 0 : format.present.expiration) |
        (collapseId === undefined ? 0 : format.present.collapseId),
    );
    this.#text(topic);
    this.#text(pushType);
    this.#reserve(7);
    if (priority !== undefined) this.#u8(priority);
    if (expirationSeconds !== undefined)
      this.#length = this.#bytes.writeUIntBE(expirationSeconds, this.#length, 6);
    if (collapseId !== undefined) this.#text(collapseId);
  }

  #writeAgain(tag: number, index: number): void {
    this.#reserve(3);
    this.#u8(tag);
    this.#length = this.#bytes.writeUInt16BE(index, this.#length);
  }

  #writeEntry(deviceToken: string, entry: Omit<BatchEntry, "deviceToken">): void {
    const { reference, apnsId, origin, registeredAtMs } = entry;
    const tokenBytes = deviceToken.length >> 1;
    this.#reserve(2 + tokenBytes);
    this.#u8(
      (reference === undefined ? 0 : format.entry.reference) |
        (apnsId === undefined ? 0 : format.entry.apnsId) |
        (origin === undefined ? 0 : format.entry.origin) |
        (registeredAtMs === undefined ? 0 : format.entry.registeredAt),
    );
    this.#u8(tokenBytes);
    this.#hex(deviceToken);
    if (reference !== undefined) this.#text(reference);
    if (apnsId !== undefined) this.#uuid(apnsId);
    if (origin !== undefined) this.#origin(origin);
    if (registeredAtMs !== undefined) this.#registeredAt(registeredAtMs);
  }

  #registeredAt(ms: number): void {
    this.#version = Math.max(this.#version, format.versions.registeredAt);
    this.#reserve(6);
    this.#length = this.#bytes.writeUIntBE(ms, this.#length, 6);
  }

  #origin({ id, attempts, doubt, sinceMs }: Origin): void {
    this.#uuid(id);
    this.#reserve(9);
    this.#length = this.#bytes.writeUInt16BE(Math.min(attempts, 0xffff), this.#length);
    this.#u8(doubt ? 1 : 0);
    this.#length = this.#bytes.writeUIntBE(sinceMs, this.#length, 6);
  }

  #u8(value: number): void {
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** By hand: four times as fast as `Buffer.write` (bench/delivery.ts). */
  #hex(digits: string): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index + 1 < digits.length; index += 2, at += 1)
      bytes[at] =
        ((digitValues[digits.charCodeAt(index) & 0xff] ?? 0) << 4) |
        (digitValues[digits.charCodeAt(index + 1) & 0xff] ?? 0);
    this.#length = at;
  }

  #hexBytes(digits: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = start; index + 1 < end; index += 2, at += 1)
      bytes[at] = ((digitValues[digits[index] ?? 0] ?? 0) << 4) | (digitValues[digits[index + 1] ?? 0] ?? 0);
    this.#length = at;
  }

  /** There is room. */
  #copy(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    const to = this.#length - start;
    this.#length = to + end;
    if (end - start > fewBytes) bytes.set(from.subarray(start, end), to + start);
    else for (let at = start; at < end; at += 1) bytes[to + at] = from[at] ?? 0;
  }

  #uuid(id: string): void {
    this.#reserve(16);
    this.#hex(id.replaceAll("-", ""));
  }

  #text(text: string): void {
    const most = text.length * 3;
    this.#reserve(2 + most);
    const written = this.#bytes.write(text, this.#length + 2, "utf8");
    this.#length = this.#bytes.writeUInt16BE(written, this.#length) + written;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

type Use = { readonly kind: "current" | "new" } | { readonly kind: "earlier"; readonly index: number };

const current: Use = { kind: "current" };
const fresh: Use = { kind: "new" };

/** Knows the last few settings, so that those that come back are not written again. */
class RecentSettings {
  readonly #values: BatchSettings[] = [];
  readonly #indexes: number[] = [];
  #current: BatchSettings | undefined;
  #count = 0;

  use(value: BatchSettings): Use {
    if (this.#current !== undefined && sameSettings(this.#current, value)) return current;
    const known = this.#values.findIndex((each) => sameSettings(each, value));
    this.#current = value;
    const index = this.#indexes[known];
    if (index !== undefined) return { kind: "earlier", index };
    this.#values.push(value);
    this.#indexes.push(this.#count);
    this.#count += 1;
    if (this.#values.length > remembered) {
      this.#values.shift();
      this.#indexes.shift();
    }
    return fresh;
  }
}

/** The values of hexadecimal digits, by their codes. A table: nobody foresees which digits are letters, the processor neither. */
const digitValues = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(code)) ? Number.parseInt(String.fromCharCode(code), 16) : 0,
);

function sameSettings(a: BatchSettings, b: BatchSettings): boolean {
  return (
    a === b ||
    (a.topic === b.topic &&
      a.pushType === b.pushType &&
      a.priority === b.priority &&
      a.expirationSeconds === b.expirationSeconds &&
      a.collapseId === b.collapseId)
  );
}
