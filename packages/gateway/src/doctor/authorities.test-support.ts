import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  type Extension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;
let serial = 16;

/** A certificate with its key, PEM, and what signs others with it. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly name: string;
  readonly keys: CryptoKeyPair;
}

export interface IssueOptions {
  /** Absent: it signs itself. */
  readonly issuer?: Issued;
  readonly isAuthority?: boolean;
  readonly hosts?: readonly string[];
  /** From now; negative: it is over. @default 100 */
  readonly validDays?: number;
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

/** A certificate, valid since ten days. */
export async function issue(name: string, options: IssueOptions = {}): Promise<Issued> {
  const { issuer, isAuthority = true, hosts = [], validDays = 100 } = options;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions: Extension[] = [new BasicConstraintsExtension(isAuthority, undefined, true)];
  if (hosts.length > 0)
    extensions.push(new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: "dns", value }))));
  serial += 1;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16),
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    notBefore: new Date(Date.now() - 10 * dayMs),
    notAfter: new Date(Date.now() + validDays * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions,
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: certificate.toString("pem"), key: PemConverter.encode(pkcs8, "PRIVATE KEY"), name, keys };
}
