export { type PushCertificate, readPushCertificate } from "@carillon/apns";
export { appleOid } from "@carillon/apns/credentials";
export { type CredentialFiles, openCredentialFolder } from "./credential-folder.ts";
export { makeProviderKey, type ProviderKey, type ProviderKeyScope } from "./provider-key.ts";
export { completeCredentials, type SimulatorCredentials } from "./simulator-credentials.ts";
