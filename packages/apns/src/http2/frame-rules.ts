import { type ConnectionError, errorCode, flag, frameType } from "./frame-types.ts";

/** Names for error texts, by frame type. */
const frameNames: readonly string[] = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
];

/** Bytes of the fields before a HEADERS frame's fragment that the PRIORITY flag announces (RFC 9113 §6.2). */
const priorityBytes = 5;

/**
 * Checks what a frame tells without any state: whether it may stand on this stream, its length, its padding (RFC
 * 9113 §6). Every fault found here ends the connection. Frames of unknown type pass; a PRIORITY of the wrong length
 * passes too, because that is only a stream error (§6.3), and so is a WINDOW_UPDATE of 0 on a stream (§6.9).
 */
export function checkFrame(
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): ConnectionError | undefined {
  const length = end - start;
  switch (type) {
    case frameType.data:
    case frameType.headers:
      if (streamId === 0) return wrongStream(type, streamId);
      return checkPadding(type, flags, bytes, start, end);
    case frameType.priority:
    case frameType.continuation:
      return streamId === 0 ? wrongStream(type, streamId) : undefined;
    case frameType.rstStream:
      if (streamId === 0) return wrongStream(type, streamId);
      return length === 4 ? undefined : wrongLength(type, length);
    case frameType.settings:
      if (streamId !== 0) return wrongStream(type, streamId);
      if ((flags & flag.ack) !== 0) return length === 0 ? undefined : wrongLength(type, length);
      return length % 6 === 0 ? undefined : wrongLength(type, length);
    case frameType.pushPromise:
      if (streamId === 0) return wrongStream(type, streamId);
      if (length < 4) return wrongLength(type, length);
      return checkPadding(type, flags, bytes, start, end);
    case frameType.ping:
      if (streamId !== 0) return wrongStream(type, streamId);
      return length === 8 ? undefined : wrongLength(type, length);
    case frameType.goaway:
      if (streamId !== 0) return wrongStream(type, streamId);
      return length >= 8 ? undefined : wrongLength(type, length);
    case frameType.windowUpdate:
      return length === 4 ? undefined : wrongLength(type, length);
    default:
      return undefined;
  }
}

/**
 * Where the content of a DATA, HEADERS or PUSH_PROMISE frame begins: behind the padding length and HEADERS'
 * priority fields. `checkFrame` comes first.
 */
export function contentStart(type: number, flags: number, start: number): number {
  let at = start;
  if ((flags & flag.padded) !== 0) at += 1;
  if (type === frameType.headers && (flags & flag.priority) !== 0) at += priorityBytes;
  return at;
}

/**
 * Where the content of a DATA, HEADERS or PUSH_PROMISE frame ends: before the padding. `checkFrame` comes first.
 */
export function contentEnd(flags: number, bytes: Buffer, start: number, end: number): number {
  return (flags & flag.padded) === 0 ? end : end - bytes[start]!;
}

function checkPadding(
  type: number,
  flags: number,
  bytes: Buffer,
  start: number,
  end: number,
): ConnectionError | undefined {
  if ((flags & (flag.padded | flag.priority)) === 0) return undefined;
  const isPadded = (flags & flag.padded) !== 0;
  const least = (isPadded ? 1 : 0) + fixedBytes(type, flags);
  if (end - start < least) return wrongLength(type, end - start);
  if (!isPadded || least + bytes[start]! <= end - start) return undefined;
  return { code: errorCode.protocolError, detail: `${frameNames[type]} is all padding` };
}

/** Bytes of the fields that stand between the padding length and the content. */
function fixedBytes(type: number, flags: number): number {
  if (type === frameType.pushPromise) return 4;
  return type === frameType.headers && (flags & flag.priority) !== 0 ? priorityBytes : 0;
}

function wrongStream(type: number, streamId: number): ConnectionError {
  return { code: errorCode.protocolError, detail: `${frameNames[type]} on stream ${streamId}` };
}

function wrongLength(type: number, length: number): ConnectionError {
  return { code: errorCode.frameSizeError, detail: `${frameNames[type]} of ${length} bytes` };
}
