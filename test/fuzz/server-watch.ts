import assert from "node:assert/strict";
import {
  type ConnectionError,
  connectionPreface,
  decodeGoaway,
  decodeSettings,
  decodeWindowIncrement,
  FrameDecoder,
  flag,
  frameType,
  HpackDecoder,
  settingId,
} from "@carillon/apns/http2";
import type { ServerRequest } from "../../packages/simulator/dist/http2/index.js";

const mostHeaderListBytes = 8000;
const mostBodyBytes = 8192;

/** What any client may hold a server to, whatever it sends itself. Each call throws where it is broken. */
export class ServerWatch {
  firstRequest: number | undefined;
  private readonly requested = new Set<number>();
  private error: ConnectionError | undefined;
  private readonly input = new FrameDecoder(16_384);
  private readonly output = new FrameDecoder(0xff_ffff);
  private readonly hpack = new HpackDecoder();
  /** Streams whose last frame the server wrote: its answer's, or a reset. */
  private readonly ended = new Set<number>();
  private lastStreamId = Number.POSITIVE_INFINITY;
  /** DATA that the client allowed on the connection, at most, less what came. */
  private room = 65_535;
  /** The largest frame that the client ever allowed. */
  private mostFrameBytes = 16_384;
  private sentBytes = 0;
  private writtenBytes = 0;
  private answerBytes = 0;

  constructor() {
    // Whatever table the client's SETTINGS allow.
    this.hpack.setMaxTableSize(0xffff_ffff);
  }

  get requests(): number {
    return this.requested.size;
  }

  request({ streamId, fields, body, bodyBytes }: ServerRequest): void {
    assert.equal(this.error, undefined, "a request after the connection broke");
    assert(streamId % 2 === 1 && !this.requested.has(streamId), `stream ${streamId} again`);
    assert(fields.length >= 4 && fields.length % 2 === 0);
    let listBytes = 0;
    for (const text of fields) listBytes += text.length + 16;
    assert(listBytes <= mostHeaderListBytes);
    assert(body.length === Math.min(bodyBytes, mostBodyBytes));
    this.firstRequest ??= streamId;
    this.requested.add(streamId);
  }

  broken(error: ConnectionError): void {
    assert.equal(this.error, undefined, "the connection broke twice");
    this.error = error;
  }

  answered(bodyBytes: number): void {
    // A window may let each byte of a body out in a frame of its own.
    this.answerBytes += 200 + bodyBytes * 10;
  }

  /** The client sends these bytes. */
  sent(bytes: Buffer): void {
    const prefaceBytes = Math.max(0, connectionPreface.length - this.sentBytes);
    this.sentBytes += bytes.length;
    this.input.receive(bytes.subarray(prefaceBytes), (type, _flags, streamId, buffer, start, end) => {
      if (type === frameType.settings && (end - start) % 6 === 0)
        for (const [id, value] of decodeSettings(buffer, start, end))
          if (id === settingId.maxFrameSize) this.mostFrameBytes = Math.max(this.mostFrameBytes, value);
      if (type === frameType.windowUpdate && streamId === 0 && end - start === 4)
        this.room += decodeWindowIncrement(buffer, start);
      return undefined;
    });
  }

  /** The server wrote these. */
  wrote(bytes: Buffer | undefined): void {
    if (bytes === undefined) return;
    this.writtenBytes += bytes.length;
    const most = 1500 + this.sentBytes * 3 + this.answerBytes;
    assert(this.writtenBytes <= most, `${this.writtenBytes} bytes for ${this.sentBytes}`);
    const error = this.output.receive(bytes, (type, flags, streamId, buffer, start, end) => {
      this.checkFrame(type, flags, streamId, buffer, start, end);
      return undefined;
    });
    assert.equal(error, undefined, "the server wrote a frame that is none");
  }

  private checkFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    assert(end - start <= this.mostFrameBytes, `a frame of ${end - start} bytes`);
    if (type === frameType.goaway) this.lastStreamId = decodeGoaway(bytes, start, end).lastStreamId;
    if (type === frameType.headers) {
      const block = this.hpack.decode(bytes, start, end);
      assert.equal(block.kind, "decoded", "a header block that no client can read");
    }
    if (type === frameType.data) {
      this.room -= end - start;
      assert(this.room >= 0, "DATA beyond the connection's window");
    }
    if (type === frameType.headers || type === frameType.data) {
      assert(!this.ended.has(streamId), `frame of type ${type} on stream ${streamId} after its end`);
      assert(streamId <= this.lastStreamId, `an answer on stream ${streamId} above GOAWAY's`);
      if ((flags & flag.endStream) !== 0) this.ended.add(streamId);
    }
    if (type === frameType.rstStream) this.ended.add(streamId);
  }
}
