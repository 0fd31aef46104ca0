import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CertificateCredentials } from "@carillon/apns";
import type { Simulator } from "@carillon/simulator";
import { Extension, PemConverter, X509Certificate, X509CertificateGenerator } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** The attribute of the subject that holds a certificate's topic. */
const userIdOid = "0.9.2342.19200300.100.1.1";

/** By which Apple says where a certificate may be used. */
const environmentOids = {
  sandbox: "1.2.840.113635.100.6.3.1",
  production: "1.2.840.113635.100.6.3.2",
} as const;
const derNull = new Uint8Array([5, 0]);

/**
 * A client certificate of the simulator's authority, which must be kept in a folder, for `topic` and until `notAfter`.
 * @param environments that it names
 */
export async function issuePushCertificate(
  { ca, files }: Pick<Simulator, "ca" | "files">,
  topic: string,
  notAfter: Date,
  environments: readonly (keyof typeof environmentOids)[] = [],
): Promise<CertificateCredentials> {
  const folder = dirname(files?.ca ?? "");
  const [pkcs8] = PemConverter.decode(readFileSync(join(folder, "ca-key.pem"), "utf8"));
  const { subtle } = webcrypto;
  const signingKey = await subtle.importKey("pkcs8", pkcs8 as ArrayBuffer, algorithm, false, ["sign"]);
  const keys = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: "03",
    subject: [{ [userIdOid]: [topic] }, { CN: [`Apple Push Services: ${topic}`] }],
    issuer: new X509Certificate(ca).subject,
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: environments.map((name) => new Extension(environmentOids[name], false, derNull)),
  });
  return {
    kind: "certificate",
    cert: certificate.toString("pem"),
    key: PemConverter.encode(await subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
  };
}

/** A client certificate under no authority, marked for these environments as Apple marks them. */
export async function makePushCertificate(
  topic: string,
  environments: readonly (keyof typeof environmentOids)[],
): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "04",
    name: [{ [userIdOid]: [topic] }, { CN: [`Apple Push Services: ${topic}`] }],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: environments.map((name) => new Extension(environmentOids[name], false, derNull)),
  });
  return {
    cert: certificate.toString("pem"),
    key: PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
  };
}
