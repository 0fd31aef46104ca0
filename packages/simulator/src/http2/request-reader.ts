import {
  type ByteWriter,
  type ConnectionError,
  contentEnd,
  contentStart,
  decodePriority,
  errorCode,
  flag,
  frameType,
  HeaderAssembler,
  HpackDecoder,
  ReceiveWindow,
  writeWindowUpdate,
} from "@carillon/apns/http2";
import type { FloodGuard } from "./flood-guard.ts";
import { checkRequestFields, checkTrailerFields } from "./request-fields.ts";
import { mostBodyBytes, ServerStream } from "./server-stream.ts";
import type { ServerStreams } from "./server-streams.ts";

/** What the reader tells the connection; the connection alone ends streams. */
export interface RequestSink {
  /** Whether one more stream may be open now. */
  readonly hasRoom: boolean;
  /** Streams above it are not looked at any more, because our GOAWAY said so. */
  readonly lastStreamId: number;
  /** What the peer may send on a new stream, and what we may. */
  readonly receiveWindow: number;
  readonly sendWindow: number;
  /** The request is whole, or its body exceeds what is read: then the stream's phase is "cut". */
  complete(stream: ServerStream): void;
  /** The header list is longer than announced; its fields are lost. */
  headersTooLarge(stream: ServerStream): ConnectionError | undefined;
  /** A stream error (RFC 9113 §5.4.2). */
  reset(streamId: number, code: number): ConnectionError | undefined;
  /** One stream more than allowed. */
  refuse(streamId: number): ConnectionError | undefined;
}

/**
 * Reads requests: HEADERS, CONTINUATION and DATA of a server connection (RFC 9113 §8.1). Blocks of streams that are not
 * taken are decoded all the same, and their DATA is credited, because both belong to the connection.
 */
export class RequestReader {
  private readonly sink: RequestSink;
  private readonly streams: ServerStreams;
  private readonly out: ByteWriter;
  private readonly guard: FloodGuard;
  private readonly decoder: HpackDecoder;
  private readonly assembler = new HeaderAssembler();
  private readonly window: ReceiveWindow;
  /** The fields of the request that was taken last: most of the next one's are the same. */
  private passedFields: readonly string[] = [];
  /** The HEADERS frame at hand made its stream depend on itself (RFC 7540 §5.3.1). */
  private dependsOnItself = false;

  constructor(
    sink: RequestSink,
    streams: ServerStreams,
    out: ByteWriter,
    guard: FloodGuard,
    limits: { readonly connectionWindowBytes: number; readonly maxHeaderListBytes: number },
  ) {
    this.sink = sink;
    this.streams = streams;
    this.out = out;
    this.guard = guard;
    this.window = new ReceiveWindow(limits.connectionWindowBytes);
    this.decoder = new HpackDecoder({ maxHeaderListBytes: limits.maxHeaderListBytes });
  }

  /** The stream whose header block is not whole yet: only its CONTINUATION may come (RFC 9113 §6.2). */
  get continuedStreamId(): number | undefined {
    return this.assembler.streamId;
  }

  /** The peer acknowledged our SETTINGS_HEADER_TABLE_SIZE. */
  setHeaderTableSize(bytes: number): void {
    this.decoder.setMaxTableSize(bytes);
  }

  /** Gives the connection's window back to the peer; to be called when output is taken. */
  writeCredit(): void {
    const credit = this.window.takeCredit();
    if (credit > 0) writeWindowUpdate(this.out, 0, credit);
  }

  headers(
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    if (streamId % 2 === 0) return breach(`HEADERS on stream ${streamId}, which is not a client's`);
    const from = contentStart(frameType.headers, flags, start);
    const to = contentEnd(flags, bytes, start, end);
    this.dependsOnItself =
      (flags & flag.priority) !== 0 && decodePriority(bytes, from - 5, from)?.dependsOn === streamId;
    if ((flags & flag.endHeaders) !== 0) return this.block(flags, streamId, bytes, from, to);
    this.assembler.begin(streamId, flags, bytes, from, to);
    return undefined;
  }

  continuation(
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    const error = this.assembler.append(streamId, bytes, start, end);
    if (error !== undefined || (flags & flag.endHeaders) === 0) return error;
    const block = this.assembler.finish();
    return this.block(this.assembler.flags, streamId, block, 0, block.length);
  }

  data(
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    if (!this.window.receive(end - start)) {
      return { code: errorCode.flowControlError, detail: "DATA beyond the connection's window" };
    }
    const stream = this.streams.find(streamId);
    if (stream === undefined) return this.late("DATA", streamId);
    if (stream.phase === "received") return this.sink.reset(streamId, errorCode.streamClosed);
    stream.receiveWindow -= end - start;
    if (stream.receiveWindow < 0) return this.sink.reset(streamId, errorCode.flowControlError);
    stream.addContent(
      bytes,
      contentStart(frameType.data, flags, start),
      contentEnd(flags, bytes, start, end),
      (flags & flag.endStream) !== 0 ? "last" : "more",
    );
    if ((flags & flag.endStream) !== 0) return this.end(stream);
    if (stream.phase === "receiving" && stream.contentBytes > mostBodyBytes) {
      stream.phase = "cut";
      this.sink.complete(stream);
      return undefined;
    }
    this.creditStream(stream, end - start);
    return contentLengthOf(flags, bytes, start, end) === 0 ? this.guard.countIdle() : undefined;
  }

  /** One whole header block. */
  private block(
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    const block = this.decoder.decode(bytes, start, end);
    if (block.kind === "malformed") return { code: errorCode.compressionError, detail: block.detail };
    const fields = block.kind === "decoded" ? block.fields : undefined;
    if (streamId > this.streams.highestId) return this.open(flags, streamId, fields);
    const stream = this.streams.find(streamId);
    if (stream === undefined) return this.late("HEADERS", streamId);
    if (stream.phase === "received") return this.sink.reset(streamId, errorCode.streamClosed);
    const isLast = (flags & flag.endStream) !== 0;
    if (!isLast || fields === undefined || checkTrailerFields(fields).kind === "malformed") {
      return this.sink.reset(streamId, errorCode.protocolError);
    }
    return this.end(stream);
  }

  /** The header list of a new stream; undefined where it was too large. */
  private open(
    flags: number,
    streamId: number,
    fields: readonly string[] | undefined,
  ): ConnectionError | undefined {
    if (streamId > this.sink.lastStreamId) return this.guard.countIdle();
    this.streams.pass(streamId);
    if (!this.sink.hasRoom) {
      return fields === undefined
        ? this.sink.reset(streamId, errorCode.refusedStream)
        : this.sink.refuse(streamId);
    }
    if (this.dependsOnItself) return this.sink.reset(streamId, errorCode.protocolError);
    const check = fields === undefined ? undefined : checkRequestFields(fields, this.passedFields);
    if (check?.kind === "malformed") return this.sink.reset(streamId, errorCode.protocolError);
    if (fields !== undefined) this.passedFields = fields;
    const { receiveWindow, sendWindow } = this.sink;
    const stream = new ServerStream(streamId, fields ?? [], check?.contentLength, receiveWindow, sendWindow);
    this.streams.add(stream);
    const isLast = (flags & flag.endStream) !== 0;
    if (fields !== undefined) return isLast ? this.end(stream) : undefined;
    stream.phase = isLast ? "received" : "cut";
    return this.sink.headersTooLarge(stream);
  }

  /** END_STREAM came. */
  private end(stream: ServerStream): ConnectionError | undefined {
    const wasHandedOn = stream.phase === "cut";
    stream.phase = "received";
    if (wasHandedOn) return undefined;
    if (!stream.isContentLengthRight) return this.sink.reset(stream.id, errorCode.protocolError);
    this.sink.complete(stream);
    return undefined;
  }

  /** Gives a stream's window back in steps of half a window. With Apple's window a payload never needs it. */
  private creditStream(stream: ServerStream, bytes: number): void {
    stream.owedBytes += bytes;
    if (stream.owedBytes === 0 || stream.owedBytes * 2 < this.sink.receiveWindow) return;
    writeWindowUpdate(this.out, stream.id, stream.owedBytes);
    stream.receiveWindow += stream.owedBytes;
    stream.owedBytes = 0;
  }

  /** A frame for a stream that is not open: idle, or ended in one of several ways (RFC 9113 §5.1). */
  private late(name: string, streamId: number): ConnectionError | undefined {
    if (streamId > this.streams.highestId || streamId % 2 === 0) {
      return streamId > this.sink.lastStreamId
        ? this.guard.countIdle()
        : breach(`${name} on idle stream ${streamId}`);
    }
    switch (this.streams.closedBy(streamId)) {
      case "answer":
        return { code: errorCode.streamClosed, detail: `${name} on stream ${streamId} after END_STREAM` };
      case "peer-reset":
        return this.sink.reset(streamId, errorCode.streamClosed);
      case "skipped":
        return breach(`${name} on stream ${streamId}, below one that was opened before`);
      case "us":
      case "forgotten":
        return this.guard.countIdle();
    }
  }
}

function contentLengthOf(flags: number, bytes: Buffer, start: number, end: number): number {
  return contentEnd(flags, bytes, start, end) - contentStart(frameType.data, flags, start);
}

function breach(detail: string): ConnectionError {
  return { code: errorCode.protocolError, detail };
}
