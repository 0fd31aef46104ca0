import { frameType, max31Bit } from "@carillon/apns/http2";
import type { FaultyProtocol, ProtocolAction, RequestAtHand } from "./connection-faults.ts";
import type { ServerConnection } from "./http2/index.ts";
import { StreamIds } from "./stream-ids.ts";

/** What a scenario can do to a connection of HTTP/2 beside what it can do to any. */
export class Http2Faults implements FaultyProtocol<RequestAtHand> {
  readonly name = "http/2";
  private readonly connection: ServerConnection;
  private readonly streamIds = new StreamIds();

  constructor(connection: ServerConnection) {
    this.connection = connection;
  }

  /** A request came on this stream. */
  requested(streamId: number): void {
    this.streamIds.add(streamId);
  }

  perform(
    action: ProtocolAction,
    request: RequestAtHand | undefined,
    later: (ms: number, act: () => void) => void,
  ): void {
    const { connection } = this;
    switch (action.kind) {
      case "reset":
        this.reset(action, request);
        break;
      case "goaway": {
        const last = this.lastStreamId(action.last, request);
        for (let i = 0; i < action.times; i++)
          connection.goaway(Buffer.from(action.debug), last, action.code);
        break;
      }
      case "settings":
        connection.writeSettings(action.entries);
        break;
      case "window":
        connection.writeRaw(
          frame(
            frameType.windowUpdate,
            action.stream === "this" ? (request?.stream ?? 0) : 0,
            action.increment,
          ),
        );
        break;
      case "ping":
        for (let i = 0; i < action.count; i++) connection.writeRaw(frame(frameType.ping, 0, 0, 0));
        break;
      case "bytes":
        connection.writeRaw(action.bytes);
        break;
      case "withhold":
        connection.withhold(action.what);
        if (action.forMs !== undefined) later(action.forMs, () => connection.release(action.what));
        break;
      case "errorResponse":
        // The retired protocol's.
        break;
    }
  }

  private reset(
    action: Extract<ProtocolAction, { kind: "reset" }>,
    request: RequestAtHand | undefined,
  ): void {
    if (request === undefined) return;
    if (action.request === "processed") request.processOnly();
    this.connection.reset(request.stream, action.code);
    for (let i = 1; i < action.times; i++) {
      this.connection.writeRaw(frame(frameType.rstStream, request.stream, action.code));
    }
  }

  private lastStreamId(last: number | "this" | "all", request: RequestAtHand | undefined): number {
    if (last === "all") return max31Bit;
    if (last === "this") return request?.stream ?? this.streamIds.newest;
    return last === 0 ? 0 : (this.streamIds.at(last) ?? max31Bit);
  }
}

/** A frame without flags whose payload is these 32-bit numbers. */
function frame(type: number, streamId: number, ...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(9 + numbers.length * 4);
  bytes.writeUInt32BE(numbers.length * 4 * 256 + type, 0);
  bytes.writeUInt32BE(streamId, 5);
  for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, 9 + at * 4);
  return bytes;
}
