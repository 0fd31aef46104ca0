import type { ByteWriter } from "./byte-writer.ts";
import { flag, frameHeaderBytes, frameType } from "./frame-types.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";

/** Appends the 9 bytes before a payload of `length` bytes (RFC 9113 §4.1). */
export function writeFrameHeader(
  out: ByteWriter,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  out.u24(length);
  out.u16((type << 8) | flags);
  out.u32(streamId);
}

/** Appends SETTINGS with these entries in this order (RFC 9113 §6.5). */
export function writeSettings(
  out: ByteWriter,
  entries: readonly (readonly [id: number, value: number])[],
): void {
  writeFrameHeader(out, entries.length * 6, frameType.settings, 0, 0);
  for (const [id, value] of entries) {
    out.u16(id);
    out.u32(value);
  }
}

export function writeSettingsAck(out: ByteWriter): void {
  writeFrameHeader(out, 0, frameType.settings, flag.ack, 0);
}

/** Appends PING; `opaque` is 8 bytes (RFC 9113 §6.7). */
export function writePing(out: ByteWriter, opaque: Uint8Array, flags: number): void {
  writeFrameHeader(out, 8, frameType.ping, flags, 0);
  out.bytes(opaque.subarray(0, 8));
  for (let missing = 8 - opaque.length; missing > 0; missing--) out.u8(0);
}

/** Appends GOAWAY (RFC 9113 §6.8). */
export function writeGoaway(out: ByteWriter, lastStreamId: number, code: number, debug?: Uint8Array): void {
  writeFrameHeader(out, 8 + (debug?.length ?? 0), frameType.goaway, 0, 0);
  out.u32(lastStreamId);
  out.u32(code);
  if (debug !== undefined) out.bytes(debug);
}

export function writeRstStream(out: ByteWriter, streamId: number, code: number): void {
  writeFrameHeader(out, 4, frameType.rstStream, 0, streamId);
  out.u32(code);
}

/** Appends WINDOW_UPDATE; stream 0 means the connection's window (RFC 9113 §6.9). */
export function writeWindowUpdate(out: ByteWriter, streamId: number, increment: number): void {
  writeFrameHeader(out, 4, frameType.windowUpdate, 0, streamId);
  out.u32(increment);
}

/** Appends one DATA frame without padding; the caller respects the peer's maximum frame size. Text goes out as UTF-8. */
export function writeData(
  out: ByteWriter,
  streamId: number,
  body: string | Uint8Array,
  flags: number,
  bodyBytes: number = Buffer.byteLength(body),
): void {
  writeFrameHeader(out, bodyBytes, frameType.data, flags, streamId);
  if (typeof body !== "string") out.bytes(body);
  else if (bodyBytes === body.length) out.latin1(body);
  else out.utf8(body);
}

/**
 * Appends an encoded header block as HEADERS and, beyond `maxFrameSize` bytes, CONTINUATION. END_HEADERS is added
 * to `flags` where it belongs (RFC 9113 §6.2, §6.10).
 */
export function writeHeaderBlock(
  out: ByteWriter,
  streamId: number,
  block: Uint8Array,
  flags: number,
  maxFrameSize: number,
): void {
  let type: number = frameType.headers;
  let frameFlags = flags & ~flag.endHeaders;
  let position = 0;
  do {
    const end = Math.min(position + maxFrameSize, block.length);
    if (end === block.length) frameFlags |= flag.endHeaders;
    writeFrameHeader(out, end - position, type, frameFlags, streamId);
    out.bytes(block.subarray(position, end));
    type = frameType.continuation;
    frameFlags = 0;
    position = end;
  } while (position < block.length);
}

/**
 * Encodes `fields` straight into `out` as HEADERS, and CONTINUATION where the block needs it. The same bytes as
 * `encode` followed by `writeHeaderBlock`, without a buffer between.
 */
export function writeHeaders(
  out: ByteWriter,
  encoder: HpackEncoder,
  streamId: number,
  fields: readonly string[],
  flags: number,
  maxFrameSize: number,
): void {
  const at = out.length;
  writeFrameHeader(out, 0, frameType.headers, flags | flag.endHeaders, streamId);
  encoder.encode(out, fields);
  const blockBytes = out.length - at - frameHeaderBytes;
  if (blockBytes <= maxFrameSize) {
    out.patchU24(at, blockBytes);
    return;
  }
  const block = out.cut(at + frameHeaderBytes);
  out.cut(at);
  writeHeaderBlock(out, streamId, block, flags, maxFrameSize);
}
