import { isIP } from "node:net";
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
export function openTls({ host, port, context, connectTimeoutMs }: Peer): TLSSocket {
  const options: ConnectionOptions & { autoSelectFamily: boolean } = {
    ...{ host, port, secureContext: context, rejectUnauthorized: true, autoSelectFamily: true },
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  const socket = connect(options);
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  );
  const stop = (): void => clearTimeout(timer);
  socket.once("secureConnect", stop).once("close", stop);
  return socket;
}

/** Why a connection could not be made, or ended: with a certificate that was not believed, the reason. */
export function explainSocket(error: Error & { code?: string }, { host, port }: Peer): string {
  const inner = (error as Partial<AggregateError>).errors?.[0] as Error | undefined;
  return `${host}:${port}: ${error.message || inner?.message || error.code || "the connection failed"}`;
}
