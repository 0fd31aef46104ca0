import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from "node:crypto";
import { isIP } from "node:net";
import { appleOid, readDer, userIdOid } from "@carillon/apns/credentials";
import {
  derBits,
  derBoolean,
  derInteger,
  derNull,
  derObjectIdentifier,
  derOctets,
  derSequence,
  derSet,
  derTagged,
  derTime,
  derUtf8,
  derValue,
} from "./der-writer.ts";

/** A certificate and its private key (PKCS#8), both PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Days that each kind of certificate is valid. Leaves: what browsers and Apple's platforms accept at most is 398. */
const authorityDays = 3650;
const leafDays = 397;

const dayMs = 86_400_000;

const oid = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  organizationalUnit: "2.5.4.11",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
} as const;

/** Bits of the key usage extension, first bit first (RFC 5280 §4.2.1.3). */
const digitalSignature = derBits(Buffer.from([0x80]), 7);
const keyCertSignAndCrlSign = derBits(Buffer.from([0x06]), 1);

/** A new self-signed authority that may sign leaves and nothing else. */
export function issueAuthority(nowMs: number): IssuedCertificate {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = keys.publicKey.export({ type: "spki", format: "der" });
  const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  // The random part keeps the authorities of two folders apart in one trust store.
  const name = distinguishedName([
    [oid.commonName, `Carillon simulator CA ${randomBytes(4).toString("hex")}`],
    [oid.organization, "Carillon"],
  ]);
  const extensions = [
    extension(oid.basicConstraints, derSequence(derBoolean(true), derInteger(Buffer.from([0]))), "critical"),
    extension(oid.keyUsage, keyCertSignAndCrlSign, "critical"),
    extension(oid.subjectKeyIdentifier, derOctets(keyIdentifier(spki))),
  ];
  const validity = { nowMs, days: authorityDays };
  return { cert: signCertificate({ issuer: name, subject: name, spki, extensions, validity }, key), key };
}

/** A server certificate for DNS names and IP addresses; the first is its common name. */
export function issueServerCertificate(
  authority: IssuedCertificate,
  names: readonly [string, ...string[]],
  nowMs: number,
): IssuedCertificate {
  const subject = distinguishedName([[oid.commonName, names[0]]]);
  return issueLeaf(authority, subject, nowMs, [
    extension(oid.extendedKeyUsage, derSequence(derObjectIdentifier(oid.serverAuth))),
    extension(oid.subjectAltName, derSequence(...names.map(generalName))),
  ]);
}

/** What one of Apple's universal push certificates is made for. */
export interface PushCertificateSubject {
  /** The main topic, an app's bundle id: it becomes the subject's UID. */
  readonly topic: string;
  readonly teamId: string;
  readonly environments: readonly ("sandbox" | "production")[];
  /** Every topic with its kind, the main one included: `["com.example.app.voip", "voip"]`. */
  readonly topics: readonly (readonly [topic: string, kind: string])[];
}

/** A client certificate in the form of Apple's universal push certificates (`apns-protocol` §2.2). */
export function issuePushCertificate(
  authority: IssuedCertificate,
  about: PushCertificateSubject,
  nowMs: number,
): IssuedCertificate {
  const subject = distinguishedName([
    [userIdOid, about.topic],
    [oid.commonName, `Apple Push Services: ${about.topic}`],
    [oid.organizationalUnit, about.teamId],
    [oid.organization, "Carillon simulator"],
  ]);
  const topics = about.topics.flatMap(([topic, kind]) => [derUtf8(topic), derSequence(derUtf8(kind))]);
  return issueLeaf(authority, subject, nowMs, [
    extension(oid.extendedKeyUsage, derSequence(derObjectIdentifier(oid.clientAuth))),
    ...about.environments.map((environment) => extension(appleOid[environment], derNull())),
    extension(appleOid.topics, derSequence(...topics)),
  ]);
}

function issueLeaf(
  authority: IssuedCertificate,
  subject: Buffer,
  nowMs: number,
  purpose: readonly Buffer[],
): IssuedCertificate {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = keys.publicKey.export({ type: "spki", format: "der" });
  const authoritySpki = createPublicKey(authority.key).export({ type: "spki", format: "der" });
  const extensions = [
    extension(oid.basicConstraints, derSequence(), "critical"),
    extension(oid.keyUsage, digitalSignature, "critical"),
    ...purpose,
    extension(oid.subjectKeyIdentifier, derOctets(keyIdentifier(spki))),
    extension(oid.authorityKeyIdentifier, derSequence(derValue(0x80, keyIdentifier(authoritySpki)))),
  ];
  const issuer = subjectOf(authority.cert);
  const validity = { nowMs, days: leafDays };
  const cert = signCertificate({ issuer, subject, spki, extensions, validity }, authority.key);
  return { cert, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

interface Content {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly extensions: readonly Buffer[];
  readonly validity: { readonly nowMs: number; readonly days: number };
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature } (RFC 5280 §4.1), as PEM. */
function signCertificate(content: Content, signingKey: string): string {
  const algorithm = derSequence(derObjectIdentifier(oid.ecdsaWithSha256));
  const { nowMs, days } = content.validity;
  const toBeSigned = derSequence(
    derTagged(0, derInteger(Buffer.from([2]))),
    derInteger(randomBytes(16)),
    algorithm,
    content.issuer,
    // A day before now, for machines whose clocks are behind.
    derSequence(derTime(new Date(nowMs - dayMs)), derTime(new Date(nowMs + (days - 1) * dayMs))),
    content.subject,
    content.spki,
    derTagged(3, derSequence(...content.extensions)),
  );
  const signature = sign("sha256", toBeSigned, createPrivateKey(signingKey));
  return encodePem("CERTIFICATE", derSequence(toBeSigned, algorithm, derBits(signature)));
}

function distinguishedName(attributes: readonly (readonly [oid: string, text: string])[]): Buffer {
  return derSequence(
    ...attributes.map(([id, text]) => derSet(derSequence(derObjectIdentifier(id), derUtf8(text)))),
  );
}

function extension(id: string, value: Buffer, weight: "critical" | "ordinary" = "ordinary"): Buffer {
  const critical = weight === "critical" ? [derBoolean(true)] : [];
  return derSequence(derObjectIdentifier(id), ...critical, derOctets(value));
}

/** GeneralName: dNSName [2] or iPAddress [7] (RFC 5280 §4.2.1.6). */
function generalName(name: string): Buffer {
  const family = isIP(name);
  if (family === 0) return derValue(0x82, Buffer.from(name, "ascii"));
  return derValue(0x87, family === 4 ? Buffer.from(name.split(".").map(Number)) : ipv6Bytes(name));
}

/** The 16 bytes of an IPv6 address without an embedded IPv4 part. */
function ipv6Bytes(address: string): Buffer {
  const [front = "", back = ""] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [head, tail] = [groups(front), groups(back)];
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((group) => [group >>> 8, group & 0xff]));
}

/** SHA-1 over the public point, which ends a P-256 SubjectPublicKeyInfo (RFC 5280 §4.2.1.2, method 1). */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash("sha1")
    .update(spki.subarray(spki.length - 65))
    .digest();
}

/** The subject's bytes as they stand in one of our own certificates, so that issuer and subject match byte by byte. */
function subjectOf(pem: string): Buffer {
  const certificate = readDer(decodePem(pem))?.[0];
  const fields = certificate && readDer(readDer(certificate.content)?.[0]?.content ?? Buffer.alloc(0));
  const subject = fields?.[5];
  if (subject === undefined) throw new Error("the authority's certificate has no subject");
  return derValue(subject.tag, subject.content);
}

function encodePem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function decodePem(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}
