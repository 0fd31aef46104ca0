import { ByteWriter } from "./byte-writer.ts";
import type { ClientConnectionListener } from "./client-events.ts";
import { type ClientConnectionOptions, type ClientLimits, completeOptions } from "./client-options.ts";
import { FloodGuard } from "./flood-guard.ts";
import { FrameDecoder, type FrameListener } from "./frame-decoder.ts";
import { decodeErrorCode, decodeWindowIncrement } from "./frame-payloads.ts";
import { checkFrame } from "./frame-rules.ts";
import {
  type ConnectionError,
  connectionPreface,
  errorCode,
  flag,
  frameType,
  settingId,
} from "./frame-types.ts";
import {
  writeGoaway,
  writePing,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "./frame-writer.ts";
import { decodeGoaway, type Goaway, sumUpGoaways } from "./goaway.ts";
import { OpenStreams } from "./open-streams.ts";
import type { RequestForm } from "./request-form.ts";
import { RequestWriter } from "./request-writer.ts";
import { ResponseReader, streamWindow } from "./response-reader.ts";
import { adoptSettings, decodeSettings, initialSettings, type Settings } from "./settings.ts";

/**
 * "awaiting-settings": the peer's SETTINGS have not come. "open": requests may be opened. "draining": one side sent
 * GOAWAY or the stream ids ran out; what is open goes on. "closed": nothing more will happen.
 */
export type ConnectionPhase = "awaiting-settings" | "open" | "draining" | "closed";

/**
 * The client's half of one HTTP/2 connection (RFC 9113): bytes in, bytes and events out; no socket, no timer, no
 * clock.
 *
 * The driver hands every chunk to `receive` and writes what `takeOutput` gives, once per turn of its loop. While
 * the socket asks it to wait (`writableNeedDrain`) it should not take output: replies to a peer that does not read
 * then stay here, where their number is bounded. After `broken` it flushes and destroys; after "draining" with no
 * open stream it closes.
 */
export class ClientConnection<Tag> {
  private readonly listener: ClientConnectionListener<Tag>;
  private readonly limits: ClientLimits;
  private readonly out = new ByteWriter();
  private readonly guard = new FloodGuard();
  private readonly writer = new RequestWriter(this.out);
  private readonly decoder = new FrameDecoder(initialSettings.maxFrameSize);
  private readonly streams: OpenStreams<Tag>;
  private readonly reader: ResponseReader<Tag>;
  private currentPhase: ConnectionPhase = "awaiting-settings";
  private peer: Settings = initialSettings;
  private goawaySummary: Goaway | undefined;
  private isSettingsAcknowledged = false;
  private hasSentGoaway = false;
  private pingsUnderWay = 0;
  private hasCapacityChanged = false;
  private peerHasSpoken = false;

  /** The preface, SETTINGS and a larger connection window are in the output at once. */
  constructor(listener: ClientConnectionListener<Tag>, options: ClientConnectionOptions = {}) {
    this.listener = listener;
    this.limits = completeOptions(options);
    this.streams = new OpenStreams(listener, this.out, this.writer, this.limits);
    this.reader = new ResponseReader(this.streams, this.out, this.guard, this.limits);
    this.out.latin1(connectionPreface);
    writeSettings(this.out, [
      [settingId.headerTableSize, this.limits.headerTableBytes],
      [settingId.enablePush, 0],
      [settingId.maxHeaderListSize, this.limits.maxHeaderListBytes],
      ...streamWindow(this.limits.mostBodyBytes),
    ]);
    const added = this.limits.receiveWindowBytes - initialSettings.initialWindowSize;
    if (added > 0) writeWindowUpdate(this.out, 0, added);
  }

  get phase(): ConnectionPhase {
    return this.currentPhase;
  }

  get openStreams(): number {
    return this.streams.count;
  }

  /** The tags of open requests in the order in which they were opened. Requests may end while it is walked through. */
  *openRequests(): Iterable<Tag> {
    for (const stream of this.streams.all()) if (!stream.isForsaken) yield stream.tag;
  }

  /** Requests that are open and were not forsaken. */
  get awaitedRequests(): number {
    return this.streams.awaited;
  }

  /** Streams that may be open at once; 0 until the peer's SETTINGS came. It may fall below `openStreams`. */
  get streamLimit(): number {
    if (this.currentPhase === "awaiting-settings") return 0;
    return Math.min(this.peer.maxConcurrentStreams, this.limits.mostOpenStreams);
  }

  /** Bytes of request body that the connection's window has room for, less what open streams still have to send. */
  get sendWindow(): number {
    return this.writer.sendWindow;
  }

  /** What the peer announced. Its `maxHeaderListSize` is advice: a longer request may be refused by the peer. */
  get peerSettings(): Settings {
    return this.peer;
  }

  /** Whether the peer has acknowledged our SETTINGS; a driver may give up waiting (SETTINGS_TIMEOUT). */
  get settingsAcknowledged(): boolean {
    return this.isSettingsAcknowledged;
  }

  /**
   * All GOAWAY frames in one: the lowest last id, the last error code other than NO_ERROR, the first debug data.
   */
  get lastGoaway(): Goaway | undefined {
    return this.goawaySummary;
  }

  /** Takes bytes from the socket. Never throws; what they mean goes to the listener. */
  receive(chunk: Buffer): void {
    if (this.currentPhase === "closed") return;
    const isFirst = this.currentPhase === "awaiting-settings";
    const error = this.decoder.receive(chunk, this.onFrame);
    if (error !== undefined) this.break(isFirst ? explainHttp1(chunk, error) : error);
    const hasFreed = this.streams.takeFreed();
    if ((!hasFreed && !this.hasCapacityChanged) || this.phase === "closed") return;
    this.hasCapacityChanged = false;
    this.listener.capacityChanged();
  }

  /** Whether a request with a body of that many bytes may be opened now. */
  canOpen(bodyBytes: number): boolean {
    return (
      this.currentPhase === "open" &&
      this.streams.count < this.streamLimit &&
      bodyBytes <= this.writer.sendWindow
    );
  }

  /**
   * Opens a stream and writes its request: HEADERS and as much DATA as the stream's window allows; the rest follows
   * on WINDOW_UPDATE, so `body` must not change until the request has ended. Returns the stream id.
   *
   * @param fields [name, value, ...], pseudo-header fields first, names in lower case, one byte a character
   * @param body text is sent as UTF-8
   * @param bodyBytes its length in bytes, for a caller who knows it already
   * @throws Error where `canOpen(bodyBytes)` is false: the caller has not asked
   */
  open(
    fields: readonly string[],
    body: string | Uint8Array,
    tag: Tag,
    bodyBytes: number = Buffer.byteLength(body),
  ): number {
    if (!this.canOpen(bodyBytes)) throw new Error(`no request of ${bodyBytes} bytes may be opened now`);
    const stream = this.streams.add(tag);
    this.writer.write(stream, fields, body, bodyBytes);
    if (!this.streams.hasIds) this.currentPhase = "draining";
    return stream.id;
  }

  /** The same for a request that is like others: its fields are the form's, with these two values. */
  openForm(
    form: RequestForm,
    pathEnd: string,
    id: string,
    body: string | Uint8Array,
    tag: Tag,
    bodyBytes: number,
  ): number {
    if (!this.canOpen(bodyBytes)) throw new Error(`no request of ${bodyBytes} bytes may be opened now`);
    const stream = this.streams.add(tag);
    this.writer.writeForm(stream, form, pathEnd, id, body, bodyBytes);
    if (!this.streams.hasIds) this.currentPhase = "draining";
    return stream.id;
  }

  /**
   * RST_STREAM(CANCEL); nothing more is reported for the stream, and its slot is free. Without effect when it is
   * not open.
   */
  cancel(streamId: number): void {
    const stream = this.streams.find(streamId);
    if (stream === undefined) return;
    if (this.currentPhase === "closed") this.streams.forget(stream);
    else this.streams.cancel(stream);
  }

  /**
   * Reports nothing more for the stream and writes nothing: its slot is taken until the peer ends it. For a sender that
   * gives up more requests than a peer would see reset. Without effect when it is not open.
   */
  forsake(streamId: number): void {
    const stream = this.streams.find(streamId);
    if (stream !== undefined) this.streams.forsake(stream);
  }

  /** Sends PING with 8 bytes; they come back by `pong`. */
  ping(opaque: Buffer): void {
    if (this.currentPhase === "closed") return;
    this.pingsUnderWay += 1;
    writePing(this.out, opaque, 0);
  }

  /**
   * Ends gracefully: GOAWAY(NO_ERROR), no new streams; those open go on. The last stream id is 0: a server opens
   * none here.
   */
  goaway(): void {
    if (this.currentPhase === "closed" || this.hasSentGoaway) return;
    this.hasSentGoaway = true;
    this.currentPhase = "draining";
    writeGoaway(this.out, 0, errorCode.noError);
  }

  /** The socket is gone: every open request is failed, as unprocessed where it was not handed out whole. */
  socketClosed(): void {
    if (this.currentPhase === "closed") return;
    this.currentPhase = "closed";
    this.out.cut(0);
    this.streams.failAll({ kind: "indeterminate", cause: "socket-closed" });
  }

  /** What must be written to the socket now, or undefined. The buffer is never written to again. */
  takeOutput(): Buffer | undefined {
    if (this.currentPhase !== "closed") this.reader.writeCredit();
    if (this.out.length === 0) return undefined;
    this.guard.repliesTaken();
    this.streams.outputTaken();
    return this.out.take();
  }

  private readonly onFrame: FrameListener = (type, flags, streamId, bytes, start, end) => {
    // A listener may have ended the connection from within an earlier frame of this chunk.
    if (this.currentPhase === "closed") return undefined;
    if (type === frameType.headers && flags === wholeAnswer && this.peerHasSpoken)
      if (this.reader.usualAnswer(streamId, bytes, start, end)) return undefined;
    const error =
      checkFrame(type, flags, streamId, bytes, start, end) ?? this.checkOrder(type, flags, streamId);
    if (error !== undefined) return error;
    switch (type) {
      case frameType.data:
        return this.reader.data(flags, streamId, bytes, start, end);
      case frameType.headers:
        return this.reader.headers(flags, streamId, bytes, start, end);
      case frameType.continuation:
        return this.reader.continuation(flags, streamId, bytes, start, end);
      case frameType.rstStream:
        return this.reader.rstStream(streamId, decodeErrorCode(bytes, start));
      case frameType.settings:
        return (flags & flag.ack) === 0
          ? this.onSettings(decodeSettings(bytes, start, end))
          : this.onSettingsAck();
      case frameType.ping:
        return this.onPing(flags, bytes.subarray(start, end));
      case frameType.goaway:
        return this.onGoaway(decodeGoaway(bytes, start, end));
      case frameType.windowUpdate:
        return this.onWindowUpdate(streamId, decodeWindowIncrement(bytes, start));
      case frameType.pushPromise:
        return { code: errorCode.protocolError, detail: "PUSH_PROMISE though push is off" };
      case frameType.priority:
        return this.reader.priority(streamId, end - start);
      default:
        return this.guard.countIdle();
    }
  };

  /**
   * The peer's first frame is SETTINGS (RFC 9113 §3.4), and nothing comes between the parts of a header block
   * (§6.10).
   */
  private checkOrder(type: number, flags: number, streamId: number): ConnectionError | undefined {
    const continued = this.reader.continuedStreamId;
    if (continued !== undefined && (type !== frameType.continuation || streamId !== continued)) {
      return { code: errorCode.protocolError, detail: `frame of type ${type} inside a header block` };
    }
    if (this.peerHasSpoken) return undefined;
    this.peerHasSpoken = true;
    // A GOAWAY is let through: it ends the connection as well, and its debug data tells why.
    if (type === frameType.goaway || (type === frameType.settings && (flags & flag.ack) === 0))
      return undefined;
    return { code: errorCode.protocolError, detail: `first frame is of type ${type}, not SETTINGS` };
  }

  private onSettings(
    entries: readonly (readonly [id: number, value: number])[],
  ): ConnectionError | undefined {
    const peer = adoptSettings(this.peer, entries);
    if ("code" in peer) return peer;
    if (peer.enablePush === 1 && entries.some(([id]) => id === settingId.enablePush)) {
      return { code: errorCode.protocolError, detail: "SETTINGS_ENABLE_PUSH is 1 from a server" };
    }
    for (const [id, value] of entries) {
      if (id === settingId.headerTableSize) this.writer.setHeaderTableSize(value);
    }
    this.peer = peer;
    if (!this.writer.adopt(this.peer, this.streams.all())) {
      return {
        code: errorCode.flowControlError,
        detail: "SETTINGS_INITIAL_WINDOW_SIZE overflows a stream's window",
      };
    }
    writeSettingsAck(this.out);
    if (this.currentPhase === "awaiting-settings") this.currentPhase = "open";
    this.hasCapacityChanged = true;
    return this.guard.countReply();
  }

  private onSettingsAck(): ConnectionError | undefined {
    if (this.isSettingsAcknowledged) return this.guard.countIdle();
    this.isSettingsAcknowledged = true;
    this.reader.setHeaderTableSize(this.limits.headerTableBytes);
    return undefined;
  }

  private onPing(flags: number, opaque: Buffer): ConnectionError | undefined {
    if ((flags & flag.ack) === 0) {
      writePing(this.out, opaque, flag.ack);
      return this.guard.countReply();
    }
    if (this.pingsUnderWay === 0) return this.guard.countIdle();
    this.pingsUnderWay -= 1;
    this.listener.pong(Buffer.from(opaque));
    return undefined;
  }

  private onGoaway(goaway: Goaway): ConnectionError | undefined {
    this.goawaySummary = sumUpGoaways(this.goawaySummary, goaway);
    this.currentPhase = "draining";
    this.hasCapacityChanged = true;
    this.streams.failAbove(this.goawaySummary.lastStreamId);
    this.listener.goaway(goaway);
    return this.guard.countIdle();
  }

  private onWindowUpdate(streamId: number, increment: number): ConnectionError | undefined {
    if (streamId === 0) {
      if (increment === 0) return { code: errorCode.protocolError, detail: "WINDOW_UPDATE of 0" };
      this.hasCapacityChanged = true;
      if (this.writer.enlargeConnectionWindow(increment)) return undefined;
      return { code: errorCode.flowControlError, detail: "WINDOW_UPDATE overflows the connection's window" };
    }
    const stream = this.streams.find(streamId);
    if (stream === undefined)
      return this.streams.checkNotIdle("WINDOW_UPDATE", streamId) ?? this.guard.countIdle();
    if (increment === 0) this.streams.abort(stream, errorCode.protocolError);
    else if (!this.writer.enlargeStreamWindow(stream, increment)) {
      this.streams.abort(stream, errorCode.flowControlError);
    }
    return undefined;
  }

  /**
   * A connection error (RFC 9113 §5.4.1): nothing is sent any more but GOAWAY, so what was not taken was never
   * written.
   */
  private break(error: ConnectionError): void {
    if (this.currentPhase === "closed") return;
    this.currentPhase = "closed";
    this.out.cut(0);
    writeGoaway(this.out, 0, error.code, Buffer.from(error.detail));
    this.streams.failAll({ kind: "indeterminate", cause: "protocol", code: error.code });
    this.listener.broken(error);
  }
}

/** Flags of an answer without content, in one frame. */
const wholeAnswer = flag.endStream | flag.endHeaders;

/** A peer that speaks HTTP/1.x answers in text, which reads as a frame that is too large. */
function explainHttp1(chunk: Buffer, error: ConnectionError): ConnectionError {
  if (!chunk.toString("latin1", 0, 7).startsWith("HTTP/1.")) return error;
  return { code: error.code, detail: "the peer answered in HTTP/1.x" };
}
