import { type Credentials, openCredentials } from "../credentials/index.ts";
import { ApnsError, type Clock, type Logger, silentLogger, systemClock } from "../runtime/index.ts";
import { mostPayloadBytes } from "./binary-notification.ts";
import { openContext, type Peer } from "./open-tls.ts";

/** Where the gateway or the feedback service is, and how to prove who is asking. */
export interface BinaryPeerOptions {
  /** Apple's hosts of this protocol are gone: a bridge's, or a simulator's. */
  readonly host: string;
  /** @default 2195; of the feedback service 2196 */
  readonly port?: number;
  /** The push certificate: `kind` "certificate" (PEM) or "pkcs12". There are no provider tokens in this protocol. */
  readonly credentials: Credentials;
  /** Trust anchors (PEM) beside those that Node brings. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** @default "TLSv1.2" */
  readonly minTls?: "TLSv1" | "TLSv1.1" | "TLSv1.2";
  /** Name look-up, TCP and TLS together, 1 to 600 000 ms. @default 10 000 */
  readonly connectTimeoutMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

export interface BinaryClientOptions extends BinaryPeerOptions {
  /**
   * How it is learned that a notification was accepted, of which the gateway says nothing. "proof": behind the last one a
   * notification that is known to be bad is written, whose error proves all before it accepted and ends the connection. "silence":
   * nothing is written; what is not refused within `silenceMs` is reported as `indeterminate`. @default "proof"
   */
  readonly confirmation?: "proof" | "silence";
  /** With "proof": how long nothing more must have come to be sent before it is asked for, 0 to 60 000 ms. @default 100 */
  readonly confirmAfterMs?: number;
  /** With "silence": 1 to 600 000 ms. @default 2 500, as long as clients of that time waited */
  readonly silenceMs?: number;
  /** How long the proof may take, 1 to 600 000 ms. @default 10 000 */
  readonly answerTimeoutMs?: number;
  /** A connection that nothing was written on for so long is not written on any more, 1 to 86 400 000 ms. @default 600 000 */
  readonly mostIdleMs?: number;
  /** Notifications written on a connection and not settled, at most, 1 to 100 000. @default 1 000 */
  readonly windowSize?: number;
  /** Connections that are written on at once, 1 to 100. @default 1 */
  readonly connections?: number;
  /** Sends waiting or under way at most, 1 to 10 000 000; one more is answered `unprocessed`. @default 100 000 */
  readonly maxOutstanding?: number;
  /** How often connecting is tried before what waits is answered `unprocessed`, 1 to 100. @default 3 */
  readonly connectAttempts?: number;
  /** Longest payload in bytes, 1 to 65 535; the retired gateway took 2048. @default 4 096 */
  readonly mostPayloadBytes?: number;
  readonly logger?: Logger;
}

/** Options, checked and complete. */
export interface BinarySettings {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly confirmation: "proof" | "silence";
  readonly confirmAfterMs: number;
  readonly silenceMs: number;
  readonly answerTimeoutMs: number;
  readonly mostIdleMs: number;
  readonly windowSize: number;
  readonly connections: number;
  readonly maxOutstanding: number;
  readonly connectAttempts: number;
  readonly mostPayloadBytes: number;
}

const numbers = {
  confirmAfterMs: [0, 60_000, 100],
  silenceMs: [1, 600_000, 2500],
  answerTimeoutMs: [1, 600_000, 10_000],
  mostIdleMs: [1, 86_400_000, 600_000],
  windowSize: [1, 100_000, 1000],
  connections: [1, 100, 1],
  maxOutstanding: [1, 10_000_000, 100_000],
  connectAttempts: [1, 100, 3],
  mostPayloadBytes: [1, 65_535, mostPayloadBytes],
} as const satisfies Partial<Record<keyof BinarySettings, readonly [number, number, number]>>;

/** @throws ApnsError `bad-option`, `bad-certificate` or `bad-key`, each with what to do */
export function readClientOptions(options: BinaryClientOptions): BinarySettings {
  const { confirmation = "proof" } = options;
  const problems = new Problems();
  const peer = readPeer(options, 2195, problems);
  problems.check(
    confirmation === "proof" || confirmation === "silence",
    "confirmation",
    'must be "proof" or "silence"',
  );
  const read = (name: keyof typeof numbers): number => {
    const [least, most, fallback] = numbers[name];
    return problems.number(name, options[name], least, most, fallback);
  };
  const settings = {
    ...{ confirmAfterMs: read("confirmAfterMs"), silenceMs: read("silenceMs") },
    ...{ answerTimeoutMs: read("answerTimeoutMs"), mostIdleMs: read("mostIdleMs") },
    ...{ windowSize: read("windowSize"), connections: read("connections") },
    ...{ maxOutstanding: read("maxOutstanding"), connectAttempts: read("connectAttempts") },
    mostPayloadBytes: read("mostPayloadBytes"),
  };
  problems.throwIfAny();
  const { clock = systemClock, logger = silentLogger } = options;
  return { peer: peer(), clock, logger, confirmation, ...settings };
}

/** @throws ApnsError like `readClientOptions` */
export function readFeedbackOptions(options: BinaryPeerOptions): Peer {
  const problems = new Problems();
  const peer = readPeer(options, 2196, problems);
  problems.throwIfAny();
  return peer();
}

/** Credentials are opened when all else is right. */
function readPeer(options: BinaryPeerOptions, usualPort: number, problems: Problems): () => Peer {
  const { host, credentials, minTls = "TLSv1.2" } = options;
  const port = problems.number("port", options.port, 1, 65_535, usualPort);
  const connectTimeoutMs = problems.number("connectTimeoutMs", options.connectTimeoutMs, 1, 600_000, 10_000);
  problems.check(typeof host === "string" && /^[\w.:-]{1,255}$/.test(host), "host", "must be a host name");
  problems.check(
    ["TLSv1", "TLSv1.1", "TLSv1.2"].includes(minTls),
    "minTls",
    'must be "TLSv1", "TLSv1.1" or "TLSv1.2"',
  );
  problems.check(
    credentials?.kind === "certificate" || credentials?.kind === "pkcs12",
    "credentials.kind",
    'must be "certificate" or "pkcs12": this protocol has no provider tokens',
  );
  return () => {
    const { tls } = openCredentials(credentials, options.clock ?? systemClock);
    return { host, port, connectTimeoutMs, context: openContext(tls, options.ca, minTls) };
  };
}

class Problems {
  private readonly all: { field: string; detail: string }[] = [];

  check(isRight: boolean, field: string, detail: string): void {
    if (!isRight) this.all.push({ field, detail });
  }

  number(field: string, value: number | undefined, least: number, most: number, fallback: number): number {
    if (value === undefined) return fallback;
    this.check(
      Number.isInteger(value) && value >= least && value <= most,
      field,
      `must be a whole number from ${least} to ${most}`,
    );
    return value;
  }

  throwIfAny(): void {
    if (this.all.length === 0) return;
    const text = this.all.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    throw new ApnsError("bad-option", text, this.all);
  }
}
