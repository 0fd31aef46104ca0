import { createPrivateKey, X509Certificate } from "node:crypto";
import { readPushCertificate } from "@carillon/apns";
import {
  type IssuedCertificate,
  issueAuthority,
  issuePushCertificate,
  issueServerCertificate,
} from "./certificate-issuer.ts";
import { findProviderKeyFault, makeProviderKey, type ProviderKey } from "./provider-key.ts";

/** Everything that both sides need to trust each other. */
export interface SimulatorCredentials {
  readonly authority: IssuedCertificate;
  readonly server: IssuedCertificate;
  readonly providerKey: ProviderKey;
  /** The client certificate, in the form of Apple's. */
  readonly client: IssuedCertificate;
}

/** Names in the server certificate. */
export const serverNames = ["localhost", "127.0.0.1", "::1"] as const;

/** A certificate that ends sooner than this is replaced at the start, so that it holds while the simulator runs. */
const leastRemainingMs = 86_400_000;

/** What was found of earlier credentials; whatever is missing was not there at all. */
export type FoundCredentials = Partial<SimulatorCredentials>;

export interface CompletedCredentials {
  readonly credentials: SimulatorCredentials;
  /** One sentence for each part that was there and had to be replaced. */
  readonly notices: readonly string[];
}

/**
 * Keeps what is good of `found` and makes what is missing, unreadable, unfit for `topic` or about to expire. An authority
 * is kept as long as possible, because people put it into trust stores; a new one means new certificates under it.
 */
export function completeCredentials(
  found: FoundCredentials,
  topic: string,
  nowMs: number,
): CompletedCredentials {
  const notices: string[] = [];
  const keep = <Part>(
    what: string,
    part: Part | undefined,
    fault: (part: Part) => string | undefined,
    make: () => Part,
  ): Part => {
    const reason = part === undefined ? undefined : fault(part);
    if (part !== undefined && reason === undefined) return part;
    if (reason !== undefined) notices.push(`${what} was made anew: ${reason}.`);
    return make();
  };
  const providerKey = keep("The provider key", found.providerKey, findProviderKeyFault, makeProviderKey);
  const authority = keep(
    "The certificate authority",
    found.authority,
    (part) => findCertificateFault(part, part, nowMs),
    () => issueAuthority(nowMs),
  );
  const server = keep(
    "The server certificate",
    found.server,
    (part) => findCertificateFault(part, authority, nowMs) ?? findNameFault(part),
    () => issueServerCertificate(authority, [...serverNames], nowMs),
  );
  const client = keep(
    "The client certificate",
    found.client,
    (part) => findCertificateFault(part, authority, nowMs) ?? findTopicFault(part, topic),
    () => issuePushCertificate(authority, describePushCertificate(topic, providerKey.teamId), nowMs),
  );
  return { credentials: { authority, server, providerKey, client }, notices };
}

function describePushCertificate(topic: string, teamId: string) {
  const topics = [
    [topic, "app"],
    [`${topic}.voip`, "voip"],
    [`${topic}.complication`, "complication"],
  ] as const;
  return { topic, teamId, environments: ["sandbox", "production"], topics } as const;
}

/** Why a certificate and its key are of no use under `authority`, or undefined where they are. */
function findCertificateFault(
  part: IssuedCertificate,
  authority: IssuedCertificate,
  nowMs: number,
): string | undefined {
  try {
    const certificate = new X509Certificate(part.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(part.key)))
      return "its key belongs to another certificate";
    if (!certificate.verify(new X509Certificate(authority.cert).publicKey))
      return "another authority signed it";
    if (Date.parse(certificate.validTo) - nowMs < leastRemainingMs)
      return `it expires ${certificate.validTo}`;
    return Date.parse(certificate.validFrom) > nowMs
      ? `it is valid from ${certificate.validFrom} only`
      : undefined;
  } catch {
    return "it is unreadable";
  }
}

function findNameFault(part: IssuedCertificate): string | undefined {
  const certificate = new X509Certificate(part.cert);
  const missing = serverNames.filter(
    (name) => certificate.checkHost(name) === undefined && certificate.checkIP(name) === undefined,
  );
  return missing.length === 0 ? undefined : `it does not name ${missing.join(", ")}`;
}

function findTopicFault(part: IssuedCertificate, topic: string): string | undefined {
  const mainTopic = readPushCertificate(new X509Certificate(part.cert).raw)?.mainTopic;
  return mainTopic === topic ? undefined : `it is for ${mainTopic}, not for ${topic}`;
}
