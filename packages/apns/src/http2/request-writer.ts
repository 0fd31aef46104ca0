import type { ByteWriter } from "./byte-writer.ts";
import type { ClientStream } from "./client-stream.ts";
import { flag, max31Bit } from "./frame-types.ts";
import { writeData, writeHeaders } from "./frame-writer.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { RequestForm } from "./request-form.ts";
import { initialSettings, type Settings } from "./settings.ts";

/**
 * Writes requests as the peer's flow control allows (RFC 9113 §5.2): HEADERS at once, DATA within the connection's
 * and the stream's window, the rest as the stream's window grows. The connection's window is set aside for a whole
 * body when it is opened, so only the stream's own window can hold it up.
 */
export class RequestWriter {
  private readonly out: ByteWriter;
  private readonly encoder = new HpackEncoder();
  private connectionWindow = initialSettings.initialWindowSize;
  /** Bytes of bodies that were opened and not written yet. */
  private reserved = 0;
  private initialWindow = initialSettings.initialWindowSize;
  private maxFrameSize = initialSettings.maxFrameSize;

  constructor(out: ByteWriter) {
    this.out = out;
  }

  /** Bytes of request body that may be opened now. */
  get sendWindow(): number {
    return this.connectionWindow - this.reserved;
  }

  /** The window that a stream opened now begins with. */
  get initialStreamWindow(): number {
    return this.initialWindow;
  }

  /** Writes a new stream's request, as much of it as fits. The caller has compared the body with `sendWindow`. */
  write(
    stream: ClientStream<unknown>,
    fields: readonly string[],
    body: string | Uint8Array,
    bodyBytes: number,
  ): void {
    const flags = bodyBytes === 0 ? flag.endStream : 0;
    writeHeaders(this.out, this.encoder, stream.id, fields, flags, this.maxFrameSize);
    this.writeBody(stream, body, bodyBytes);
  }

  /** The same for a request that is filled into a form. */
  writeForm(
    stream: ClientStream<unknown>,
    form: RequestForm,
    pathEnd: string,
    id: string,
    body: string | Uint8Array,
    bodyBytes: number,
  ): void {
    const flags = bodyBytes === 0 ? flag.endStream : 0;
    form.write(this.out, this.encoder, stream.id, pathEnd, id, flags, this.maxFrameSize);
    this.writeBody(stream, body, bodyBytes);
  }

  private writeBody(stream: ClientStream<unknown>, body: string | Uint8Array, bodyBytes: number): void {
    if (bodyBytes === 0) return;
    if (bodyBytes <= stream.sendWindow && bodyBytes <= this.maxFrameSize) {
      writeData(this.out, stream.id, body, flag.endStream, bodyBytes);
      stream.sendWindow -= bodyBytes;
      this.connectionWindow -= bodyBytes;
      return;
    }
    stream.unsentBody = typeof body === "string" ? Buffer.from(body) : body;
    this.reserved += bodyBytes;
    this.writeUnsent(stream);
  }

  /** Forgets what of the body was not written; the stream is over. */
  drop(stream: ClientStream<unknown>): void {
    if (stream.unsentBody === undefined) return;
    this.reserved -= stream.unsentBody.length;
    stream.unsentBody = undefined;
  }

  /** WINDOW_UPDATE for the connection; false where the window exceeds 2^31 - 1 (RFC 9113 §6.9.1). */
  enlargeConnectionWindow(increment: number): boolean {
    this.connectionWindow += increment;
    return this.connectionWindow <= max31Bit;
  }

  /** WINDOW_UPDATE for a stream; false where the window exceeds 2^31 - 1. */
  enlargeStreamWindow(stream: ClientStream<unknown>, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > max31Bit) return false;
    this.writeUnsent(stream);
    return true;
  }

  /**
   * One SETTINGS_HEADER_TABLE_SIZE; of several in a row the smallest counts too, so none may be left out (RFC 7541
   * §4.2).
   */
  setHeaderTableSize(bytes: number): void {
    this.encoder.setMaxTableSize(bytes);
  }

  /**
   * Takes up the peer's frame size and initial window. A change of the initial window moves every open stream's
   * window, possibly below 0 (RFC 9113 §6.9.2); false where one then exceeds 2^31 - 1.
   */
  adopt(settings: Settings, streams: Iterable<ClientStream<unknown>>): boolean {
    this.maxFrameSize = settings.maxFrameSize;
    const delta = settings.initialWindowSize - this.initialWindow;
    this.initialWindow = settings.initialWindowSize;
    if (delta === 0) return true;
    for (const stream of streams) {
      if (!this.enlargeStreamWindow(stream, delta)) return false;
    }
    return true;
  }

  /** Writes DATA while the stream's window has room. */
  private writeUnsent(stream: ClientStream<unknown>): void {
    let rest = stream.unsentBody;
    while (rest !== undefined && stream.sendWindow > 0) {
      const bytes = Math.min(rest.length, stream.sendWindow, this.maxFrameSize);
      const isLast = bytes === rest.length;
      writeData(this.out, stream.id, rest.subarray(0, bytes), isLast ? flag.endStream : 0, bytes);
      stream.sendWindow -= bytes;
      this.connectionWindow -= bytes;
      this.reserved -= bytes;
      rest = isLast ? undefined : rest.subarray(bytes);
      stream.unsentBody = rest;
    }
  }
}
