import {
  type ByteWriter,
  flag,
  HpackEncoder,
  initialSettings,
  max31Bit,
  type Settings,
  writeData,
  writeHeaders,
} from "@carillon/apns/http2";
import type { ServerStream } from "./server-stream.ts";

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
