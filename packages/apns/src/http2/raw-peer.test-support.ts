import { ByteWriter } from "./byte-writer.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ClientConnectionListener } from "./client-events.ts";
import type { ClientConnectionOptions } from "./client-options.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { connectionPreface, flag, frameType } from "./frame-types.ts";
import { writeFrameHeader, writeHeaders, writeSettings } from "./frame-writer.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";

/** One frame that the client wrote. */
export interface WrittenFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A client connection under test, what its listener heard, and the bytes of a server played by hand. */
export class RawPeer {
  readonly client: ClientConnection<string>;
  /** What the listener heard, in order, in short words. */
  readonly heard: string[] = [];
  /** Called at every event; a test may call the client back from it. */
  onEvent: (event: string) => void = () => {};
  private readonly encoder = new HpackEncoder();
  private readonly decoder = new HpackDecoder();
  private readonly frames = new FrameDecoder(0xff_ffff);
  private prefaceBytes = connectionPreface.length;

  constructor(options: ClientConnectionOptions = {}) {
    const hear = (event: string) => {
      this.heard.push(event);
      this.onEvent(event);
    };
    const listener: ClientConnectionListener<string> = {
      capacityChanged: () => hear("capacity"),
      response: (tag, { status, body, isComplete }) =>
        hear(`${tag} ${status}${body.length > 0 ? ` "${body}"` : ""}${isComplete ? "" : " incomplete"}`),
      failed: (tag, { kind, cause, ...more }) =>
        hear([tag, kind, cause, ...("code" in more ? [more.code] : [])].join(" ")),
      goaway: ({ code, lastStreamId, debug }) => hear(`goaway ${code} ${lastStreamId} "${debug}"`),
      pong: (opaque) => hear(`pong ${opaque}`),
      broken: ({ code }) => hear(`broken ${code}`),
    };
    this.client = new ClientConnection(listener, options);
  }

  /** A connection whose SETTINGS were exchanged, with nothing heard and nothing to read. */
  static opened(
    settings: readonly (readonly [number, number])[] = [],
    options: ClientConnectionOptions = {},
  ): RawPeer {
    const peer = new RawPeer(options);
    peer.write((out) => {
      writeSettings(out, settings);
      writeFrameHeader(out, 0, frameType.settings, flag.ack, 0);
    });
    peer.read();
    peer.hear();
    return peer;
  }

  /** Opens a request with a body of 10 bytes and lets the peer have it. */
  request(tag: string, body = "0123456789"): number {
    const id = this.client.open([":method", "POST", ":path", "/3/device/aa"], Buffer.from(body), tag);
    this.read();
    return id;
  }

  /** Sends what `write` appends. */
  write(write: (out: ByteWriter) => void): void {
    const out = new ByteWriter();
    write(out);
    this.client.receive(out.take());
  }

  /** Sends one frame with this payload, in hex or bytes. */
  frame(type: number, flags: number, streamId: number, payload: string | Uint8Array = ""): void {
    const bytes = typeof payload === "string" ? Buffer.from(payload.replaceAll(" ", ""), "hex") : payload;
    this.write((out) => {
      writeFrameHeader(out, bytes.length, type, flags, streamId);
      out.bytes(bytes);
    });
  }

  /** Sends a header block, by default a whole answer. */
  respond(
    streamId: number,
    fields: readonly string[] = [":status", "200"],
    flags: number = flag.endStream,
  ): void {
    this.write((out) => writeHeaders(out, this.encoder, streamId, fields, flags, 16_384));
  }

  /** A header block for frames put together by hand. */
  block(fields: readonly string[]): Buffer {
    const out = new ByteWriter();
    this.encoder.encode(out, fields);
    return out.take();
  }

  /** What the listener heard since the last call. */
  hear(): string[] {
    return this.heard.splice(0);
  }

  /** The frames that the client wrote since the last call; the preface is checked and skipped. */
  read(): WrittenFrame[] {
    const written: WrittenFrame[] = [];
    let bytes = this.client.takeOutput() ?? Buffer.alloc(0);
    if (this.prefaceBytes > 0 && bytes.length > 0) {
      if (!bytes.toString("latin1").startsWith(connectionPreface)) throw new Error("no preface");
      bytes = bytes.subarray(this.prefaceBytes);
      this.prefaceBytes = 0;
    }
    this.frames.receive(bytes, (type, flags, streamId, buffer, start, end) => {
      written.push({ type, flags, streamId, payload: Buffer.from(buffer.subarray(start, end)) });
      return undefined;
    });
    return written;
  }

  /** The fields of a HEADERS frame that the client wrote; to be called for every one, in order. */
  fieldsOf(frame: WrittenFrame): string[] {
    const block = this.decoder.decode(frame.payload, 0, frame.payload.length);
    if (block.kind !== "decoded") throw new Error(`header block is ${block.kind}`);
    return block.fields;
  }
}

const names = Object.fromEntries(Object.entries(frameType).map(([name, type]) => [type, name]));

/** A frame in short words: its type's name, stream, flags and payload. */
export function inWords({ type, flags, streamId, payload }: WrittenFrame): string {
  const words = [names[type], streamId];
  if (flags !== 0) words.push(`flags ${flags}`);
  if (payload.length > 0) words.push(payload.toString("hex"));
  return words.join(" ");
}
