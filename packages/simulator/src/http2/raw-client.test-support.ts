import {
  ByteWriter,
  connectionPreface,
  FrameDecoder,
  flag,
  frameType,
  HpackDecoder,
  HpackEncoder,
  writeFrameHeader,
  writeHeaders,
  writeSettings,
} from "@carillon/apns/http2";
import { ServerConnection, type ServerConnectionOptions, type ServerRequest } from "./server-connection.ts";

/** One frame that the server wrote. */
export interface WrittenFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The fields of an ordinary push. */
export const pushFields = [
  ...[":method", "POST", ":scheme", "https", ":authority", "localhost"],
  ...[":path", "/3/device/aaaaaaaa", "apns-topic", "com.example.demo"],
] as const;

/** A server connection under test, the requests it heard, and the bytes of a client played by hand. */
export class RawClient {
  readonly server: ServerConnection;
  readonly requests: ServerRequest[] = [];
  /** The error that broke the connection. */
  broken: { readonly code: number; readonly detail: string } | undefined;
  /** Called at every request; by default nothing is answered. */
  onRequest: (request: ServerRequest) => void = () => {};
  private readonly encoder = new HpackEncoder();
  private readonly decoder = new HpackDecoder();
  private readonly frames = new FrameDecoder(0xff_ffff);

  constructor(options: Partial<ServerConnectionOptions> = {}) {
    this.server = new ServerConnection(
      {
        request: (request) => {
          this.requests.push(request);
          this.onRequest(request);
        },
        broken: (error) => {
          this.broken = error;
        },
      },
      { streamLimit: 100, ...options },
    );
  }

  /** A connection whose preface and SETTINGS were exchanged, with nothing to read. */
  static opened(
    settings: readonly (readonly [number, number])[] = [],
    options: Partial<ServerConnectionOptions> = {},
  ): RawClient {
    const client = new RawClient(options);
    client.bytes(connectionPreface);
    client.write((out) => writeSettings(out, settings));
    client.read();
    client.frame(frameType.settings, flag.ack, 0);
    return client;
  }

  /** Sends bytes as they are, text as latin1. */
  bytes(bytes: string | Buffer): void {
    this.server.receive(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Sends what `write` appends. */
  write(write: (out: ByteWriter) => void): void {
    const out = new ByteWriter();
    write(out);
    this.server.receive(out.take());
  }

  /** Sends one frame with this payload, in hex or bytes. */
  frame(type: number, flags: number, streamId: number, payload: string | Uint8Array = ""): void {
    const bytes = typeof payload === "string" ? Buffer.from(payload.replaceAll(" ", ""), "hex") : payload;
    this.write((out) => {
      writeFrameHeader(out, bytes.length, type, flags, streamId);
      out.bytes(bytes);
    });
  }

  /** Opens a stream with these fields; by default the request is whole. */
  headers(streamId: number, fields: readonly string[] = pushFields, flags: number = flag.endStream): void {
    this.write((out) => writeHeaders(out, this.encoder, streamId, fields, flags, 16_384));
  }

  /** A request with a body in one DATA frame. */
  request(streamId: number, body = "{}", fields: readonly string[] = pushFields): void {
    this.headers(streamId, fields, 0);
    this.frame(frameType.data, flag.endStream, streamId, Buffer.from(body));
  }

  /** A header block for frames put together by hand. */
  block(fields: readonly string[] = pushFields): Buffer {
    const out = new ByteWriter();
    this.encoder.encode(out, fields);
    return out.take();
  }

  /** The frames that the server wrote since the last call. */
  read(): WrittenFrame[] {
    const written: WrittenFrame[] = [];
    this.frames.receive(
      this.server.takeOutput() ?? Buffer.alloc(0),
      (type, flags, streamId, buffer, start, end) => {
        written.push({ type, flags, streamId, payload: Buffer.from(buffer.subarray(start, end)) });
        return undefined;
      },
    );
    return written;
  }

  /** The same in short words, one frame each. */
  readWords(): string[] {
    return this.read().map(inWords);
  }

  /** The fields of a HEADERS frame that the server wrote; to be called for every one, in order. */
  fieldsOf(frame: WrittenFrame): string[] {
    const block = this.decoder.decode(frame.payload, 0, frame.payload.length);
    if (block.kind !== "decoded") throw new Error(`header block is ${block.kind}`);
    return block.fields;
  }
}

const names = Object.fromEntries(Object.entries(frameType).map(([name, type]) => [type, name]));

/** A frame in short words: its type's name, stream, flags and payload; of GOAWAY the code, because its text is for people. */
export function inWords({ type, flags, streamId, payload }: WrittenFrame): string {
  if (type === frameType.goaway) return `goaway ${payload.readUInt32BE(4)} after ${payload.readUInt32BE(0)}`;
  const words = [names[type], streamId];
  if (flags !== 0) words.push(`flags ${flags}`);
  if (payload.length > 0) words.push(payload.toString("hex"));
  return words.join(" ");
}
