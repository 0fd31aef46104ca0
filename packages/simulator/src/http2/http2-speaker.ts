import type { ConnectionError } from "@carillon/apns/http2";
import type { Speaker, Wire } from "../wire/index.ts";
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

/** Speaks HTTP/2 for a handler. */
export class Http2Speaker implements Speaker {
  private readonly handler: ConnectionHandler;
  private readonly connection: ServerConnection;
  /** Draining from the start, broken, or told to say good-bye; a GOAWAY in mid-life ends nothing. */
  hasSaidAll = false;

  constructor(handler: ConnectionHandler) {
    this.handler = handler;
    this.connection = new ServerConnection(
      {
        request: (request) => handler.request(request, this.connection),
        broken: (error) => {
          handler.broken?.(error);
          this.hasSaidAll = true;
        },
      },
      { streamLimit: handler.streamLimit },
    );
  }

  opened(wire: Wire): void {
    this.handler.opened?.(this.connection, wire);
    if (this.connection.phase === "draining") this.hasSaidAll = true;
  }

  receive(chunk: Buffer): void {
    this.connection.receive(chunk);
  }

  takeOutput(): Buffer | undefined {
    return this.connection.takeOutput();
  }

  sayGoodbye(debug: Buffer): void {
    this.connection.goaway(debug);
    this.hasSaidAll = true;
  }

  closed(): void {
    this.connection.socketClosed();
    this.handler.closed?.();
  }
}
