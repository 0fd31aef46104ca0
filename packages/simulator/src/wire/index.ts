/** TCP and TLS: who is let in, and the socket under whatever is spoken on it. */
export { type Speaker, SpeakerByFirstByte, type Wire } from "./speaker.ts";
export {
  type Admission,
  listenOn,
  type OldestTls,
  type TlsClient,
  type TlsIdentity,
  TlsListener,
} from "./tls-listener.ts";
