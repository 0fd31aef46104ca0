import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { duplexPair } from "node:stream";
import { connect, createServer, type TLSSocket } from "node:tls";
import { type CertificateCredentials, type Pkcs12Credentials, systemClock } from "@carillon/apns";
import { openCredentials } from "@carillon/apns/credentials";
import { doorContext, type PresentedCertificate, presentedBy } from "../bridge/index.ts";
import type { BinaryConfig } from "../config/index.ts";
import { followChain, readCertificates } from "./chain.ts";

/**
 * What the bridge's door would see of a sender with this certificate and key: a handshake in memory, with the door's own settings.
 * @throws Error of TLS where the handshake fails
 */
export async function presentToDoor(
  config: BinaryConfig,
  credentials: CertificateCredentials | Pkcs12Credentials,
): Promise<PresentedCertificate | undefined> {
  const [outside, inside] = duplexPair();
  // It never listens.
  const door = createServer({ ...doorContext(config), requestCert: true, rejectUnauthorized: false });
  const { tls } = openCredentials(credentials, systemClock);
  const failed = once(door, "tlsClientError").then(([error]) => {
    throw error;
  });
  const opened = once(door, "secureConnection") as Promise<[TLSSocket]>;
  door.emit("connection", inside);
  const sender = connect({ socket: outside, ...tls, rejectUnauthorized: false });
  sender.on("error", () => undefined); // the door tells
  try {
    const [socket] = await Promise.race([opened, failed]);
    socket.on("error", () => undefined);
    const presented = presentedBy(socket);
    socket.destroy();
    return presented;
  } finally {
    sender.destroy();
  }
}

/** The same of a certificate whose key is not at hand: its chain is followed as TLS would. */
export function presentWithoutKey(
  { clientCa = "" }: Pick<BinaryConfig, "clientCa">,
  [leaf, ...others]: readonly X509Certificate[],
  nowMs: number,
): PresentedCertificate | undefined {
  if (leaf === undefined) return undefined;
  const trust = followChain(leaf, others, readCertificates(clientCa), nowMs);
  return {
    raw: leaf.raw,
    fingerprint: leaf.fingerprint256.replaceAll(":", ""),
    fault: trust.kind === "trusted" ? undefined : trust.fault,
  };
}
