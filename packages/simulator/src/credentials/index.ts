export { type PushCertificate, readPushCertificate } from "@carillon/apns";
export { type CredentialFiles, openCredentialFolder } from "./credential-folder.ts";
export type { ProviderKey } from "./provider-key.ts";
export { completeCredentials, type SimulatorCredentials } from "./simulator-credentials.ts";
