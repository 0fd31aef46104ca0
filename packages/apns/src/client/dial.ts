import { constants } from "node:crypto";
import { lookup as lookUp } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import type { Identity } from "../credentials/index.ts";
import type { Random } from "../runtime/index.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Settings } from "./options.ts";
import { openTunnel } from "./proxy.ts";

/** The TLS context of one client: its certificate if it has one, and whom it trusts. */
export function openContext(identity: Identity, ca: readonly (string | Uint8Array)[]): SecureContext {
  const extra = ca.map((each) => (typeof each === "string" ? each : Buffer.from(each)));
  return createSecureContext({
    minVersion: "TLSv1.2",
    // HTTP/2 forbids a second handshake within TLS 1.2 (RFC 9113 §9.2.1); TLS 1.3 has none.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...identity.tls,
    // A list given to TLS replaces Node's own, so that one has to be in it.
    ...(extra.length === 0 ? {} : { ca: [...rootCertificates, ...extra] }),
  });
}

/**
 * Opens one TLS socket, through the proxy where there is one. The name is looked up anew, its addresses are shuffled so that
 * connections spread over them, and all are tried. The peer must prove who it is whatever the environment says.
 *
 * `opened` gets the socket before its handshake; without a proxy that is at once. `failed` is told where there will be none.
 */
export function dial(
  settings: Settings,
  secureContext: SecureContext,
  opened: (socket: TLSSocket) => void,
  failed: (error: Error) => void,
): { destroy(): void } {
  const { endpoint, proxy, random, lookup = lookUp as LookupFunction } = settings;
  const shuffling = shuffled(lookup, random);
  if (proxy === undefined) {
    const socket = openTls(endpoint, secureContext, { lookup: shuffling });
    opened(socket);
    return socket;
  }
  return openTunnel(proxy, endpoint, shuffling, (result) => {
    if (result instanceof Error) failed(result);
    else opened(openTls(endpoint, secureContext, { socket: result }));
  });
}

function openTls(
  endpoint: Endpoint,
  secureContext: SecureContext,
  transport: { readonly lookup: LookupFunction } | { readonly socket: Socket },
): TLSSocket {
  // `autoSelectFamily` is passed on to `net.connect`; the types of `tls.connect` do not know it.
  const options: ConnectionOptions & { autoSelectFamily: boolean } = {
    host: endpoint.host,
    port: endpoint.port,
    ...(isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {}),
    ALPNProtocols: ["h2"],
    secureContext,
    rejectUnauthorized: true,
    autoSelectFamily: true,
    ...transport,
  };
  return connect(options);
}

/** Why a connection could not be made, in words that say what to look at. */
export function explainFailure(error: Error & { code?: string }, endpoint: Endpoint): string {
  const where = `${endpoint.host}:${endpoint.port}`;
  const inner = (error as Partial<AggregateError>).errors?.[0] as Error | undefined;
  return `${where}: ${error.message || inner?.message || error.code || "the connection failed"}`;
}

/** Whether the peer's certificate was the reason: then trying again cannot help until somebody acts. */
export function isVerificationFailure(error: Error & { code?: string }): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|HOSTNAME_MISMATCH|INVALID_CA/.test(error.code ?? "");
}

/** Every address of a name, in an order of chance. */
function shuffled(lookup: LookupFunction, random: Random): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null || !Array.isArray(addresses)) return callback(error, addresses);
      for (let left = addresses.length - 1; left > 0; left -= 1) {
        const other = Math.floor(random() * (left + 1));
        [addresses[left], addresses[other]] = [addresses[other]!, addresses[left]!];
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
