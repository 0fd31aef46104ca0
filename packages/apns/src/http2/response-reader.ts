import type { ByteWriter } from "./byte-writer.ts";
import type { ClientLimits } from "./client-options.ts";
import type { ClientStream } from "./client-stream.ts";
import type { FloodGuard } from "./flood-guard.ts";
import { contentEnd, contentStart } from "./frame-rules.ts";
import { type ConnectionError, errorCode, flag, frameType, settingId } from "./frame-types.ts";
import { writeRstStream, writeWindowUpdate } from "./frame-writer.ts";
import { HeaderAssembler } from "./header-assembler.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import type { OpenStreams } from "./open-streams.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { areTrailersValid, readContentLength, readStatus } from "./response-fields.ts";
import { UsualAnswer } from "./usual-answer.ts";

/** DATA payload of one response at most, where no larger body is wanted. */
const usualResponseBytes = 32_768;
/**
 * Our stream windows stand this far above what a response may have: more than a frame, so no stream is ever owed credit. The usual
 * sum is the protocol's own window of 65 535 bytes, which needs no setting.
 */
const windowMarginBytes = 32_767;

/** SETTINGS for streams that carry a body of that size. */
export function streamWindow(mostBodyBytes: number): readonly (readonly [id: number, value: number])[] {
  if (mostBodyBytes <= usualResponseBytes) return [];
  return [[settingId.initialWindowSize, mostBodyBytes + windowMarginBytes]];
}

const mostInterimResponses = 16;

/**
 * Reads what the peer sends on streams: HEADERS, CONTINUATION, DATA, RST_STREAM and PRIORITY (RFC 9113 §8.1).
 * Blocks of streams that are closed are decoded all the same, and their DATA is credited, because both belong to
 * the connection.
 */
export class ResponseReader<Tag> {
  private readonly streams: OpenStreams<Tag>;
  private readonly out: ByteWriter;
  private readonly guard: FloodGuard;
  private readonly decoder: HpackDecoder;
  private readonly usual: UsualAnswer;
  private readonly assembler = new HeaderAssembler();
  private readonly window: ReceiveWindow;
  private readonly mostResponseBytes: number;

  constructor(streams: OpenStreams<Tag>, out: ByteWriter, guard: FloodGuard, limits: ClientLimits) {
    this.mostResponseBytes = Math.max(usualResponseBytes, limits.mostBodyBytes);
    this.streams = streams;
    this.out = out;
    this.guard = guard;
    this.window = new ReceiveWindow(limits.receiveWindowBytes);
    this.decoder = new HpackDecoder({ maxHeaderListBytes: limits.maxHeaderListBytes });
    this.usual = new UsualAnswer(this.decoder);
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

  /**
   * The short way of a usual answer: HEADERS with END_STREAM and END_HEADERS on an open stream. False where the frame is none, or
   * may be none: nothing was done then.
   */
  usualAnswer(streamId: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.assembler.streamId !== undefined) return false;
    const stream = this.streams.find(streamId);
    if (stream === undefined || !this.usual.is(bytes, start, end)) return false;
    if (!this.streams.accept(stream)) return false;
    this.guard.answered();
    return true;
  }

  headers(
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    const error = this.streams.checkNotIdle("HEADERS", streamId);
    if (error !== undefined) return error;
    const from = contentStart(frameType.headers, flags, start);
    const to = contentEnd(flags, bytes, start, end);
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
    if (stream === undefined)
      return this.streams.checkNotIdle("DATA", streamId) ?? this.late("DATA", streamId);
    if (stream.status === undefined) {
      this.streams.abort(stream, errorCode.protocolError);
      return undefined;
    }
    stream.dataBytes += end - start;
    stream.addContent(
      bytes,
      contentStart(frameType.data, flags, start),
      contentEnd(flags, bytes, start, end),
    );
    if ((flags & flag.endStream) !== 0) this.end(stream);
    else if (stream.dataBytes > this.mostResponseBytes) this.streams.cutShort(stream);
    else if (end === start) return this.guard.countIdle();
    return undefined;
  }

  rstStream(streamId: number, code: number): ConnectionError | undefined {
    const stream = this.streams.find(streamId);
    if (stream === undefined) {
      return this.streams.checkNotIdle("RST_STREAM", streamId) ?? this.guard.countIdle();
    }
    this.streams.resetByPeer(stream, code);
    return undefined;
  }

  /**
   * PRIORITY: not used (RFC 9113 §5.3.2). Only a wrong length is held against its stream (§6.3), or the connection
   * where it is idle.
   */
  priority(streamId: number, length: number): ConnectionError | undefined {
    if (length === 5) return this.guard.countIdle();
    const stream = this.streams.find(streamId);
    if (stream !== undefined) {
      this.streams.abort(stream, errorCode.frameSizeError);
      return undefined;
    }
    const isIdle = this.streams.checkNotIdle("PRIORITY", streamId) !== undefined;
    if (isIdle) return { code: errorCode.frameSizeError, detail: `PRIORITY of ${length} bytes` };
    return this.guard.countIdle();
  }

  /** One whole header block. */
  private block(
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    const { state } = this.decoder;
    const block = this.decoder.decode(bytes, start, end);
    if (block.kind === "malformed") return { code: errorCode.compressionError, detail: block.detail };
    const stream = this.streams.find(streamId);
    if (stream === undefined) return this.late("HEADERS", streamId);
    if (block.kind === "too-large") {
      this.streams.abort(stream, errorCode.protocolError);
      return undefined;
    }
    this.usual.learn(bytes, start, end, block.fields, state);
    const isLast = (flags & flag.endStream) !== 0;
    if (stream.status !== undefined) {
      if (isLast && areTrailersValid(block.fields)) this.end(stream);
      else this.streams.abort(stream, errorCode.protocolError);
      return undefined;
    }
    return this.response(stream, block.fields, isLast);
  }

  /** The fields of a response: the final one, or one of those before it (1xx). */
  private response(
    stream: ClientStream<Tag>,
    fields: readonly string[],
    isLast: boolean,
  ): ConnectionError | undefined {
    const status = readStatus(fields);
    const contentLength = readContentLength(fields);
    if (status === undefined || contentLength === "malformed") {
      this.streams.abort(stream, errorCode.protocolError);
      return undefined;
    }
    if (status < 200) {
      stream.interimResponses += 1;
      if (isLast || stream.interimResponses > mostInterimResponses) {
        this.streams.abort(stream, errorCode.protocolError);
      }
      return this.guard.countIdle();
    }
    stream.status = status;
    stream.fields = fields;
    stream.contentLength = contentLength;
    if (isLast) this.end(stream);
    return undefined;
  }

  /** END_STREAM came. */
  private end(stream: ClientStream<Tag>): void {
    this.guard.answered();
    if (stream.isContentLengthRight) this.streams.answer(stream);
    else this.streams.abort(stream, errorCode.protocolError);
  }

  /** A frame for a stream that is not open any more (RFC 9113 §5.1, "closed"). */
  private late(name: string, streamId: number): ConnectionError | undefined {
    switch (this.streams.closedBy(streamId)) {
      case "end-stream":
        return { code: errorCode.streamClosed, detail: `${name} on stream ${streamId} after END_STREAM` };
      case "peer-reset":
        writeRstStream(this.out, streamId, errorCode.streamClosed);
        return this.guard.countReply();
      case "us":
      case "forgotten":
        return this.guard.countIdle();
    }
  }
}
