import { createPrivateKey, X509Certificate } from "node:crypto";
import { createRequire } from "node:module";
import { createSecureContext } from "node:tls";
import type { CertificateCredentials, Pkcs12Credentials } from "@carillon/apns";
import type { asn1, pkcs12 } from "node-forge";

/**
 * The certificate and the key out of a .p12 file that is encrypted with RC2, as Keychain Access long exported them and OpenSSL 3 no
 * longer reads. Undefined where the file is of no such kind, or cannot be read this way either: the client then says what is
 * wrong with it. A passphrase that does not fit is such a case; OpenSSL tells it before it looks at the encryption.
 */
export function openOldPkcs12(credentials: Pkcs12Credentials): CertificateCredentials | undefined {
  if (!isRefusedAsOld(credentials)) return undefined;
  try {
    return pickPair(readBags(credentials));
  } catch {
    return undefined; // whatever it is, it is no .p12 file that anybody could read
  }
}

function isRefusedAsOld({ data, passphrase }: Pkcs12Credentials): boolean {
  try {
    createSecureContext({ pfx: Buffer.from(data), ...(passphrase === undefined ? {} : { passphrase }) });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_CRYPTO_UNSUPPORTED_OPERATION";
  }
}

/** What lies in a file: private keys (PKCS#8) and certificates, all DER. */
interface Bags {
  readonly keys: readonly Buffer[];
  readonly certificates: readonly Buffer[];
}

/** Throws where the file cannot be read. */
function readBags({ data, passphrase = "" }: Pkcs12Credentials): Bags {
  // Loaded for such a file only: hardly anybody has one.
  const forge = createRequire(import.meta.url)("node-forge") as typeof import("node-forge");
  const { asn1, pki, pkcs12, util } = forge;
  // Not strict: Keychain Access writes BER.
  const file = asn1.fromDer(util.createBuffer(Buffer.from(data).toString("binary")), false);
  const opened = pkcs12.pkcs12FromAsn1(file, false, passphrase);
  const toBuffer = (value: asn1.Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), "binary");
  const keys: Buffer[] = [];
  const certificates: Buffer[] = [];
  // Where forge does not know the kind of key it leaves the bytes as they were, which is all that is needed.
  for (const bag of opened.safeContents.flatMap(({ safeBags }) => safeBags) as readonly Bag[]) {
    if (bag.type === pki.oids.certBag) {
      certificates.push(toBuffer(bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1));
    } else if (bag.type === pki.oids.keyBag || bag.type === pki.oids.pkcs8ShroudedKeyBag) {
      keys.push(toBuffer(bag.key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(bag.key)) : bag.asn1));
    }
  }
  return { keys, certificates };
}

/** As forge gives them; its types leave out that `cert` and `key` may be null. */
type Bag = Omit<pkcs12.Bag, "cert" | "key"> & {
  readonly cert?: pkcs12.Bag["cert"] | null;
  readonly key?: pkcs12.Bag["key"] | null;
};

/** The first key that has its certificate beside it, with that and the intermediate ones. */
function pickPair({ keys, certificates }: Bags): CertificateCredentials | undefined {
  const all = certificates.map((der) => new X509Certificate(der));
  for (const der of keys) {
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const own = all.find((certificate) => certificate.checkPrivateKey(key));
    if (own === undefined) continue;
    const chain = [own, ...all.filter((certificate) => certificate.ca && certificate !== own)];
    return {
      kind: "certificate",
      cert: chain.map((certificate) => certificate.toString()).join(""),
      key: key.export({ format: "pem", type: "pkcs8" }),
    };
  }
  return undefined;
}
