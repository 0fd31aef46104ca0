import {
  applySetting,
  ByteWriter,
  type ConnectionError,
  checkFrame,
  checkSetting,
  decodePriority,
  decodeSettings,
  decodeWindowIncrement,
  errorCode,
  FrameDecoder,
  type FrameListener,
  flag,
  frameType,
  initialSettings,
  max31Bit,
  type Settings,
  settingId,
  writeGoaway,
  writePing,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "@carillon/apns/http2";
import { AnswerWriter, type OddAnswer } from "./answer-writer.ts";
import { FloodGuard } from "./flood-guard.ts";
import { type FramesSeen, FrameTally } from "./frame-tally.ts";
import { Preface } from "./preface.ts";
import { RequestReader, type RequestSink } from "./request-reader.ts";
import type { ServerStream } from "./server-stream.ts";
import { ServerStreams } from "./server-streams.ts";
import { StreamLimit } from "./stream-limit.ts";

/** One request: whole, or with a body cut to `mostBodyBytes` where it was longer. */
export interface ServerRequest {
  readonly streamId: number;
  /** [name, value, ...], well-formed; one byte a character. */
  readonly fields: readonly string[];
  /** It may be a part of what was read from the socket at once: to be copied if it is to be kept. */
  readonly body: Buffer;
  /** Bytes of the body that came; more than `body.length` where it was cut. */
  readonly bodyBytes: number;
}

export interface ServerConnectionListener {
  /** To be answered by `answer`, now or later. */
  request(request: ServerRequest): void;
  /** The peer broke the protocol: GOAWAY is in the output; flush it and end the socket. */
  broken(error: ConnectionError): void;
}

export interface ServerConnectionOptions {
  /** SETTINGS_MAX_CONCURRENT_STREAMS at the start, 0 to 2^31 - 1. */
  readonly streamLimit: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE in bytes. @default 65 535, as Apple's */
  readonly streamWindowBytes?: number;
  /** What the peer may have under way to us in DATA, 65 535 to 2^31 - 1 bytes. @default 65 535 */
  readonly connectionWindowBytes?: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE in bytes. @default 8000, as Apple's */
  readonly maxHeaderListBytes?: number;
}

/** "awaiting-preface": the client's preface and SETTINGS have not come. "draining": we sent GOAWAY. "closed": nothing more will happen. */
export type ServerPhase = "awaiting-preface" | "awaiting-settings" | "open" | "draining" | "closed";

/** What a server owes its peer and may be told not to give. */
export type WithheldFrame =
  | "settings"
  | "settings-acknowledgement"
  | "ping-acknowledgement"
  | "window-update";

/** Entries of one SETTINGS frame at most; the protocol knows six (CVE-2020-11080). */
const mostSettingsEntries = 64;

/** Frames kept of each kind that is withheld. */
const mostWithheldFrames = 1000;

/** What Netty, and so Apple's front end, answers to a header list over the limit. */
const headersTooLargeFields = [":status", "431"] as const;

/**
 * The server's half of one HTTP/2 connection (RFC 9113), strict: bytes in, bytes and events out; no socket, no timer, no
 * clock. The driver hands every chunk to `receive`, writes what `takeOutput` gives, and stops reading while the socket
 * asks it to wait. After `broken` it flushes and ends the socket.
 */
export class ServerConnection {
  private readonly listener: ServerConnectionListener;
  private readonly out = new ByteWriter();
  private readonly guard = new FloodGuard();
  private readonly streams = new ServerStreams();
  private readonly writer = new AnswerWriter(this.out);
  private readonly decoder = new FrameDecoder(initialSettings.maxFrameSize);
  private readonly preface = new Preface();
  private readonly tally = new FrameTally();
  private readonly reader: RequestReader;
  private readonly streamWindowBytes: number;
  /** What of the client's beginning was read. Independent of `life`: a GOAWAY may be sent before the preface came. */
  private beginning: "awaiting-preface" | "awaiting-settings" | "over" = "awaiting-preface";
  private life: "open" | "draining" | "closed" = "open";
  private peer: Settings = initialSettings;
  private readonly limit: StreamLimit;
  /** What is withheld, and the frames that were not written therefore. */
  private readonly withheld = new Map<WithheldFrame, Buffer[]>();
  /** Streams whose answer stands in output that was not taken: for the peer they are open. */
  private untakenAnswers = 0;
  private lastStreamId = max31Bit;

  /** SETTINGS are in the output at once. */
  constructor(listener: ServerConnectionListener, options: ServerConnectionOptions) {
    this.listener = listener;
    this.limit = new StreamLimit(options.streamLimit);
    this.streamWindowBytes = options.streamWindowBytes ?? initialSettings.initialWindowSize;
    const connectionWindowBytes = options.connectionWindowBytes ?? initialSettings.initialWindowSize;
    const maxHeaderListBytes = options.maxHeaderListBytes ?? 8000;
    const limits = { connectionWindowBytes, maxHeaderListBytes };
    this.reader = new RequestReader(this.makeSink(), this.streams, this.out, this.guard, limits);
    writeSettings(this.out, [
      [settingId.headerTableSize, initialSettings.headerTableSize],
      [settingId.maxConcurrentStreams, options.streamLimit],
      [settingId.initialWindowSize, this.streamWindowBytes],
      [settingId.maxFrameSize, initialSettings.maxFrameSize],
      [settingId.maxHeaderListSize, maxHeaderListBytes],
    ]);
    const added = connectionWindowBytes - initialSettings.initialWindowSize;
    if (added > 0) writeWindowUpdate(this.out, 0, added);
  }

  get phase(): ServerPhase {
    if (this.life !== "open" || this.beginning === "over") return this.life;
    return this.beginning;
  }

  /** Streams that have no whole answer yet. */
  get openStreams(): number {
    return this.streams.count;
  }

  /** What the peer sent so far. */
  get seen(): FramesSeen {
    return this.tally.seen;
  }

  /** SETTINGS_MAX_CONCURRENT_STREAMS as announced last. */
  get streamLimit(): number {
    return this.limit.announced;
  }

  /** Takes bytes from the socket. Never throws; what they mean goes to the listener. */
  receive(chunk: Buffer): void {
    let bytes = chunk;
    if (this.life === "closed") return;
    if (this.beginning === "awaiting-preface") {
      const result = this.preface.receive(chunk);
      if (result.kind === "need-more") return;
      if (result.kind === "malformed") {
        this.break({ code: errorCode.protocolError, detail: result.detail });
        return;
      }
      this.beginning = "awaiting-settings";
      bytes = chunk.subarray(result.bytesRead);
    }
    const error = this.decoder.receive(bytes, this.onFrame);
    if (error !== undefined) this.break(error);
  }

  /**
   * Answers a request: [name, value, ...] with `:status` first. Without a body the answer ends on HEADERS. Without effect
   * when the stream has ended meanwhile.
   */
  answer(streamId: number, fields: readonly string[], body?: Uint8Array): void {
    const stream = this.streams.find(streamId);
    if (stream === undefined || this.life === "closed") return;
    this.guard.answered();
    this.writeAnswer(stream, fields, body);
  }

  /** Resets a stream. Without effect when it is not open. */
  reset(streamId: number, code: number): void {
    if (this.streams.find(streamId) === undefined || this.life === "closed") return;
    this.writeReset(streamId, code);
  }

  /** Announces a new SETTINGS_MAX_CONCURRENT_STREAMS. A lower one holds from its acknowledgement on, for new streams. */
  setStreamLimit(streamLimit: number): void {
    if (this.life === "closed") return;
    this.limit.write(streamLimit);
    writeSettings(this.out, [[settingId.maxConcurrentStreams, streamLimit]]);
  }

  /** Sends GOAWAY. Streams above `lastStreamId` (by default the highest so far) are not acted on, open ones among them. */
  goaway(
    debug?: Uint8Array,
    lastStreamId: number = this.streams.highestId,
    code: number = errorCode.noError,
  ): void {
    if (this.life === "closed") return;
    this.life = "draining";
    this.lastStreamId = Math.min(this.lastStreamId, lastStreamId);
    for (const stream of this.streams.all()) {
      if (stream.id <= this.lastStreamId) continue;
      this.writer.drop(stream);
      this.streams.drop(stream.id, "us");
    }
    writeGoaway(this.out, this.lastStreamId, code, debug);
  }

  /** Whether the stream is open, so that it can be answered or reset. */
  isOpen(streamId: number): boolean {
    return this.streams.find(streamId) !== undefined && this.life !== "closed";
  }

  /** For faults: writes any bytes between the frames, whatever they break. */
  writeRaw(bytes: Uint8Array): void {
    if (this.life !== "closed") this.out.bytes(bytes);
  }

  /** For faults: announces settings that the server then does not keep to. */
  writeSettings(entries: readonly (readonly [id: number, value: number])[]): void {
    if (this.life === "closed") return;
    this.limit.write(entries.findLast(([id]) => id === settingId.maxConcurrentStreams)?.[1]);
    writeSettings(this.out, entries);
  }

  /** For faults: from now on these are not written; SETTINGS that wait in the output are taken back. */
  withhold(what: readonly WithheldFrame[]): void {
    for (const each of what) if (!this.withheld.has(each)) this.withheld.set(each, []);
    if (what.includes("settings") && this.beginning === "awaiting-preface") {
      this.withheld.get("settings")?.push(this.out.cut(0));
    }
  }

  /** For faults: what was withheld of these is written now, the first 1,000 frames of each, and nothing more is withheld. */
  release(what: readonly WithheldFrame[]): void {
    if (this.life === "closed") return;
    for (const each of what) {
      for (const frame of this.withheld.get(each) ?? []) this.out.bytes(frame);
      this.withheld.delete(each);
    }
  }

  /** For faults: an answer whose frames are not in their usual form. */
  answerOddly(streamId: number, answer: OddAnswer): void {
    const stream = this.streams.find(streamId);
    if (stream === undefined || this.life === "closed") return;
    this.guard.answered();
    this.writer.writeOddly(stream, answer);
    this.finish(stream);
  }

  /** The socket is gone: nothing is answered any more. */
  socketClosed(): void {
    this.life = "closed";
    this.out.cut(0);
  }

  /** What must be written to the socket now, or undefined. The buffer is never written to again. */
  takeOutput(): Buffer | undefined {
    if (this.life !== "closed" && !this.withheld.has("window-update")) this.reader.writeCredit();
    if (this.out.length === 0) return undefined;
    this.guard.repliesTaken();
    this.untakenAnswers = 0;
    this.limit.leave();
    return this.out.take();
  }

  private readonly onFrame: FrameListener = (type, flags, streamId, bytes, start, end) => {
    const error =
      checkFrame(type, flags, streamId, bytes, start, end) ?? this.checkOrder(type, flags, streamId);
    if (error !== undefined) return error;
    this.tally.count(type, flags);
    switch (type) {
      case frameType.data:
        return this.reader.data(flags, streamId, bytes, start, end);
      case frameType.headers:
        return this.reader.headers(flags, streamId, bytes, start, end);
      case frameType.continuation:
        return this.reader.continuation(flags, streamId, bytes, start, end);
      case frameType.rstStream:
        return this.onRstStream(streamId);
      case frameType.settings:
        if ((flags & flag.ack) === 0) return this.onSettings(decodeSettings(bytes, start, end));
        return this.limit.acknowledge() ? undefined : this.guard.countIdle();
      case frameType.ping:
        return this.onPing(flags, bytes.subarray(start, end));
      case frameType.windowUpdate:
        return this.onWindowUpdate(streamId, decodeWindowIncrement(bytes, start));
      case frameType.pushPromise:
        return { code: errorCode.protocolError, detail: "PUSH_PROMISE from a client" };
      case frameType.priority:
        return this.onPriority(streamId, bytes, start, end);
      case frameType.goaway:
        // It asks nothing of a server.
        this.tally.addGoaway(bytes, start, end);
        return this.guard.countIdle();
      default:
        return this.guard.countIdle();
    }
  };

  /** The client's first frame is SETTINGS (RFC 9113 §3.4), and nothing comes between the parts of a header block (§6.10). */
  private checkOrder(type: number, flags: number, streamId: number): ConnectionError | undefined {
    const continued = this.reader.continuedStreamId;
    if (continued !== undefined && (type !== frameType.continuation || streamId !== continued)) {
      return { code: errorCode.protocolError, detail: `frame of type ${type} inside a header block` };
    }
    if (this.beginning === "over") return undefined;
    this.beginning = "over";
    if (type === frameType.settings && (flags & flag.ack) === 0) return undefined;
    return { code: errorCode.protocolError, detail: `first frame is of type ${type}, not SETTINGS` };
  }

  private onSettings(
    entries: readonly (readonly [id: number, value: number])[],
  ): ConnectionError | undefined {
    if (entries.length > mostSettingsEntries) {
      return { code: errorCode.enhanceYourCalm, detail: `SETTINGS of ${entries.length} entries` };
    }
    for (const [id, value] of entries) {
      const error = checkSetting(id, value);
      if (error !== undefined) return error;
      this.tally.addSetting(id, value);
      this.peer = applySetting(this.peer, id, value);
      // One entry at a time: a table made smaller and larger again in one frame must be announced as both.
      if (!this.writer.adopt(this.peer, this.streams.all())) {
        return {
          code: errorCode.flowControlError,
          detail: "SETTINGS_INITIAL_WINDOW_SIZE overflows a stream's window",
        };
      }
    }
    this.writeUnlessWithheld("settings-acknowledgement", (out) => writeSettingsAck(out));
    this.finishWaiting();
    return this.guard.countReply() ?? this.guard.countIdle();
  }

  private onPing(flags: number, opaque: Buffer): ConnectionError | undefined {
    if ((flags & flag.ack) !== 0) return this.guard.countIdle();
    this.writeUnlessWithheld("ping-acknowledgement", (out) => writePing(out, opaque, flag.ack));
    return this.guard.countReply();
  }

  private onRstStream(streamId: number): ConnectionError | undefined {
    if (this.isIdle(streamId)) return this.onIdleStream("RST_STREAM", streamId);
    const stream = this.streams.find(streamId);
    if (stream !== undefined) this.writer.drop(stream);
    this.streams.drop(streamId, "peer-reset");
    return this.guard.countReset();
  }

  private onWindowUpdate(streamId: number, increment: number): ConnectionError | undefined {
    if (streamId === 0) {
      if (increment === 0) return { code: errorCode.protocolError, detail: "WINDOW_UPDATE of 0" };
      if (!this.writer.enlargeConnectionWindow(increment)) {
        return {
          code: errorCode.flowControlError,
          detail: "WINDOW_UPDATE overflows the connection's window",
        };
      }
      this.finishWaiting();
      return this.guard.countIdle();
    }
    if (this.isIdle(streamId)) return this.onIdleStream("WINDOW_UPDATE", streamId);
    const stream = this.streams.find(streamId);
    if (stream === undefined) return this.guard.countIdle();
    if (increment === 0) return this.abort(streamId, errorCode.protocolError);
    if (!this.writer.enlargeStreamWindow(stream, increment)) {
      return this.abort(streamId, errorCode.flowControlError);
    }
    this.finishWaiting();
    return this.guard.countIdle();
  }

  /** Priorities are not used (RFC 9113 §5.3.2); their length and a dependency on itself (RFC 7540 §5.3.1) are checked. */
  private onPriority(
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ConnectionError | undefined {
    const priority = decodePriority(bytes, start, end);
    if (priority !== undefined && priority.dependsOn !== streamId) return this.guard.countIdle();
    const code = priority === undefined ? errorCode.frameSizeError : errorCode.protocolError;
    // A stream that is not open cannot be reset; the fault then is the connection's.
    if (this.streams.find(streamId) === undefined)
      return { code, detail: `PRIORITY of stream ${streamId} is wrong` };
    return this.abort(streamId, code);
  }

  private makeSink(): RequestSink {
    const connection = this;
    return {
      get hasRoom() {
        return connection.streams.count + connection.untakenAnswers < connection.limit.inForce;
      },
      get lastStreamId() {
        return connection.lastStreamId;
      },
      receiveWindow: connection.streamWindowBytes,
      get sendWindow() {
        return connection.writer.initialStreamWindow;
      },
      complete: (stream) =>
        connection.listener.request({
          streamId: stream.id,
          fields: stream.fields,
          body: stream.body,
          bodyBytes: stream.contentBytes,
        }),
      headersTooLarge: (stream) => {
        connection.writeAnswer(stream, headersTooLargeFields, undefined);
        // It cost the peer less than us, as a reset does.
        return connection.guard.countReset();
      },
      reset: (streamId, code) => connection.abort(streamId, code),
      refuse: (streamId) => {
        connection.writeReset(streamId, errorCode.refusedStream);
        return connection.guard.countIdle();
      },
    };
  }

  private writeUnlessWithheld(what: WithheldFrame, write: (out: ByteWriter) => void): void {
    const kept = this.withheld.get(what);
    const from = this.out.length;
    write(this.out);
    if (kept === undefined) return;
    const frame = this.out.cut(from);
    if (kept.length < mostWithheldFrames) kept.push(frame);
  }

  private writeAnswer(stream: ServerStream, fields: readonly string[], body: Uint8Array | undefined): void {
    if (this.writer.write(stream, fields, body)) this.finish(stream);
  }

  /** Resets a stream through the peer's fault. */
  private abort(streamId: number, code: number): ConnectionError | undefined {
    this.writeReset(streamId, code);
    return this.guard.countReset();
  }

  private writeReset(streamId: number, code: number): void {
    const stream = this.streams.find(streamId);
    if (stream !== undefined) this.writer.drop(stream);
    this.streams.drop(streamId, "us");
    writeRstStream(this.out, streamId, code);
  }

  /** The answer is written whole. Where the request is not, the rest is declined without an error (RFC 9113 §8.1). */
  private finish(stream: ServerStream): void {
    this.untakenAnswers += 1;
    if (stream.phase === "received") this.streams.finish(stream.id);
    else this.writeReset(stream.id, errorCode.noError);
  }

  private finishWaiting(): void {
    for (const stream of this.writer.writeWaiting()) this.finish(stream);
  }

  private isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId > this.streams.highestId;
  }

  /** A frame for a stream that was never opened. After our GOAWAY the peer may have opened streams that we did not look at. */
  private onIdleStream(name: string, streamId: number): ConnectionError | undefined {
    if (streamId > this.lastStreamId) return this.guard.countIdle();
    return { code: errorCode.protocolError, detail: `${name} on idle stream ${streamId}` };
  }

  /** A connection error (RFC 9113 §5.4.1). What was answered before goes out before the GOAWAY. */
  private break(error: ConnectionError): void {
    if (this.life === "closed") return;
    this.life = "closed";
    writeGoaway(
      this.out,
      Math.min(this.streams.highestId, this.lastStreamId),
      error.code,
      Buffer.from(error.detail),
    );
    this.listener.broken(error);
  }
}
