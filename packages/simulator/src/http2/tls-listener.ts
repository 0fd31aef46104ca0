import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import { type ConnectionHandler, lingerMs, SocketDriver } from "./socket-driver.ts";

/** What TLS told about a client. */
export interface TlsClient {
  /** DER of the certificate it presented, if it presented one. */
  readonly certificate: Buffer | undefined;
  /** Whether that certificate is valid now and leads to `clientCa`. */
  readonly isTrusted: boolean;
}

export interface TlsListenerOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** The authority of client certificates, PEM. */
  readonly clientCa: string;
  /** Called for each connection whose TLS handshake is done. */
  accept(client: TlsClient): ConnectionHandler;
}

/** Clients at once at most; further ones are refused by closing. */
const mostConnections = 10_000;

/** A TLS handshake takes this long at most. */
const handshakeTimeoutMs = 10_000;

/**
 * Listens for HTTP/2 over TLS 1.2 and 1.3, with a client certificate asked for and not required, with and without ALPN.
 */
export class TlsListener {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly drivers = new Set<SocketDriver>();

  private constructor(options: TlsListenerOptions) {
    this.server = createServer({
      cert: options.cert,
      key: options.key,
      ca: options.clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
    });
    this.server.maxConnections = mostConnections;
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    this.server.on("secureConnection", (socket) => {
      const certificate = socket.getPeerX509Certificate()?.raw;
      const handler = options.accept({
        certificate,
        isTrusted: certificate !== undefined && socket.authorized,
      });
      const driver = new SocketDriver(socket, handler);
      this.drivers.add(driver);
      socket.on("close", () => this.drivers.delete(driver));
    });
    // A handshake that fails is the client's affair: Node has closed the socket.
    this.server.on("tlsClientError", () => {});
  }

  /** @throws Error that names the port where it is taken; what the system says is its `cause` */
  static async listen(options: TlsListenerOptions): Promise<TlsListener> {
    const listener = new TlsListener(options);
    await listenOn(listener.server, options.port, options.host);
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stops listening, says good-bye with GOAWAY to every client, and resolves when all sockets are closed. */
  async close(debug: Buffer): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, "close");
    this.server.close();
    for (const driver of this.drivers) driver.close(debug);
    // What is left then is in the middle of a handshake and has nobody to say good-bye to.
    const timer = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, lingerMs);
    await closed;
    clearTimeout(timer);
  }
}

/** Listens, or throws an error that names the port and the way out. */
export async function listenOn(
  server: {
    listen(port: number, host: string): unknown;
    once(event: string, listener: (error: Error) => void): unknown;
  },
  port: number,
  host: string,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("listening", () => resolve());
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === "EADDRINUSE"
          ? `Port ${port} on ${host} is taken by another program: choose another one, or 0 for any that is free.`
          : `Cannot listen on port ${port} of ${host}: ${cause.message}`;
      reject(new Error(message, { cause }));
    });
    server.listen(port, host);
  });
}
