import { errorCode, max31Bit } from "./frame-types.ts";

/** What a GOAWAY frame said (RFC 9113 §6.8). */
export interface Goaway {
  /** One of `errorCode`, or a code unknown to us. */
  readonly code: number;
  /** Streams above it were not and will not be processed. */
  readonly lastStreamId: number;
  /** A copy, cut to `mostDebugBytes`. APNs: JSON with a `reason`, plain text, or nothing. */
  readonly debug: Buffer;
}

/** Debug data is kept up to here. */
const mostDebugBytes = 4096;

/** Reads a GOAWAY payload whose length `checkFrame` approved. */
export function decodeGoaway(bytes: Buffer, start: number, end: number): Goaway {
  return {
    lastStreamId: bytes.readUInt32BE(start) & max31Bit,
    code: bytes.readUInt32BE(start + 4),
    debug: Buffer.from(bytes.subarray(start + 8, Math.min(end, start + 8 + mostDebugBytes))),
  };
}

/**
 * What several GOAWAY frames of one connection say together: the lowest last id, the last error code, the first
 * debug data.
 */
export function sumUpGoaways(known: Goaway | undefined, next: Goaway): Goaway {
  if (known === undefined) return next;
  return {
    // A peer may only lower its last id (RFC 9113 §6.8); of a raised one nothing is believed.
    lastStreamId: Math.min(known.lastStreamId, next.lastStreamId),
    code: next.code === errorCode.noError ? known.code : next.code,
    debug: known.debug.length > 0 ? known.debug : next.debug,
  };
}
