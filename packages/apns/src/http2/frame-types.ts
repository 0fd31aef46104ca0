/** Frame types, by their names in RFC 9113 §6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/**
 * Frame flags (RFC 9113 §6). `endStream` and `ack` share a bit: the first is for DATA and HEADERS, the second for
 * SETTINGS and PING.
 */
export const flag = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7). A peer may send others. */
export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

/** Identifiers of SETTINGS entries (RFC 9113 §6.5.2). Others are to be ignored. */
export const settingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What a client sends before its first frame (RFC 9113 §3.4). */
export const connectionPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/**
 * Bytes before every frame's payload: length u24 · type u8 · flags u8 · reserved bit and stream id u32 (RFC 9113
 * §4.1).
 */
export const frameHeaderBytes = 9;

/** The largest flow-control window, stream id and window increment: 2^31 - 1 (RFC 9113 §6.9.1, §5.1.1). */
export const max31Bit = 0x7fff_ffff;

/** A fault that ends the connection: the code for GOAWAY and a sentence. */
export interface ConnectionError {
  /** One of `errorCode`. */
  readonly code: number;
  readonly detail: string;
}
