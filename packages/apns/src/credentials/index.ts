/** Who the sender is: provider keys and the tokens they sign, certificates and what Apple wrote into them. */
export { appleOid, userIdOid } from "./apple-identifiers.ts";
export {
  type CertificateFinding,
  type CertificateFindings,
  type CertificateUse,
  findCertificateFaults,
} from "./certificate-faults.ts";
export { clockSkewMs, describeSkew, explainRefusedToken } from "./clock-skew.ts";
export {
  type CertificateCredentials,
  type Credentials,
  certificateOf,
  type Identity,
  openCredentials,
  type Pkcs12Credentials,
  type TokenCredentials,
} from "./credentials.ts";
export { type DerNode, derTag, readDer, readObjectIdentifier } from "./der-reader.ts";
export { loadProviderKey } from "./provider-key.ts";
export {
  type ProviderTokenClaims,
  type ReadProviderToken,
  readProviderToken,
  signProviderToken,
  verifyProviderToken,
} from "./provider-token.ts";
export {
  type ProviderTokenCache,
  ProviderTokenSource,
  providerTokenSource,
} from "./provider-token-source.ts";
export { type PushCertificate, readPushCertificate } from "./push-certificate.ts";
