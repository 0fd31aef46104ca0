/** What `carillon doctor` looks at: configuration, data folder, credentials, the bridge, a sender's certificate, the way to Apple. */
export type { SenderCertificate } from "./check-sender.ts";
export { examine } from "./examination.ts";
export type { Finding } from "./finding.ts";
