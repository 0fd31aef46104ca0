import { X509Certificate } from "node:crypto";
import { nameOf } from "./describe-certificate.ts";

/** Whether a certificate leads to an authority that is trusted. */
export type Trust =
  | { readonly kind: "trusted"; readonly root: X509Certificate }
  /** `fault` as TLS names it, with what is missing. */
  | { readonly kind: "untrusted"; readonly fault: string };

const mostLinks = 10;

/**
 * Follows a certificate up to an authority, as TLS does: each link signed by the next and valid now, the last one signed by
 * itself and among `anchors`. An intermediate authority alone is nothing to trust.
 *
 * @param others certificates that come with it
 */
export function followChain(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  nowMs: number,
): Trust {
  let current = leaf;
  for (let links = 0; links < mostLinks; links += 1) {
    if (Date.parse(current.validTo) < nowMs) return untrusted("CERT_HAS_EXPIRED", current);
    if (Date.parse(current.validFrom) > nowMs) return untrusted("CERT_NOT_YET_VALID", current);
    if (isSignedBy(current, current)) {
      const { fingerprint256 } = current;
      const isTrusted = anchors.some((anchor) => anchor.fingerprint256 === fingerprint256);
      return isTrusted ? { kind: "trusted", root: current } : untrusted("SELF_SIGNED_CERT_IN_CHAIN", current);
    }
    const link = current;
    const issuer = [...anchors, ...others].find((each) => isSignedBy(link, each));
    if (issuer === undefined) {
      const missing = `the certificate of ${nameOf(current.issuer)} is missing`;
      return { kind: "untrusted", fault: `UNABLE_TO_GET_ISSUER_CERT, ${missing}` };
    }
    current = issuer;
  }
  return { kind: "untrusted", fault: "CERT_CHAIN_TOO_LONG" };
}

/** All certificates of a PEM text, in their order; what cannot be read is passed over. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return texts.flatMap((text) => {
    try {
      return [new X509Certificate(text)];
    } catch {
      return [];
    }
  });
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false; // a key of a kind that cannot verify
  }
}

function untrusted(code: string, { subject }: X509Certificate): Trust {
  return { kind: "untrusted", fault: `${code}: ${nameOf(subject)}` };
}
