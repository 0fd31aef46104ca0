import "reflect-metadata";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readPushCertificate } from "@carillon/apns";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as PeculiarCertificate,
  SubjectKeyIdentifierExtension,
} from "@peculiar/x509";
import { expect, test } from "vitest";
import { issueAuthority, issuePushCertificate, issueServerCertificate } from "./certificate-issuer.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const authority = issueAuthority(nowMs);
const server = issueServerCertificate(authority, ["localhost", "127.0.0.1", "::1", "2001:db8::8:1"], nowMs);
const client = issuePushCertificate(
  authority,
  {
    topic: "com.example.demo",
    teamId: "DEF123GHIJ",
    environments: ["sandbox"],
    topics: [
      ["com.example.demo", "app"],
      ["com.example.demo.voip", "voip"],
    ],
  },
  nowMs,
);

test("each certificate has the key that belongs to it, and the authority signed it", () => {
  const { publicKey } = new X509Certificate(authority.cert);
  for (const { cert, key } of [authority, server, client]) {
    const certificate = new X509Certificate(cert);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.verify(publicKey)).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(authority.cert))).toBe(true);
  }
});

test("the authority may sign leaves and nothing else; leaves sign nothing", () => {
  const [ca, leaf] = [new PeculiarCertificate(authority.cert), new PeculiarCertificate(server.cert)];
  expect(ca.getExtension(BasicConstraintsExtension)).toMatchObject({
    ca: true,
    pathLength: 0,
    critical: true,
  });
  expect(ca.getExtension(KeyUsagesExtension)?.usages).toBe(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
  expect(leaf.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
  expect(leaf.getExtension(KeyUsagesExtension)?.usages).toBe(KeyUsageFlags.digitalSignature);
  expect(leaf.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(
    ca.getExtension(SubjectKeyIdentifierExtension)?.keyId,
  );
});

test("key identifiers are the SHA-1 of the public point", async () => {
  const certificate = new PeculiarCertificate(server.cert);
  const identifier = Buffer.from(await certificate.publicKey.getKeyIdentifier()).toString("hex");
  expect(certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId).toBe(identifier);
});

test("the server certificate names hosts and addresses, and is for servers", () => {
  const certificate = new X509Certificate(server.cert);
  expect(certificate.checkHost("localhost")).toBe("localhost");
  for (const address of ["127.0.0.1", "::1", "2001:db8::8:1"])
    expect(certificate.checkIP(address)).toBe(address);
  expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

test("the client certificate has Apple's form", () => {
  const certificate = new X509Certificate(client.cert);
  expect(certificate.subject.split("\n")).toEqual([
    "UID=com.example.demo",
    "CN=Apple Push Services: com.example.demo",
    "OU=DEF123GHIJ",
    "O=Carillon simulator",
  ]);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(readPushCertificate(certificate.raw)).toMatchObject({
    mainTopic: "com.example.demo",
    topics: ["com.example.demo", "com.example.demo.voip"],
    environments: ["sandbox"],
  });
});

test("leaves live 397 days, the authority ten years, both from a day before now", () => {
  const lives = [authority, server].map(({ cert }) => {
    const { validFrom, validTo } = new X509Certificate(cert);
    return [validFrom, validTo].map((text) => (Date.parse(text) - nowMs) / 86_400_000);
  });
  expect(lives).toEqual([
    [-1, 3649],
    [-1, 396],
  ]);
});

test("two authorities can be told apart in one trust store", () => {
  const [a, b] = [new X509Certificate(authority.cert), new X509Certificate(issueAuthority(nowMs).cert)];
  expect(a.subject).not.toBe(b.subject);
  expect(a.serialNumber).not.toBe(b.serialNumber);
});
