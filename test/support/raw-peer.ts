import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import {
  ByteWriter,
  FrameDecoder,
  flag,
  frameType,
  HpackDecoder,
  HpackEncoder,
  writeFrameHeader,
  writeGoaway,
  writeHeaderBlock,
  writePing,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "@carillon/apns/http2";
import { makeServerCertificate } from "./server-certificate.ts";

/** One request as the peer read it. */
export interface PeerRequest {
  readonly connection: PeerConnection;
  readonly stream: number;
  /** The last segment of `:path`. */
  readonly deviceToken: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What the test decides. Whatever it leaves out, the peer does as a healthy server would. */
export interface PeerScript {
  /** A request is complete. Default: answer 200. */
  onRequest?(request: PeerRequest): void;
  /** A connection finished its TLS handshake. Default: SETTINGS with 1,000 streams. */
  onConnection?(connection: PeerConnection): void;
  /** A PING arrived. Default: answered. */
  onPing?(connection: PeerConnection, opaque: Buffer): void;
  /** TCP accepted, before TLS. Returning "hold" leaves the handshake unanswered. */
  onTcp?(socket: Socket): "hold" | undefined;
}

const prefaceBytes = 24;
const certificate = makeServerCertificate();

/**
 * A server that speaks HTTP/2 in raw frames, so that it can break every rule. It also keeps the truth: how often each
 * device token was processed (answered 200 or marked by `process`), and under which `apns-id`s.
 */
export class RawPeer {
  script: PeerScript;
  readonly connections: PeerConnection[] = [];
  /** Device token to the number of times that this side acted on it. */
  readonly processed = new Map<string, number>();
  /** Device token to every `apns-id` that came with it. */
  readonly apnsIds = new Map<string, string[]>();
  requests = 0;
  pings = 0;
  readonly providerTokens = new Set<string>();
  ca = "";
  #secureContext = createSecureContext();
  #server = createTcpServer();
  #sockets = new Set<Socket>();
  #waiters = new Set<() => void>();

  private constructor(script: PeerScript) {
    this.script = script;
  }

  /** Starts a peer on a loopback port of the system's choice. */
  static async start(script: PeerScript = {}, port = 0, host = "127.0.0.1"): Promise<RawPeer> {
    const peer = new RawPeer(script);
    const { ca, cert, key } = await certificate;
    peer.ca = ca;
    peer.useCertificate({ cert, key });
    peer.#server.on("connection", (tcp) => {
      peer.#sockets.add(tcp);
      tcp.on("error", () => tcp.destroy()).on("close", () => peer.#sockets.delete(tcp));
      if (peer.script.onTcp?.(tcp) === "hold") return;
      const socket = new TLSSocket(tcp, {
        isServer: true,
        secureContext: peer.#secureContext,
        ALPNProtocols: ["h2"],
      });
      socket.on("error", () => socket.destroy());
      socket.once("secure", () => {
        const connection = new PeerConnection(peer, tcp, socket, peer.connections.length + 1);
        peer.connections.push(connection);
        if (peer.script.onConnection) peer.script.onConnection(connection);
        else connection.settings([[3, 1000]]);
        peer.changed();
      });
    });
    peer.#server.listen(port, host);
    await once(peer.#server, "listening");
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `https://localhost:${this.port}`;
  }

  /** New connections get this certificate. */
  useCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.#secureContext = createSecureContext({ cert, key, minVersion: "TLSv1.2" });
  }

  /** Counts a device token as acted upon, without an answer. */
  process(request: PeerRequest): void {
    this.processed.set(request.deviceToken, (this.processed.get(request.deviceToken) ?? 0) + 1);
  }

  /** Resolves as soon as `condition` holds; looked at again whenever something arrived. */
  async until(condition: () => boolean, what: string, deadlineMs = 20_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => finish(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
      const look = (): void => {
        if (condition()) finish();
      };
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        if (error) reject(error);
        else resolve();
      };
      this.#waiters.add(look);
    });
  }

  changed(): void {
    for (const look of [...this.#waiters]) look();
  }

  /** Stops listening, so that new connections are refused; those that stand go on. */
  async stopListening(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // close() waits for connections too; only the listening socket must be gone here.
    await Promise.race([closed, new Promise<void>((resolve) => setImmediate(resolve))]);
  }

  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, "close") : Promise.resolve();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** One connection of the peer, with a writer for every frame, right or wrong. */
export class PeerConnection {
  readonly peer: RawPeer;
  readonly ordinal: number;
  readonly tcp: Socket;
  readonly tls: TLSSocket;
  /** Type, flags, stream and payload of each frame that came, PINGs and WINDOW_UPDATEs too; the last 10,000. */
  readonly frames: { type: number; flags: number; stream: number; payload: Buffer }[] = [];
  readonly open = new Set<number>();
  mostOpen = 0;
  requests = 0;
  closed = false;
  /** Splits everything that is written into segments of that many bytes. */
  segmentBytes: number | undefined;
  /** Gives window back for the DATA that comes. */
  givesCredit = true;
  /** Answers SETTINGS; a server's own SETTINGS must come before. */
  acknowledges = true;
  /** Encodes the header blocks of answers. */
  encoder = new HpackEncoder({ indexing: () => "without" });
  #decoder = new FrameDecoder();
  #hpack = new HpackDecoder();
  #streams = new Map<number, { headers: Map<string, string>; body: Buffer[] }>();
  #block: Buffer[] = [];
  #skip = prefaceBytes;

  constructor(peer: RawPeer, tcp: Socket, tls: TLSSocket, ordinal: number) {
    this.peer = peer;
    this.tcp = tcp;
    this.tls = tls;
    this.ordinal = ordinal;
    tls.setNoDelay(true);
    tls.on("data", (chunk: Buffer) => this.#receive(chunk));
    tls.on("close", () => {
      this.closed = true;
      peer.changed();
    });
  }

  write(bytes: Uint8Array): void {
    if (this.tls.destroyed) return;
    const step = this.segmentBytes;
    if (step === undefined) this.tls.write(bytes);
    else for (let at = 0; at < bytes.length; at += step) this.tls.write(bytes.subarray(at, at + step));
  }

  #frame(build: (out: ByteWriter) => void): void {
    const out = new ByteWriter(256);
    build(out);
    this.write(out.take());
  }

  settings(entries: readonly (readonly [number, number])[]): void {
    this.#frame((out) => writeSettings(out, entries));
  }

  goaway(lastStreamId: number, code = 0, debug = ""): void {
    this.#frame((out) => writeGoaway(out, lastStreamId, code, Buffer.from(debug)));
  }

  reset(stream: number, code: number): void {
    this.open.delete(stream);
    this.#frame((out) => writeRstStream(out, stream, code));
  }

  windowUpdate(stream: number, increment: number): void {
    this.#frame((out) => writeWindowUpdate(out, stream, increment));
  }

  ping(opaque: Uint8Array, flags = 0): void {
    this.#frame((out) => writePing(out, opaque, flags));
  }

  /** Any frame, lawful or not. */
  raw(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#frame((out) => {
      writeFrameHeader(out, payload.length, type, flags, stream);
      out.bytes(payload);
    });
  }

  /** The header block of an answer, for tests that frame it themselves. */
  block(fields: readonly string[]): Buffer {
    const out = new ByteWriter(256);
    this.encoder.encode(out, fields);
    return out.take();
  }

  headers(stream: number, fields: readonly string[], end: "end" | "more"): void {
    const block = this.block(fields);
    this.#frame((out) => writeHeaderBlock(out, stream, block, end === "end" ? flag.endStream : 0, 16_384));
  }

  data(stream: number, body: string | Uint8Array, end: "end" | "more"): void {
    this.raw(frameType.data, end === "end" ? flag.endStream : 0, stream, Buffer.from(body));
  }

  /** Answers as APNs does: 200 ends on HEADERS, everything else brings a JSON body. 200 counts as processed. */
  answer(request: PeerRequest, status = 200, body?: object | string, extra: readonly string[] = []): void {
    this.open.delete(request.stream);
    const apnsId = request.headers.get("apns-id") ?? "";
    const fields = [":status", String(status), "apns-id", apnsId, ...extra];
    if (status === 200) {
      this.peer.process(request);
      this.headers(request.stream, fields, "end");
    } else if (body === undefined) {
      this.headers(request.stream, fields, "end");
    } else {
      this.headers(request.stream, fields, "more");
      this.data(request.stream, typeof body === "string" ? body : JSON.stringify(body), "end");
    }
  }

  /** DATA with padding. */
  paddedData(stream: number, body: Uint8Array, paddingBytes: number, end: "end" | "more"): void {
    const payload = Buffer.concat([Buffer.from([paddingBytes]), body, Buffer.alloc(paddingBytes)]);
    this.raw(frameType.data, flag.padded | (end === "end" ? flag.endStream : 0), stream, payload);
  }

  /** Closes with a TCP reset. */
  resetTcp(): void {
    this.tcp.resetAndDestroy();
  }

  /** Reads nothing more and writes nothing more, while TCP stays open. */
  blackHole(): void {
    this.tls.pause();
    this.tcp.pause();
    this.write = () => undefined;
  }

  #receive(chunk: Buffer): void {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    const bytes = chunk.subarray(skipped);
    if (bytes.length > 0) {
      this.#decoder.receive(bytes, (type, flags, stream, buffer, start, end) => {
        this.#frameArrived(type, flags, stream, Buffer.from(buffer.subarray(start, end)));
        return undefined;
      });
    }
    this.peer.changed();
  }

  #frameArrived(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.frames.length < 10_000) this.frames.push({ type, flags, stream, payload });
    if (type === frameType.settings && (flags & flag.ack) === 0 && this.acknowledges)
      this.#frame((out) => writeSettingsAck(out));
    else if (type === frameType.ping && (flags & flag.ack) === 0) {
      this.peer.pings += 1;
      if (this.peer.script.onPing) this.peer.script.onPing(this, payload);
      else this.ping(payload, flag.ack);
    } else if (type === frameType.headers || type === frameType.continuation) {
      this.#block.push(payload);
      if ((flags & flag.endHeaders) !== 0) this.#headersArrived(stream);
    } else if (type === frameType.data) {
      this.#streams.get(stream)?.body.push(payload);
      if (payload.length > 0 && this.givesCredit) this.windowUpdate(0, payload.length);
    } else if (type === frameType.rstStream) {
      this.open.delete(stream);
      this.#streams.delete(stream);
    }
    if ((type === frameType.headers || type === frameType.data) && (flags & flag.endStream) !== 0)
      this.#complete(stream);
  }

  #headersArrived(stream: number): void {
    const block = Buffer.concat(this.#block);
    this.#block = [];
    const decoded = this.#hpack.decode(block, 0, block.length);
    if (decoded.kind !== "decoded") throw new Error(`the client's header block is ${decoded.kind}`);
    const headers = new Map<string, string>();
    for (let at = 0; at < decoded.fields.length; at += 2) {
      headers.set(decoded.fields[at] ?? "", decoded.fields[at + 1] ?? "");
    }
    this.#streams.set(stream, { headers, body: [] });
    this.open.add(stream);
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
  }

  #complete(stream: number): void {
    const found = this.#streams.get(stream);
    if (found === undefined) return;
    this.#streams.delete(stream);
    const { headers } = found;
    const deviceToken = headers.get(":path")?.split("/").at(-1) ?? "";
    const request = { connection: this, stream, deviceToken, headers, body: Buffer.concat(found.body) };
    this.requests += 1;
    this.peer.requests += 1;
    const apnsId = headers.get("apns-id");
    if (apnsId !== undefined)
      this.peer.apnsIds.set(deviceToken, [...(this.peer.apnsIds.get(deviceToken) ?? []), apnsId]);
    const authorization = headers.get("authorization");
    if (authorization !== undefined) this.peer.providerTokens.add(authorization);
    if (this.peer.script.onRequest) this.peer.script.onRequest(request);
    else this.answer(request);
  }
}
