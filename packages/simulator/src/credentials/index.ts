export { appleOid } from "./apple-identifiers.ts";
export { issueAuthority, issueServerCertificate } from "./certificate-issuer.ts";
export { type CredentialFiles, openCredentialFolder } from "./credential-folder.ts";
export { makeProviderKey, type ProviderKey, type ProviderKeyScope } from "./provider-key.ts";
export { type PushCertificate, readPushCertificate } from "./push-certificate.ts";
export { completeCredentials, type SimulatorCredentials, serverNames } from "./simulator-credentials.ts";
