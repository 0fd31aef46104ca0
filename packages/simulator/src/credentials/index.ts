export { type CredentialFiles, openCredentialFolder } from "./credential-folder.ts";
export type { ProviderKey } from "./provider-key.ts";
export { type PushCertificate, readPushCertificate } from "./push-certificate.ts";
export { completeCredentials, type SimulatorCredentials } from "./simulator-credentials.ts";
