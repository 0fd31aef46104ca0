import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
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
} from "@carillon/apns/http2";

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Where to connect, and with what. */
export interface RawSenderOptions {
  readonly port: number;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly alpn?: readonly string[];
  readonly tls?: ConnectionOptions;
}

/** A client of frames over TLS, played by hand: what it does not do itself, nobody does. */
export class RawSender {
  readonly socket: TLSSocket;
  readonly frames: ReceivedFrame[] = [];
  /** Chunks that came from the socket: TLS records, one for each write of the server. */
  chunks = 0;
  isClosed = false;
  private readonly encoder = new HpackEncoder();
  private readonly decoder = new HpackDecoder();
  private readonly splitter = new FrameDecoder(0xff_ffff);
  private waiters: (() => void)[] = [];

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.chunks += 1;
      this.splitter.receive(chunk, (type, flags, streamId, bytes, start, end) => {
        this.frames.push({ type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) });
        return undefined;
      });
      this.wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.wake();
    });
  }

  static async connect({
    port,
    ca,
    cert,
    key,
    alpn = ["h2"],
    tls = {},
  }: RawSenderOptions): Promise<RawSender> {
    const credentials = cert === undefined || key === undefined ? {} : { cert, key };
    const protocols = alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] };
    const socket = connect({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      ca,
      ...credentials,
      ...protocols,
      ...tls,
    });
    const sender = new RawSender(socket);
    await once(socket, "secureConnect");
    return sender;
  }

  /** The same, with preface and SETTINGS sent, and the server's acknowledged unseen. */
  static async open(options: RawSenderOptions): Promise<RawSender> {
    const sender = await RawSender.connect(options);
    sender.write(Buffer.from(connectionPreface, "latin1"));
    sender.frame(frameType.settings, 0, 0);
    sender.frame(frameType.settings, flag.ack, 0);
    return sender;
  }

  /** Resolves as soon as `isTrue`, which is looked at after each chunk and at the end. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.isClosed) throw new Error("the connection ended before that");
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Resolves when the socket takes more, or has ended. */
  async writable(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.once("drain", resolve);
      this.waiters.push(resolve);
    });
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const out = new ByteWriter();
    writeFrameHeader(out, payload.length, type, flags, streamId);
    out.bytes(payload);
    this.write(out.take());
  }

  /** Sends a push to the device API in one write; several by several `streamId`s. */
  push(streamIds: readonly number[], fields: Readonly<Record<string, string>> = {}, payload = "{}"): void {
    const out = new ByteWriter();
    for (const streamId of streamIds) {
      const list = [":method", "POST", ":scheme", "https", ":path", "/3/device/aabbccdd"];
      for (const [name, value] of Object.entries({ "apns-topic": "com.example.demo", ...fields })) {
        list.push(name, value);
      }
      writeHeaders(out, this.encoder, streamId, list, 0, 16_384);
      writeFrameHeader(out, payload.length, frameType.data, flag.endStream, streamId);
      out.bytes(Buffer.from(payload));
    }
    this.write(out.take());
  }

  /** The frames of this type so far. */
  ofType(type: number): ReceivedFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** The fields of a HEADERS frame; to be called for every one, in order. */
  fieldsOf(frame: ReceivedFrame | undefined): Record<string, string> {
    const bytes = frame?.payload ?? Buffer.alloc(0);
    const block = this.decoder.decode(bytes, 0, bytes.length);
    if (block.kind !== "decoded") throw new Error(`header block is ${block.kind}`);
    const fields: Record<string, string> = {};
    for (let at = 0; at < block.fields.length; at += 2) fields[block.fields[at]!] = block.fields[at + 1]!;
    return fields;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private wake(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }
}

/** The value of SETTINGS_MAX_CONCURRENT_STREAMS in a SETTINGS frame. */
export function streamLimitIn(frame: ReceivedFrame | undefined): number | undefined {
  const bytes = frame?.payload ?? Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += 6) {
    if (bytes.readUInt16BE(at) === 3) return bytes.readUInt32BE(at + 2);
  }
  return undefined;
}
