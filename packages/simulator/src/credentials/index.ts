export { type PushCertificate, readPushCertificate } from "@carillon/apns";
export { appleOid } from "@carillon/apns/credentials";
export { issueAuthority, issueServerCertificate } from "./certificate-issuer.ts";
export { type CredentialFiles, openCredentialFolder } from "./credential-folder.ts";
export { makeProviderKey, type ProviderKey, type ProviderKeyScope } from "./provider-key.ts";
export { completeCredentials, type SimulatorCredentials, serverNames } from "./simulator-credentials.ts";
