import { connect as connectTcp, isIP, type Socket } from "node:net";
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";

/** Whom to connect to, and as whom. */
export interface Peer {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly context: SecureContext;
}

export function openContext(
  identity: SecureContextOptions,
  ca: string | Uint8Array | readonly (string | Uint8Array)[] | undefined,
  minVersion: "TLSv1" | "TLSv1.1" | "TLSv1.2",
): SecureContext {
  const listed = ca === undefined ? [] : typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
  const extra = listed.map((each) => (typeof each === "string" ? each : Buffer.from(each)));
  return createSecureContext({
    minVersion,
    // OpenSSL takes old versions of TLS at its lowest level of security only.
    ...(minVersion === "TLSv1.2" ? {} : { ciphers: "DEFAULT@SECLEVEL=0" }),
    ...identity,
    // A list given to TLS replaces Node's own, so that one has to be in it.
    ...(extra.length === 0 ? {} : { ca: [...rootCertificates, ...extra] }),
  });
}

/** Opens a TLS socket without ALPN, as in the protocol's time. The peer must prove who it is, whatever the environment says. */
export function openTls(peer: Peer): TLSSocket {
  const socket = connect(tlsOptions(peer));
  limit(socket, "secureConnect", peer);
  return socket;
}

/** A TLS socket that ends its side by a call only, and can be reset. */
export interface ResettableTls {
  readonly socket: TLSSocket;
  /** Ends it so that the peer knows that what it wrote was not kept, though our system has taken it. */
  reset(): void;
}

/**
 * The same, with TCP connected and the handshake to come.
 * @throws Error of the system where no TCP connection comes about
 */
export async function openResettableTls(peer: Peer): Promise<ResettableTls> {
  const { host, port } = peer;
  const tcp = connectTcp({ host, port, autoSelectFamily: true, allowHalfOpen: true });
  limit(tcp, "connect", peer);
  await new Promise<void>((resolve, reject) => {
    tcp.once("connect", resolve).once("error", reject);
  });
  const socket = connect({ ...tlsOptions(peer), socket: tcp });
  limit(socket, "secureConnect", peer);
  return { socket, reset: () => void tcp.resetAndDestroy() };
}

function tlsOptions({ host, port, context }: Peer): ConnectionOptions & { autoSelectFamily: boolean } {
  return {
    ...{ host, port, secureContext: context, rejectUnauthorized: true, autoSelectFamily: true },
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
}

/** Destroys the socket where it is not as far in time. */
function limit(socket: Socket, event: "connect" | "secureConnect", { connectTimeoutMs }: Peer): void {
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  );
  const stop = (): void => clearTimeout(timer);
  socket.once(event, stop).once("close", stop);
}

/** Why a connection could not be made, or ended: with a certificate that was not believed, the reason. */
export function explainSocket(error: Error & { code?: string }, { host, port }: Peer): string {
  const inner = (error as Partial<AggregateError>).errors?.[0] as Error | undefined;
  return `${host}:${port}: ${error.message || inner?.message || error.code || "the connection failed"}`;
}
