import { max31Bit } from "./frame-types.ts";

/**
 * Reads the increment of a WINDOW_UPDATE payload whose length `checkFrame` approved; 0 is an error that the caller
 * weighs (RFC 9113 §6.9).
 */
export function decodeWindowIncrement(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start) & max31Bit;
}

/** Reads the error code of a RST_STREAM payload whose length `checkFrame` approved. */
export function decodeErrorCode(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start);
}

/**
 * Reads the promised stream of a PUSH_PROMISE that `checkFrame` approved; `start` is its `contentStart` (RFC 9113
 * §6.6).
 */
export function decodePromisedStreamId(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start) & max31Bit;
}

/** What a PRIORITY payload says (RFC 9113 §6.3, deprecated); undefined where it is not 5 bytes long. */
export function decodePriority(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly dependsOn: number; readonly isExclusive: boolean; readonly weight: number } | undefined {
  if (end - start !== 5) return undefined;
  const word = bytes.readUInt32BE(start);
  return { dependsOn: word & max31Bit, isExclusive: word > max31Bit, weight: bytes[start + 4]! + 1 };
}
