/** The bridge: senders that speak Apple's retired binary protocol, taken in as they are. */
export { Bridge } from "./bridge.ts";
export { identifySender, type PresentedCertificate } from "./sender-identity.ts";
export { doorContext, presentedBy } from "./tls-door.ts";
