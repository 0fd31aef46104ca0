import type { Credentials } from "@carillon/apns";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** Everything that a gateway is told before it starts; checked, complete, secrets loaded. */
export interface Config {
  readonly listen: { readonly host: string /** 0 takes any free port. */; readonly port: number };
  /** Absolute path of the folder that holds the queue and `admin.key`. */
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly limits?: Limits;
  /** How long notifications are kept after they are settled. */
  readonly retention?: { readonly bodiesMs?: number; readonly recordsMs?: number };
  /** How long events are kept: until either is reached. */
  readonly events?: { readonly keepMs?: number; readonly keepBytes?: number };
  /** How long verdicts on device tokens are kept, since an answer last said so, and where they belong, since that was found. */
  readonly feedback?: { readonly keepMs: number };
  readonly webhooks?: WebhooksConfig;
  /** Seals the secrets of webhooks, 32 bytes; absent: the one in `webhooks.key` of the data folder. */
  readonly sealingKey?: Uint8Array;
  /** The bridge for senders of the retired binary protocol; absent: there is none. */
  readonly binary?: BinaryConfig;
  readonly apps: readonly AppConfig[];
}

/** Bounds; what is absent has the default that the schema names. */
export interface Limits {
  readonly maxQueued?: number;
  readonly maxQueuedBytes?: number;
  readonly maxQueuedPerApp?: number;
  readonly maxQueuedBytesPerApp?: number;
  readonly maxResidentBytes?: number;
  readonly maxInFlightPerRoute?: number;
}

/** Where webhooks may go: by default to port 443 of the open internet, over TLS. */
export interface WebhooksConfig {
  readonly allowHttp?: boolean;
  /** Beside 443. */
  readonly allowPorts?: readonly number[] | "any";
  /** Beside the open internet, each in the form `10.0.0.0/8`. */
  readonly allowNetworks?: readonly string[];
  /** Trust anchors (PEM) beside Node's own. */
  readonly ca?: string;
}

/** Where senders of the retired binary protocol are served, and how. */
export interface BinaryConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly feedbackPort: number;
  /** The server's identity, PEM. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of client certificates, PEM; absent: only those that an app pins are let in. */
  readonly clientCa?: string;
  /** "queued": on disk before anything else. "pass-through": sent to Apple at once, and its answer waited for. */
  readonly mode: "queued" | "pass-through";
  readonly minTls: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
}

export interface AppConfig {
  /** As it stands in URLs. Unique. */
  readonly name: string;
  /** The bundle id, for notifications that name no topic; a push type's suffix is added to it. */
  readonly topic: string;
  /** For notifications that name no environment. */
  readonly environment: "production" | "sandbox";
  readonly credentials: Credentials;
  /** Another server than Apple's, `https://host[:port]`. It stands for `environment`, and the app has no other then. */
  readonly endpoint?: string;
  /** Trust anchors (PEM) beside the system's. */
  readonly ca?: string;
  /** Notifications a second at most, on all its ways to Apple together. */
  readonly rateLimit?: number;
  /** SHA-256 of client certificates that are this app's over the binary protocol, whoever signed them; 64 capital hex digits. */
  readonly fingerprints?: readonly string[];
  /** Whether a notification that names no environment is tried once in the other one after BadDeviceToken. @default false */
  readonly resolveEnvironment?: boolean;
  /** What becomes of a notification to a device token that is gone, when it is submitted. @default "send" */
  readonly goneTokens?: "send" | "deny";
  /** What happens, beside an event and no verdicts, when many of its device tokens turn bad at once. @default "hold" */
  readonly massRemoval?: "hold" | "pause";
}

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Where it was written: `carillon.yaml:12`, or the name of an environment variable. */
  readonly where: string;
  /** `apps[0].credentials.token.keyId`; empty where the whole file is meant. */
  readonly path: string;
  /** What is wrong and what to do about it, in sentences. Holds no secret. */
  readonly detail: string;
}

/** Something that works, and that somebody should know. */
export interface ConfigWarning {
  readonly kind: "unknown-variable" | "old-pkcs12" | "expired" | "old-tls";
  /** A sentence, with its place. Holds no secret. */
  readonly detail: string;
}
