import {
  ByteWriter,
  flag,
  frameType,
  HpackEncoder,
  initialSettings,
  max31Bit,
  type Settings,
  writeData,
  writeFrameHeader,
  writeHeaders,
} from "@carillon/apns/http2";
import type { ServerStream } from "./server-stream.ts";

/** An answer in a form that is allowed and unusual. Windows are not looked at: the caller keeps it small. */
export interface OddAnswer {
  /** [name, value, ...], `:status` first. */
  readonly fields: readonly string[];
  readonly body: Uint8Array;
  /** An interim answer that goes before it. */
  readonly interim: readonly string[] | undefined;
  /** Fields behind the body. */
  readonly trailers: readonly string[] | undefined;
  /** Bytes of padding in each frame, 0 to 255. */
  readonly padding: number;
  /** Bytes of each part of the header block. */
  readonly pieceBytes: number;
}

/** Writes answers within the peer's windows (RFC 9113 §5.2, §6.9). A body waits in its stream while there is no room. */
export class AnswerWriter {
  private readonly out: ByteWriter;
  /** Ids never recur, so only their names enter the table, as in Apple's advice for requests. */
  private readonly encoder = new HpackEncoder({
    indexing: (name) => (name.endsWith("-id") ? "name-only" : "incremental"),
  });
  private peer: Settings = initialSettings;
  private connectionWindow = initialSettings.initialWindowSize;
  /** Streams whose body waits, in the order in which they were answered. */
  private readonly waiting = new Set<ServerStream>();

  constructor(out: ByteWriter) {
    this.out = out;
  }

  get initialStreamWindow(): number {
    return this.peer.initialWindowSize;
  }

  /** Writes the answer, or what fits of it. Whether it is written whole. */
  write(stream: ServerStream, fields: readonly string[], body: Uint8Array | undefined): boolean {
    const isBodyless = body === undefined || body.length === 0;
    const flags = isBodyless ? flag.endStream : 0;
    writeHeaders(this.out, this.encoder, stream.id, fields, flags, this.peer.maxFrameSize);
    if (isBodyless) return true;
    stream.unsentBody = body;
    if (this.writeBody(stream)) return true;
    this.waiting.add(stream);
    return false;
  }

  /** Writes an answer in an unusual form, whole. */
  writeOddly(stream: ServerStream, answer: OddAnswer): void {
    const { fields, body, interim, trailers } = answer;
    const hasBody = body.length > 0;
    if (interim !== undefined) this.writeBlock(stream, interim, 0, answer);
    this.writeBlock(stream, fields, hasBody || trailers !== undefined ? 0 : flag.endStream, answer);
    if (hasBody) this.writePadded(stream, body, trailers === undefined ? flag.endStream : 0, answer.padding);
    if (trailers !== undefined) this.writeBlock(stream, trailers, flag.endStream, answer);
  }

  /** The peer enlarged the connection's window; false where that overflows it. */
  enlargeConnectionWindow(increment: number): boolean {
    this.connectionWindow += increment;
    return this.connectionWindow <= max31Bit;
  }

  /** The peer enlarged a stream's window; false where that overflows it. */
  enlargeStreamWindow(stream: ServerStream, increment: number): boolean {
    stream.sendWindow += increment;
    return stream.sendWindow <= max31Bit;
  }

  /** Takes up the peer's settings; false where its initial window overflows the window of an open stream (RFC 9113 §6.9.2). */
  adopt(settings: Settings, open: Iterable<ServerStream>): boolean {
    if (settings.headerTableSize !== this.peer.headerTableSize) {
      this.encoder.setMaxTableSize(settings.headerTableSize);
    }
    const change = settings.initialWindowSize - this.peer.initialWindowSize;
    this.peer = settings;
    if (change === 0) return true;
    let fits = true;
    for (const stream of open) {
      stream.sendWindow += change;
      if (stream.sendWindow > max31Bit) fits = false;
    }
    return fits;
  }

  /** Writes what waits and fits now, and gives the streams whose answer is whole. */
  writeWaiting(): readonly ServerStream[] {
    if (this.waiting.size === 0) return [];
    const whole: ServerStream[] = [];
    for (const stream of this.waiting) if (this.writeBody(stream)) whole.push(stream);
    for (const stream of whole) this.waiting.delete(stream);
    return whole;
  }

  /** The stream is gone: nothing more is written for it. */
  drop(stream: ServerStream): void {
    this.waiting.delete(stream);
  }

  /** HEADERS, padded, and CONTINUATION for what is beyond its first piece. */
  private writeBlock(
    { id }: ServerStream,
    fields: readonly string[],
    flags: number,
    { padding, pieceBytes }: OddAnswer,
  ): void {
    const block = new ByteWriter();
    this.encoder.encode(block, fields);
    const bytes = block.take();
    const first = bytes.subarray(0, pieceBytes);
    const isWhole = first.length === bytes.length;
    const headerFlags = flags | (isWhole ? flag.endHeaders : 0) | (padding > 0 ? flag.padded : 0);
    this.writeFrame(frameType.headers, headerFlags, id, first, padding);
    for (let at = pieceBytes; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const isLast = at + pieceBytes >= bytes.length;
      this.writeFrame(frameType.continuation, isLast ? flag.endHeaders : 0, id, piece, 0);
    }
  }

  private writePadded(stream: ServerStream, body: Uint8Array, flags: number, padding: number): void {
    const partBytes = initialSettings.maxFrameSize - padding - 1;
    for (let at = 0; at < body.length; at += partBytes) {
      const isLast = at + partBytes >= body.length;
      const partFlags = (isLast ? flags : 0) | (padding > 0 ? flag.padded : 0);
      this.writeFrame(frameType.data, partFlags, stream.id, body.subarray(at, at + partBytes), padding);
    }
  }

  private writeFrame(type: number, flags: number, id: number, content: Uint8Array, padding: number): void {
    const isPadded = (flags & flag.padded) !== 0;
    writeFrameHeader(this.out, content.length + (isPadded ? padding + 1 : 0), type, flags, id);
    if (isPadded) this.out.u8(padding);
    this.out.bytes(content);
    if (isPadded) this.out.bytes(new Uint8Array(padding));
  }

  /** Writes as much of the body as both windows allow. Whether all of it is written. */
  private writeBody(stream: ServerStream): boolean {
    let body = stream.unsentBody;
    while (body !== undefined) {
      const room = Math.min(this.connectionWindow, stream.sendWindow, this.peer.maxFrameSize);
      if (room <= 0) return false;
      const part = body.length <= room ? body : body.subarray(0, room);
      const isLast = part.length === body.length;
      writeData(this.out, stream.id, part, isLast ? flag.endStream : 0);
      this.connectionWindow -= part.length;
      stream.sendWindow -= part.length;
      body = isLast ? undefined : body.subarray(part.length);
      stream.unsentBody = body;
    }
    return true;
  }
}
