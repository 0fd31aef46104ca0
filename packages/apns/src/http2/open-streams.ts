import type { ByteWriter } from "./byte-writer.ts";
import type { ClientConnectionListener, RequestFailure } from "./client-events.ts";
import { ClientStream } from "./client-stream.ts";
import { type ClosedBy, ClosedStreams } from "./closed-streams.ts";
import { type ConnectionError, errorCode, max31Bit } from "./frame-types.ts";
import { writeRstStream } from "./frame-writer.ts";
import type { RequestWriter } from "./request-writer.ts";
import { StreamRing } from "./stream-ring.ts";

/**
 * The streams of one client connection and their ends. Every stream leaves by exactly one way: `answer`, `fail` and
 * `abort` tell the listener, `cancel` and `forget` do not.
 */
export class OpenStreams<Tag> {
  private readonly streams = new StreamRing<Tag>();
  private readonly closed = new ClosedStreams();
  private readonly listener: ClientConnectionListener<Tag>;
  private readonly out: ByteWriter;
  private readonly writer: RequestWriter;
  private forsaken = 0;
  private readonly mostBodyBytes: number;
  private hasFreed = false;
  private nextId: number;
  /** Streams from this one on stand in output that was not taken yet. */
  private firstUntakenId: number;

  constructor(
    listener: ClientConnectionListener<Tag>,
    out: ByteWriter,
    writer: RequestWriter,
    limits: { readonly firstStreamId: number; readonly mostBodyBytes: number },
  ) {
    this.listener = listener;
    this.out = out;
    this.writer = writer;
    this.mostBodyBytes = limits.mostBodyBytes;
    this.nextId = limits.firstStreamId;
    this.firstUntakenId = limits.firstStreamId;
  }

  get count(): number {
    return this.streams.size;
  }

  /** Streams whose end somebody waits for. */
  get awaited(): number {
    return this.streams.size - this.forsaken;
  }

  /** Whether ids are left (RFC 9113 §5.1.1). */
  get hasIds(): boolean {
    return this.nextId <= max31Bit;
  }

  add(tag: Tag): ClientStream<Tag> {
    const stream = new ClientStream(this.nextId, tag, this.writer.initialStreamWindow, this.mostBodyBytes);
    this.nextId += 2;
    this.streams.add(stream);
    return stream;
  }

  find(streamId: number): ClientStream<Tag> | undefined {
    return this.streams.get(streamId);
  }

  all(): Iterable<ClientStream<Tag>> {
    return this.streams.values();
  }

  /**
   * A frame other than PRIORITY on a stream that was never opened, not ours (even) or not yet, ends the connection
   * (RFC 9113 §5.1).
   */
  checkNotIdle(frameName: string, streamId: number): ConnectionError | undefined {
    if (streamId % 2 === 1 && streamId < this.nextId) return undefined;
    return { code: errorCode.protocolError, detail: `${frameName} on idle stream ${streamId}` };
  }

  /** How a stream that is neither idle nor open ended. */
  closedBy(streamId: number): ClosedBy {
    return this.closed.find(streamId);
  }

  /** Whether a stream has ended since the last call. */
  takeFreed(): boolean {
    const { hasFreed } = this;
    this.hasFreed = false;
    return hasFreed;
  }

  /** The output was taken: from now on the requests in it may have been acted on. */
  outputTaken(): void {
    this.firstUntakenId = this.nextId;
  }

  /** Ends a stream with its final response, complete: END_STREAM came. */
  answer(stream: ClientStream<Tag>): void {
    const { status = 0, fields, body } = stream;
    // An answer before the whole request was written makes the rest pointless (RFC 9113 §8.1).
    if (stream.unsentBody !== undefined) this.reset(stream, errorCode.cancel);
    this.remove(stream);
    if (!stream.isForsaken) this.listener.response(stream.tag, { status, fields, body, isComplete: true });
  }

  /** Ends a stream with the usual answer. False where it must be read as any other. */
  accept(stream: ClientStream<Tag>): boolean {
    const { listener } = this;
    if (listener.accepted === undefined || stream.status !== undefined || stream.unsentBody !== undefined)
      return false;
    this.remove(stream);
    if (!stream.isForsaken) listener.accepted(stream.tag);
    return true;
  }

  /** Ends a stream that will get nothing more. Where its status had come, that is the answer. */
  fail(stream: ClientStream<Tag>, failure: RequestFailure): void {
    this.remove(stream);
    if (stream.isForsaken) return;
    const { status, fields, body } = stream;
    if (status === undefined) this.listener.failed(stream.tag, failure);
    else this.listener.response(stream.tag, { status, fields, body, isComplete: false });
  }

  /** The peer sent RST_STREAM. */
  resetByPeer(stream: ClientStream<Tag>, code: number): void {
    this.closed.remember(stream.id, "peer-reset");
    if (code === errorCode.refusedStream) this.fail(stream, { kind: "unprocessed", cause: "refused-stream" });
    else this.fail(stream, { kind: "indeterminate", cause: "reset", code });
  }

  /** Ends a stream whose content exceeds what we read: the status is the answer. */
  cutShort(stream: ClientStream<Tag>): void {
    this.reset(stream, errorCode.cancel);
    this.fail(stream, { kind: "indeterminate", cause: "protocol", code: errorCode.cancel });
  }

  /**
   * Ends a stream whose frames are malformed (a stream error, RFC 9113 §5.4.2). What it said counts for nothing.
   */
  abort(stream: ClientStream<Tag>, code: number): void {
    this.reset(stream, code);
    this.remove(stream);
    if (!stream.isForsaken)
      this.listener.failed(stream.tag, { kind: "indeterminate", cause: "protocol", code });
  }

  /** Gives a stream up without a word to the listener. */
  cancel(stream: ClientStream<Tag>): void {
    this.reset(stream, errorCode.cancel);
    this.remove(stream);
  }

  /** The same on a connection that is over: nobody is told. */
  forget(stream: ClientStream<Tag>): void {
    this.remove(stream);
  }

  /** Leaves a stream open without anyone who waits for it. */
  forsake(stream: ClientStream<Tag>): void {
    if (stream.isForsaken) return;
    stream.isForsaken = true;
    this.forsaken += 1;
  }

  /** GOAWAY: streams above `lastStreamId` were not and will not be acted on (RFC 9113 §6.8). */
  failAbove(lastStreamId: number): void {
    for (const stream of [...this.streams.values()]) {
      if (stream.id <= lastStreamId || this.streams.get(stream.id) === undefined) continue;
      this.closed.remember(stream.id, "us");
      this.fail(stream, { kind: "unprocessed", cause: "goaway" });
    }
  }

  /** The connection is over. A request that was not handed out whole cannot have been acted on. */
  failAll(failure: RequestFailure): void {
    const untaken = this.firstUntakenId;
    for (const stream of [...this.streams.values()]) {
      const wasWritten = stream.id < untaken && stream.unsentBody === undefined;
      if (this.streams.get(stream.id) === undefined) continue;
      this.fail(stream, wasWritten ? failure : { kind: "unprocessed", cause: "not-written" });
    }
  }

  private reset(stream: ClientStream<Tag>, code: number): void {
    this.closed.remember(stream.id, "us");
    writeRstStream(this.out, stream.id, code);
  }

  private remove(stream: ClientStream<Tag>): void {
    if (stream.isForsaken) this.forsaken -= 1;
    this.streams.delete(stream.id);
    this.writer.drop(stream);
    this.hasFreed = true;
  }
}
