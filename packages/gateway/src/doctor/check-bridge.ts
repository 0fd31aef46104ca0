import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import type { AppConfig, BinaryConfig, Config } from "../config/index.ts";
import { followChain, readCertificates } from "./chain.ts";
import { describeEnd, hostNamesOf, nameOf } from "./describe-certificate.ts";
import { type Finding, sayAbout } from "./finding.ts";

const say = sayAbout("bridge");
const warnBeforeMs = 30 * 86_400_000;
const serverAuthOid = "1.3.6.1.5.5.7.3.1";

/** What stands against the section `binary`: the certificate that senders see, whom it lets in, how old the TLS may be. */
export function checkBridge(
  { binary, apps }: Pick<Config, "binary" | "apps">,
  nowMs: number,
): readonly Finding[] {
  if (binary === undefined) return [];
  return [
    ...checkListener(binary, nowMs),
    ...checkMinTls(binary),
    ...checkClientCa(binary, nowMs),
    ...checkEntrances(binary, apps),
  ];
}

/** The root that a sender must be told to trust; undefined where systems trust it by themselves. */
export function rootToTrust({ cert }: Pick<BinaryConfig, "cert">, nowMs: number): string | undefined {
  const [leaf, ...others] = readCertificates(cert);
  if (leaf === undefined) return undefined;
  const publicRoots = rootCertificates.map((pem) => new X509Certificate(pem));
  if (followChain(leaf, others, publicRoots, nowMs).kind === "trusted") return undefined;
  return nameOf((others.at(-1) ?? leaf).issuer);
}

function checkListener(binary: BinaryConfig, nowMs: number): readonly Finding[] {
  const [leaf] = readCertificates(binary.cert);
  if (leaf === undefined) return []; // the loader has read one
  const names = hostNamesOf(leaf);
  const endMs = Date.parse(leaf.validTo);
  const root = rootToTrust(binary, nowMs);
  const isSelfSigned = leaf.subject === leaf.issuer;
  const { host, port, feedbackPort, mode } = binary;
  const reach = isLoopback(host)
    ? " (this machine alone reaches that; binary.host: 0.0.0.0 lets others in)"
    : "";
  const findings = [
    say.ok(`listens on ${host}:${port}${reach}, feedback on ${feedbackPort}, ${mode}`),
    say.ok(
      `shows a certificate for ${names.join(", ") || nameOf(leaf.subject)}, ${describeEnd(endMs, nowMs)}`,
    ),
  ];
  if (names.length === 0)
    findings.push(
      say.warning(
        "binary.cert names no host in its subjectAltName",
        "Old senders take the CN; those that check as one does today need the name that they connect to there.",
      ),
    );
  if (endMs < nowMs)
    findings.push(say.problem("binary.cert has expired", "Renew it: senders that check it do not connect."));
  else if (endMs < nowMs + warnBeforeMs)
    findings.push(say.warning("binary.cert is about to expire", "Renew it and start the gateway anew."));
  if (Date.parse(leaf.validFrom) > nowMs)
    findings.push(
      say.problem("binary.cert is not valid yet", "This machine's clock may be behind; look at it first."),
    );
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(serverAuthOid))
    findings.push(
      say.warning("binary.cert is not made for servers", "Make one with the extended key usage serverAuth."),
    );
  if (isSelfSigned)
    findings.push(
      say.warning(
        "binary.cert is signed by itself",
        "Senders that check it need this very certificate as their CA, each time it is renewed; one of an authority lasts.",
      ),
    );
  else if (root !== undefined)
    findings.push(
      say.ok(`systems do not trust ${root} by themselves: senders that check need its certificate as CA`),
    );
  return findings;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function checkMinTls({ minTls, cert }: BinaryConfig): readonly Finding[] {
  if (minTls !== "TLSv1" && minTls !== "TLSv1.1") return [];
  const findings = [
    say.warning(
      `minTls is ${minTls}, whose ciphers are broken`,
      "Let only your own senders reach the ports, and raise it when the last old one is gone.",
    ),
  ];
  const [leaf] = readCertificates(cert);
  if (leaf?.publicKey.asymmetricKeyType === "ec")
    findings.push(
      say.warning(
        "binary.cert has an EC key, and senders that old may know RSA only",
        "If their handshake fails, use a certificate with an RSA key.",
      ),
    );
  return findings;
}

/** Authorities that TLS would trust nobody through. */
function checkClientCa({ clientCa = "" }: BinaryConfig, nowMs: number): readonly Finding[] {
  const authorities = readCertificates(clientCa);
  return authorities.map((authority) => {
    const trust = followChain(authority, [], authorities, nowMs);
    if (trust.kind === "trusted")
      return say.ok(
        `lets in whom ${nameOf(authority.subject)} signed, ${describeEnd(Date.parse(authority.validTo), nowMs)}`,
      );
    return say.problem(
      `binary.clientCa: nobody is let in through ${nameOf(authority.subject)} (${trust.fault})`,
      "The file must lead up to a root that is valid: append the certificates that are missing, up to one signed by itself.",
    );
  });
}

/** Which senders are which app. */
function checkEntrances({ clientCa }: BinaryConfig, apps: readonly AppConfig[]): readonly Finding[] {
  const namesByTopic = new Map<string, string[]>();
  for (const { name, topic } of apps) namesByTopic.set(topic, [...(namesByTopic.get(topic) ?? []), name]);
  return apps.map(({ name, topic, fingerprints = [] }) => {
    const sayApp = sayAbout(`app ${name}`);
    const pinned = fingerprints.length === 0 ? [] : [`${fingerprints.length} pinned by fingerprint`];
    const signed =
      clientCa === undefined ? [] : [`those of clientCa with the UID ${topic}, or a suffix such as .voip`];
    const ways = [...signed, ...pinned];
    if (ways.length === 0)
      return sayApp.warning(
        "no sender of the binary protocol can be this app",
        "If one should, list its certificate's fingerprint as binary.fingerprints of the app, or set binary.clientCa.",
      );
    const others = (namesByTopic.get(topic) ?? []).filter((other) => other !== name);
    if (others.length > 0 && fingerprints.length === 0)
      return sayApp.warning(
        `has its topic in common with ${others.map((other) => `"${other}"`).join(", ")}: a certificate whose environments do not tell them apart is refused`,
        "Pin each sender's certificate to one of them with binary.fingerprints.",
      );
    return sayApp.ok(`certificates that stand for it: ${ways.join("; ")}`);
  });
}
