import { randomFillSync } from "node:crypto";

const digits = Buffer.from("0123456789abcdef", "latin1");
const idBytes = 16;
/** Random bytes are fetched for 256 ids at once. */
const pool = Buffer.allocUnsafeSlow(idBytes * 256);
/** 8-4-4-4-12, the digits written in for each id. */
const text = Buffer.from("00000000-0000-0000-0000-000000000000", "latin1");
const places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
let used = pool.length;

/**
 * A new random UUID (RFC 9562, version 4), in lower case. One flat string: `randomUUID` joins twenty, which costs a sender of
 * many notifications ten times the memory (bench/client.ts).
 */
export function makeApnsId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  pool[used + 6] = (pool[used + 6]! & 0x0f) | 0x40;
  pool[used + 8] = (pool[used + 8]! & 0x3f) | 0x80;
  for (let each = 0; each < idBytes; each += 1) {
    const byte = pool[used + each]!;
    const place = places[each]!;
    text[place] = digits[byte >>> 4]!;
    text[place + 1] = digits[byte & 0x0f]!;
  }
  used += idBytes;
  return text.toString("latin1");
}
