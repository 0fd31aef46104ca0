import type { TLSSocket } from "node:tls";
import { ServerConnection, type ServerRequest } from "./server-connection.ts";

/** What decides about the requests of one connection. */
export interface ConnectionHandler {
  /** SETTINGS_MAX_CONCURRENT_STREAMS at the start. */
  readonly streamLimit: number;
  /** Called before the first byte is read; it may send GOAWAY already. */
  opened?(connection: ServerConnection, wire: Wire): void;
  request(request: ServerRequest, connection: ServerConnection): void;
  /** The socket is gone. */
  closed?(): void;
}

/** What a handler may do with the socket itself, at any time. */
export interface Wire {
  /** Ends gracefully: GOAWAY with this debug data, what is written is delivered, the socket closes. */
  close(debug: Buffer): void;
}

/** How long a peer has to take our last bytes and close, before the socket is destroyed. */
export const lingerMs = 500;

/** Drives one connection: owns its socket and its timer and decides nothing. Writes once per turn of the loop. */
export class SocketDriver implements Wire {
  private readonly socket: TLSSocket;
  private readonly connection: ServerConnection;
  private isFlushScheduled = false;
  private lingerTimer: NodeJS.Timeout | undefined;

  constructor(socket: TLSSocket, handler: ConnectionHandler) {
    this.socket = socket;
    this.connection = new ServerConnection(
      {
        request: (request) => handler.request(request, this.connection),
        broken: () => this.end(),
      },
      { streamLimit: handler.streamLimit },
    );
    socket.on("data", (chunk: Buffer) => {
      this.connection.receive(chunk);
      this.scheduleFlush();
    });
    socket.on("drain", () => {
      this.flush();
      if (!socket.writableNeedDrain) socket.resume();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.lingerTimer);
      this.connection.socketClosed();
      handler.closed?.();
    });
    handler.opened?.(this.connection, this);
    if (this.connection.phase === "draining") this.end();
    this.flush();
  }

  close(debug: Buffer): void {
    this.connection.goaway(debug);
    this.end();
  }

  /** Writes what is there, then FIN. What still comes is read, so that closing sends no RST that would overtake our bytes. */
  private end(): void {
    if (this.lingerTimer !== undefined) return;
    this.lingerTimer = setTimeout(() => this.socket.destroy(), lingerMs);
    setImmediate(() => {
      const output = this.connection.takeOutput();
      if (this.socket.destroyed) return;
      if (output !== undefined) this.socket.write(output);
      this.socket.end();
      this.socket.resume();
    });
  }

  private scheduleFlush(): void {
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.flush();
    });
  }

  /** A peer that does not read is not read from either: what waits for it stays bounded by what one turn reads. */
  private flush(): void {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded || this.lingerTimer !== undefined) return;
    if (!socket.writableNeedDrain) {
      const output = this.connection.takeOutput();
      if (output !== undefined) socket.write(output);
    }
    if (socket.writableNeedDrain) socket.pause();
  }
}
