import { constants } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import type { App, Apps } from "../apps/index.ts";
import type { BinaryConfig } from "../config/index.ts";
import type { BridgeLimits, BridgeLogger } from "./bridge-limits.ts";
import { identifySender, type PresentedCertificate } from "./sender-identity.ts";

/** Who came in. */
export interface Visitor {
  readonly socket: TLSSocket;
  readonly app: App;
  /** The topic that its certificate is for, where that is not the app's own. */
  readonly topic: string | undefined;
}

/** Connections of all doors, and of each app. */
export class Attendance {
  #all = 0;
  readonly #byApp = new Map<string, number>();

  get all(): number {
    return this.#all;
  }

  of(app: string): number {
    return this.#byApp.get(app) ?? 0;
  }

  enter(socket: Socket): void {
    this.#all += 1;
    socket.once("close", () => {
      this.#all -= 1;
    });
  }

  enterApp(app: string, socket: Socket): void {
    this.#byApp.set(app, this.of(app) + 1);
    socket.once("close", () => void this.#byApp.set(app, this.of(app) - 1));
  }
}

export interface TlsDoorOptions {
  readonly config: BinaryConfig;
  readonly port: number;
  /** What stands behind it, for the log: "push" or "feedback". */
  readonly name: string;
  readonly apps: Pick<Apps, "all">;
  readonly attendance: Attendance;
  readonly limits: BridgeLimits;
  readonly logger: BridgeLogger;
  accept(visitor: Visitor): void;
}

/** A port with TLS behind which senders are known by their certificates. Whoever is not known is closed, with a line in the log. */
export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: TlsDoorOptions) {
    this.#options = options;
    const { minTls } = options.config;
    this.#server = createServer({
      ...doorContext(options.config),
      ...{ requestCert: true, rejectUnauthorized: false },
      handshakeTimeout: options.limits.handshakeMs,
      // The sender's end is answered when what it sent is settled.
      ...{ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
    });
    this.#server.on("connection", (socket: Socket) => this.#admit(socket));
    this.#server.on("secureConnection", (socket) => this.#identify(socket));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      socket.destroy(); // after a time-out Node leaves that to us
      options.logger.info(
        { door: options.name, peer: socket.remoteAddress, code: error.code },
        `a sender's TLS handshake failed: ${explainHandshake(error, minTls)}`,
      );
    });
  }

  /** @throws Error of the system where the port cannot be had */
  static async open(options: TlsDoorOptions): Promise<TlsDoor> {
    const door = new TlsDoor(options);
    door.#server.listen({ host: options.config.host, port: options.port, backlog: 1_024 });
    await once(door.#server, "listening");
    return door;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nobody comes in any more. */
  shut(): void {
    this.#server.close();
  }

  /** Closes what is still there. */
  async close(): Promise<void> {
    this.shut();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#sockets].map((socket) => once(socket, "close")));
  }

  #admit(socket: Socket): void {
    const { attendance, limits, logger, name } = this.#options;
    if (attendance.all >= limits.maxConnections) {
      socket.destroy();
      logger.warn({ door: name, peer: socket.remoteAddress }, "a sender was turned away: the bridge is full");
      return;
    }
    attendance.enter(socket);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #identify(socket: TLSSocket): void {
    const { apps, attendance, limits, logger, name, accept } = this.#options;
    socket.on("error", () => undefined); // what it means is told by the close that follows
    const peer = socket.remoteAddress;
    const identity = identifySender(apps.all, presentedBy(socket));
    if (identity.kind === "unknown") {
      logger.warn({ door: name, peer }, `a sender was refused: ${identity.detail}: ${identity.remedy}`);
      socket.destroy();
      return;
    }
    const app = identity.app.config.name;
    if (attendance.of(app) >= limits.maxConnectionsPerApp) {
      logger.warn({ door: name, peer, app }, "a sender was turned away: its app has too many connections");
      socket.destroy();
      return;
    }
    attendance.enterApp(app, socket);
    accept({ socket, app: identity.app, topic: identity.topic });
  }
}

/** Whom the door shows itself as, whom it trusts, and the oldest TLS that it speaks. */
export function doorContext({ cert, key, clientCa, minTls }: BinaryConfig): SecureContextOptions {
  const isOld = minTls === "TLSv1" || minTls === "TLSv1.1";
  return {
    ...{ cert, key, minVersion: minTls },
    // Without an authority nobody is trusted, not even those whom the system trusts, and no issuer is asked for.
    ca: clientCa ?? [],
    ...(isOld ? { ciphers: "DEFAULT@SECLEVEL=0" } : {}),
    // Senders stay; what a ticket would save a new connection costs each that is open 14 kB (bench/bridge.ts).
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** What TLS tells about who came in; undefined where that one showed no certificate. */
export function presentedBy(socket: TLSSocket): PresentedCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const { raw, fingerprint256 } = certificate;
  const fault = socket.authorized ? undefined : String(socket.authorizationError);
  return { raw, fingerprint: fingerprint256.replaceAll(":", ""), fault };
}

function explainHandshake({ code, message }: NodeJS.ErrnoException, minTls: string): string {
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL" || code === "ERR_SSL_WRONG_VERSION_NUMBER")
    return `it speaks no TLS from ${minTls} up. If it cannot be renewed, lower binary.minTls`;
  if (code === "ERR_SSL_NO_SHARED_CIPHER")
    return "it knows none of the ciphers. If it cannot be renewed, set binary.minTls to TLSv1";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "it took too long";
  return message;
}
