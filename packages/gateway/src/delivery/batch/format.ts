import { crc32 } from "node:zlib";

/**
 * The binary form of a batch. All numbers are big-endian. Version 2 is version 1 and the flag 8 of an entry, version 3
 * is version 2 and the choice; a batch is written in the first version that can say what it holds.
 *
 * ```text
 * header   magic u8 = 0xC5 · version u8 = 1 to 3 · delivery u8 (0 at least once, 1 at most once)
 *          choice of the environment u8 (0 fixed, 1 open, 2 second)
 *          crc32 u32 of everything but itself · count u16 of entries
 * records  one after the other, each with a tag u8:
 *   0x80   payload: length u32 · bytes. It becomes the current payload.
 *   0x81   settings: present u8 (1 priority, 2 expiration, 4 collapse id) · topic text · push type text, empty for none
 *          [· priority u8] [· expiration u48, epoch seconds] [· collapse id text]. They become the current settings.
 *   0x82   an earlier payload becomes the current one again: its index u16
 *   0x83   earlier settings become the current ones again: their index u16
 *   0..15  an entry with the current payload and settings: device token u8 + bytes
 *          [1: · reference text] [2: · the caller's own id, 16 bytes]
 *          [4: · origin: id, 16 bytes · attempts u16 · doubt u8 · since u48, epoch milliseconds]
 *          [8: · registered at u48, epoch milliseconds]
 * text     length u16 · UTF-8
 * ```
 *
 * So what many recipients share stands once, and costs an entry nothing.
 */
export const format = {
  magic: 0xc5,
  versions: { first: 1, registeredAt: 2, environmentChoice: 3 },
  headerBytes: 10,
  checksumAt: 4,
  tag: { payload: 0x80, settings: 0x81, payloadAgain: 0x82, settingsAgain: 0x83, entryMax: 0x0f },
  entry: { reference: 1, apnsId: 2, origin: 4, registeredAt: 8 },
  environmentChoices: ["fixed", "open", "second"],
  present: { priority: 1, expiration: 2, collapseId: 4 },
} as const;

/** The checksum of a whole batch: of what stands before it and what stands behind. */
export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(format.checksumAt + 4), crc32(bytes.subarray(0, format.checksumAt)));
}

/** The most notifications one batch holds. */
export const maxBatchCount = 1_000;
/** A batch takes nothing more once its body has this many bytes. */
export const fullBatchBytes = 256 * 1024;

/** What is often the same for many notifications, besides the payload. */
export interface BatchSettings {
  readonly topic: string;
  readonly pushType?: string;
  readonly priority?: 10 | 5 | 1;
  /** Epoch seconds, below 2^48. */
  readonly expirationSeconds?: number;
  readonly collapseId?: string;
}

/** Of a notification that is tried again: where it comes from. */
export interface Origin {
  /** Its id, which it keeps. */
  readonly id: string;
  /** How often it was handed to Apple, 1 to 65,535. */
  readonly attempts: number;
  /** Whether one of these attempts may have been taken although no answer came. */
  readonly doubt: boolean;
  /** Since when it waits: its first due time, epoch milliseconds. */
  readonly sinceMs: number;
}

/** One notification of a batch. */
export interface BatchEntry {
  /** Lower-case hex, 1 to 255 bytes. */
  readonly deviceToken: string;
  readonly payload: Uint8Array;
  readonly settings: BatchSettings;
  readonly reference?: string;
  /** The caller's own id, a canonical lower-case UUID. */
  readonly apnsId?: string;
  readonly origin?: Origin;
  /** When the app last registered the device token, by its own word. Epoch milliseconds, 0 or more, below 2^48. */
  readonly registeredAtMs?: number;
}
