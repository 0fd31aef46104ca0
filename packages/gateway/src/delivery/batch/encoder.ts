import type { DeliveryPolicy } from "../notification-draft.ts";
import {
  type BatchEntry,
  type BatchSettings,
  checksumOf,
  format,
  fullBatchBytes,
  maxBatchCount,
  type Origin,
} from "./format.ts";

/** How many earlier payloads and settings a new one is compared with. */
const remembered = 8;

/** Writes one batch, entry by entry. */
export class BatchEncoder {
  readonly #delivery: DeliveryPolicy;
  #bytes = Buffer.allocUnsafe(1_024);
  #length: number = format.headerBytes;
  #count = 0;
  #version: number = format.versions.first;
  readonly #payloads = new Recent<Uint8Array>(bytesComparer());
  readonly #settings = new Recent<BatchSettings>(sameSettings);

  constructor(delivery: DeliveryPolicy) {
    this.#delivery = delivery;
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
    this.#usePayload(entry.payload);
    this.#useSettings(entry.settings);
    this.#writeEntry(deviceToken, entry);
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
    bytes.writeUInt8(0, 3);
    bytes.writeUInt16BE(this.#count, 8);
    bytes.writeUInt32BE(checksumOf(bytes), format.checksumAt);
    return body;
  }

  #usePayload(payload: Uint8Array): void {
    const use = this.#payloads.use(payload);
    if (use.kind === "current") return;
    if (use.kind === "earlier") {
      this.#writeAgain(format.tag.payloadAgain, use.index);
      return;
    }
    this.#reserve(5 + payload.length);
    this.#u8(format.tag.payload);
    this.#length = this.#bytes.writeUInt32BE(payload.length, this.#length);
    this.#bytes.set(payload, this.#length);
    this.#length += payload.length;
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
    if (registeredAtMs === undefined) return;
    this.#version = format.versions.registeredAt;
    this.#reserve(6);
    this.#length = this.#bytes.writeUIntBE(registeredAtMs, this.#length, 6);
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
      bytes[at] = (digitOf(digits.charCodeAt(index)) << 4) | digitOf(digits.charCodeAt(index + 1));
    this.#length = at;
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

/** Knows the last few values of their kind, so that one that comes back is not written again. */
class Recent<T> {
  readonly #isSame: (a: T, b: T) => boolean;
  readonly #values: T[] = [];
  readonly #indexes: number[] = [];
  #current: T | undefined;
  #count = 0;

  constructor(isSame: (a: T, b: T) => boolean) {
    this.#isSame = isSame;
  }

  use(value: T): Use {
    if (this.#current !== undefined && this.#isSame(this.#current, value)) return current;
    const known = this.#values.findIndex((each) => this.#isSame(each, value));
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

/** The value of a hexadecimal digit, by its code. */
function digitOf(code: number): number {
  // 0 to 9 have it in their lower four bits; letters of either case have it there less 9.
  return (code & 0xf) + (code > 0x39 ? 9 : 0);
}

/** Compares bytes; where two differed last is looked at first, for texts from one template differ at one place. */
function bytesComparer(): (a: Uint8Array, b: Uint8Array) => boolean {
  let place = 0;
  return (a, b) => {
    if (a === b) return true;
    if (a.length !== b.length || a[place] !== b[place]) return false;
    const most = Math.min(a.length, lookedAtFirst);
    for (let at = 0; at < most; at += 1)
      if (a[at] !== b[at]) {
        place = at;
        return false;
      }
    return a.length <= lookedAtFirst || Buffer.compare(a, b) === 0;
  };
}

/** A loop finds an early difference sooner than a call of native code begins. */
const lookedAtFirst = 64;

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
