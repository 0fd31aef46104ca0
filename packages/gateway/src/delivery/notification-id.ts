import { randomFillSync } from "node:crypto";
import type { BatchId } from "../store/index.ts";

/** How many places an id can name; a batch uses the first 1,000. */
const places = 65_536;
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const placeDigits: readonly string[] = Array.from({ length: 1_000 }, (_, place) => hex(place, 4));

/** Where a notification was first stored. */
export interface NotificationPlace {
  readonly batch: BatchId;
  readonly place: number;
}

/**
 * A notification's id: the 112 bits of its batch and, in the last 16, its place in it. Both together are a UUID of
 * version 7 (RFC 9562 §5.7): canonical, lower case, ordered by time.
 */
export function notificationId(batch: BatchId, place: number): string {
  return batch + (placeDigits[place] ?? hex(place % places, 4));
}

/** Where the id leads; undefined when no batch of ours can have given it. */
export function parseNotificationId(text: string): NotificationPlace | undefined {
  const id = text.toLowerCase();
  if (!idPattern.test(id)) return undefined;
  return { batch: id.slice(0, -4), place: Number.parseInt(id.slice(-4), 16) };
}

/** The place as an opaque text. */
export function writeCursor({ batch, place }: NotificationPlace): string {
  return Buffer.from(notificationId(batch, place).replaceAll("-", ""), "hex").toString("base64url");
}

/** Undefined when `writeCursor` did not give it. */
export function parseCursor(text: string): NotificationPlace | undefined {
  if (!/^[\w-]{22}$/.test(text)) return undefined;
  const digits = Buffer.from(text, "base64url").toString("hex");
  return parseNotificationId(digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
}

/** Ids of batches from this moment on do not sort before this text, those of earlier ones do. */
export function batchTimeText(ms: number): string {
  const time = hex(Math.max(Math.floor(ms), 0), 12);
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

/**
 * Makes ids for batches, each greater than the one before, also when the clock goes back.
 *
 * Layout (RFC 9562 §6.2, method 1): 48 bits of epoch milliseconds · version 7 · a 12-bit counter within the millisecond ·
 * variant · 46 random bits. When the counter is used up the next millisecond is taken early.
 */
export class BatchIds {
  readonly #now: () => number;
  readonly #random = Buffer.alloc(1_020);
  #randomUsed = this.#random.length;
  #lastMs = 0;
  #counter = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): BatchId {
    const now = this.#now();
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#counter = 0;
    } else if (this.#counter < 0xfff) this.#counter += 1;
    else {
      this.#lastMs += 1;
      this.#counter = 0;
    }
    const time = hex(this.#lastMs, 12);
    const random = this.#takeRandom();
    const variant = hex(0x8000 | (random.readUInt16BE(0) & 0x3fff), 4);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(this.#counter, 3)}-${variant}-${random.toString("hex", 2, 6)}`;
  }

  /** Six random bytes. */
  #takeRandom(): Buffer {
    if (this.#randomUsed === this.#random.length) {
      randomFillSync(this.#random);
      this.#randomUsed = 0;
    }
    this.#randomUsed += 6;
    return this.#random.subarray(this.#randomUsed - 6, this.#randomUsed);
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
