import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { lingerMs, SocketDriver } from "./socket-driver.ts";
import type { Speaker } from "./speaker.ts";

/** What TLS told about a client. */
export interface TlsClient {
  /** Counts from 1 in the order in which connections were made. */
  readonly connection: number;
  /** DER of the certificate it presented, if it presented one. */
  readonly certificate: Buffer | undefined;
  /** Whether that certificate is valid now and leads to `clientCa`. */
  readonly isTrusted: boolean;
  /** Such as "TLSv1.3". */
  readonly tls: string;
  /** The protocol that ALPN chose; undefined for a client that speaks no ALPN. */
  readonly alpn: string | undefined;
}

/** TLS 1.0 and 1.1 are for senders that speak the retired binary protocol and nothing newer. */
export type OldestTls = "TLSv1" | "TLSv1.1" | "TLSv1.2";

/** The server's side of TLS. */
export interface TlsIdentity {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Protocols that ALPN may choose; none leaves ALPN out. @default h2 */
  readonly protocols?: readonly string[];
  /** @default "asked": it may be missing, and from anybody */
  readonly clientCertificate?: "asked" | "required";
  /** @default "TLSv1.3" */
  readonly newestTls?: "TLSv1.2" | "TLSv1.3";
}

/** What becomes of a TCP connection: TLS, by another identity than the usual one where one is given; an end; or nothing. */
export type Admission =
  | { readonly kind: "serve"; readonly identity?: TlsIdentity }
  | { readonly kind: "refuse" }
  | { readonly kind: "hang" };

export interface TlsListenerOptions extends TlsIdentity {
  /** Address to listen on. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The authority of client certificates, PEM. */
  readonly clientCa: string;
  /** The oldest TLS that is spoken. Below 1.2 it takes ciphers that OpenSSL calls insecure. @default "TLSv1.2" */
  readonly minTls?: OldestTls;
  /** How long a TLS handshake may take. @default 10,000 */
  readonly handshakeTimeoutMs?: number;
  /** The number of a new connection, where several listeners count together. @default 1, 2, 3, … */
  nextConnection?(): number;
  /** Asked for each TCP connection, by its number. Absent: all are served. */
  admit?(connection: number): Admission;
  /** Called for each connection whose TLS handshake is done. */
  accept(client: TlsClient): Speaker;
}

/** Clients at once at most; further ones are refused by closing. */
const mostConnections = 10_000;

/**
 * Listens for TLS, with a client certificate asked for and not required, with and without ALPN.
 */
export class TlsListener {
  private readonly options: TlsListenerOptions;
  private readonly server: Server;
  /** One for each identity in use. They never listen: they take the server's sockets. */
  private readonly tlsServers = new Map<TlsIdentity, TlsServer>();
  /** TCP connections with their numbers, by the peer's address and port. */
  private readonly sockets = new Map<string, { readonly socket: Socket; readonly connection: number }>();
  private readonly drivers = new Set<SocketDriver>();
  private connections = 0;

  private constructor(options: TlsListenerOptions) {
    this.options = options;
    this.server = createServer({ noDelay: true });
    this.server.maxConnections = mostConnections;
    this.server.on("connection", (socket: Socket) => this.admit(socket));
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

  /** Stops listening, says good-bye to every client, and resolves when all sockets are closed. */
  async close(debug: Buffer): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, "close");
    this.server.close();
    for (const driver of this.drivers) driver.close(debug);
    // What is left then is in the middle of a handshake and has nobody to say good-bye to.
    const timer = setTimeout(() => {
      for (const { socket } of this.sockets.values()) socket.destroy();
    }, lingerMs);
    await closed;
    clearTimeout(timer);
  }

  private admit(socket: Socket): void {
    const connection = this.options.nextConnection?.() ?? this.connections + 1;
    this.connections = connection;
    const peer = peerOf(socket);
    this.sockets.set(peer, { socket, connection });
    socket.on("close", () => this.sockets.delete(peer));
    const admission = this.options.admit?.(connection) ?? { kind: "serve" };
    switch (admission.kind) {
      case "serve":
        this.tlsServer(admission.identity ?? this.options).emit("connection", socket);
        break;
      case "refuse":
        socket.resetAndDestroy();
        break;
      case "hang":
        socket.on("error", () => socket.destroy());
        break;
    }
  }

  private tlsServer(identity: TlsIdentity): TlsServer {
    const known = this.tlsServers.get(identity);
    if (known !== undefined) return known;
    const protocols = identity.protocols ?? ["h2"];
    const { minTls = "TLSv1.2", handshakeTimeoutMs = 10_000 } = this.options;
    const server = createTlsServer({
      cert: identity.cert,
      key: identity.key,
      ca: this.options.clientCa,
      requestCert: true,
      rejectUnauthorized: identity.clientCertificate === "required",
      ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
      minVersion: minTls,
      maxVersion: identity.newestTls ?? "TLSv1.3",
      ...(minTls === "TLSv1.2" ? {} : { ciphers: "DEFAULT@SECLEVEL=0" }),
      handshakeTimeout: handshakeTimeoutMs,
    });
    server.on("secureConnection", (socket) => this.accept(socket));
    // A handshake that fails is the client's affair. After one that took too long Node leaves the socket open.
    server.on("tlsClientError", (_, socket) => socket.destroy());
    this.tlsServers.set(identity, server);
    return server;
  }

  private accept(socket: TLSSocket): void {
    const tcp = this.sockets.get(peerOf(socket));
    if (tcp === undefined) {
      // It went away in the same moment.
      socket.destroy();
      return;
    }
    const certificate = socket.getPeerX509Certificate()?.raw;
    const speaker = this.options.accept({
      connection: tcp.connection,
      certificate,
      tls: socket.getProtocol() ?? "",
      alpn: socket.alpnProtocol || undefined,
      isTrusted: certificate !== undefined && socket.authorized,
    });
    const driver = new SocketDriver(socket, tcp.socket, speaker);
    this.drivers.add(driver);
    socket.on("close", () => this.drivers.delete(driver));
  }
}

/** TLS wraps a TCP socket without saying which: both see the same peer. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
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
