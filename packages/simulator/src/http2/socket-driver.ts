import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ConnectionError } from "@carillon/apns/http2";
import { ServerConnection, type ServerRequest } from "./server-connection.ts";

/** What decides about the requests of one connection. */
export interface ConnectionHandler {
  /** SETTINGS_MAX_CONCURRENT_STREAMS at the start. */
  readonly streamLimit: number;
  /** Called before the first byte is read; it may send GOAWAY already. */
  opened?(connection: ServerConnection, wire: Wire): void;
  request(request: ServerRequest, connection: ServerConnection): void;
  /** The peer broke the protocol: GOAWAY goes out, and the socket ends. */
  broken?(error: ConnectionError): void;
  /** The socket is gone. */
  closed?(): void;
}

/** What a handler may do with the socket itself, at any time. */
export interface Wire {
  /** Ends gracefully: GOAWAY with this debug data, what is written is delivered, the socket closes. */
  close(debug: Buffer): void;
  /** Writes what the connection has to say, at the end of this turn: for what happens without bytes from the peer. */
  flush(): void;
  /** For faults: ends the socket in one of several ways, after what is written. */
  cut(how: "fin" | "fin-without-close-notify" | "rst" | "half"): void;
  /** For faults: stops reading, writing or both. The connection stays as it is. */
  stall(what: "reads" | "writes" | "both"): void;
  /** For faults: goes on after a stall. */
  goOn(): void;
  /** For faults: from now on every write has so many bytes at most. */
  segment(bytes: number): void;
  /** For faults: asks for a new TLS handshake, after what is written; TLS 1.3 has none. */
  renegotiate(): void;
}

const noBytes = Buffer.alloc(0);

/** How long a peer has to take our last bytes and close, before the socket is destroyed. */
export const lingerMs = 500;

/** A peer that takes none of our bytes for so long is given up: it may flood us, and is not read from meanwhile. */
const stuckMs = 10_000;

/** Drives one connection: owns its socket and its timer and decides nothing. Writes once per turn of the loop. */
export class SocketDriver implements Wire {
  private readonly socket: TLSSocket;
  private readonly tcp: Socket;
  private readonly connection: ServerConnection;
  private isFlushScheduled = false;
  private lingerTimer: NodeJS.Timeout | undefined;
  private stuckTimer: NodeJS.Timeout | undefined;
  private stalled: "nothing" | "reads" | "writes" | "both" = "nothing";
  private segmentBytes = Number.POSITIVE_INFINITY;
  /** What waits because writes are cut into segments. */
  private unsent: Buffer = noBytes;

  constructor(socket: TLSSocket, tcp: Socket, handler: ConnectionHandler) {
    this.socket = socket;
    this.tcp = tcp;
    this.connection = new ServerConnection(
      {
        request: (request) => handler.request(request, this.connection),
        broken: (error) => {
          handler.broken?.(error);
          this.end();
        },
      },
      { streamLimit: handler.streamLimit },
    );
    socket.on("data", (chunk: Buffer) => {
      this.connection.receive(chunk);
      this.flush();
    });
    socket.on("drain", () => {
      clearTimeout(this.stuckTimer);
      this.stuckTimer = undefined;
      this.writeOut();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.lingerTimer);
      clearTimeout(this.stuckTimer);
      this.connection.socketClosed();
      handler.closed?.();
    });
    handler.opened?.(this.connection, this);
    if (this.connection.phase === "draining") this.end();
    this.writeOut();
  }

  close(debug: Buffer): void {
    this.connection.goaway(debug);
    this.end();
  }

  flush(): void {
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.writeOut();
    });
  }

  cut(how: "fin" | "fin-without-close-notify" | "rst" | "half"): void {
    setImmediate(() => {
      this.writeOut();
      switch (how) {
        case "fin":
          this.end();
          break;
        case "half":
          this.socket.end();
          break;
        case "fin-without-close-notify":
          this.tcp.destroySoon();
          break;
        case "rst":
          this.tcp.resetAndDestroy();
          break;
      }
    });
  }

  stall(what: "reads" | "writes" | "both"): void {
    this.stalled = what;
    if (what !== "writes") this.socket.pause();
  }

  goOn(): void {
    this.stalled = "nothing";
    this.socket.resume();
    this.flush();
  }

  segment(bytes: number): void {
    this.segmentBytes = bytes;
  }

  renegotiate(): void {
    setImmediate(() => {
      this.writeOut();
      if (this.socket.destroyed || this.socket.getProtocol() === "TLSv1.3") return;
      // A client that refuses ends the connection, which "error" and "close" tell.
      this.socket.renegotiate({ requestCert: true, rejectUnauthorized: false }, () => {});
    });
  }

  /** Writes what is there, then FIN. What still comes is read, so that closing sends no RST that would overtake our bytes. */
  private end(): void {
    if (this.lingerTimer !== undefined) return;
    this.lingerTimer = setTimeout(() => this.socket.destroy(), lingerMs);
    setImmediate(() => {
      const output = this.connection.takeOutput();
      if (this.socket.destroyed) return;
      this.socket.write(this.unsent);
      if (output !== undefined) this.socket.write(output);
      this.socket.end();
      this.socket.resume();
    });
  }

  /** A peer that does not read is not read from either: what waits for it stays bounded by what one turn reads. */
  private writeOut(): void {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded || this.lingerTimer !== undefined) return;
    if (
      !socket.writableNeedDrain &&
      this.unsent.length === 0 &&
      this.stalled !== "writes" &&
      this.stalled !== "both"
    ) {
      const output = this.connection.takeOutput();
      if (output !== undefined) this.write(output);
    }
    if (socket.writableNeedDrain) this.stuckTimer ??= setTimeout(() => socket.destroy(), stuckMs);
    if (socket.writableNeedDrain || this.stalled === "reads" || this.stalled === "both") socket.pause();
    else if (socket.isPaused()) socket.resume();
  }

  private write(output: Buffer): void {
    if (output.length <= this.segmentBytes) {
      this.socket.write(output);
      return;
    }
    this.unsent = output;
    this.writeSegment();
  }

  /** One segment at a time, because writes that wait together leave together. */
  private writeSegment(): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    const segment = this.unsent.subarray(0, this.segmentBytes);
    this.unsent = this.unsent.subarray(segment.length);
    this.socket.write(segment, () => (this.unsent.length > 0 ? this.writeSegment() : this.writeOut()));
  }
}
