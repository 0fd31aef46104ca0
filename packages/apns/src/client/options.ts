import type { LookupFunction } from "node:net";
import type { Credentials } from "../credentials/index.ts";
import {
  ApnsError,
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from "../runtime/index.ts";
import { type Endpoint, parseChannelsEndpoint, parseEndpoint } from "./endpoint.ts";
import type { ClientEvent } from "./events.ts";
import { type ProxyAddress, parseProxy } from "./proxy.ts";

/** Everything that can be said about a client; all but `credentials` and where to send has a default. */
export interface ApnsClientOptions {
  /** Apple's hosts. Exactly one of `environment` and `endpoint`. */
  readonly environment?: "production" | "sandbox";
  /** With `environment`: 2197 where a firewall lets only that through. @default 443 */
  readonly port?: 443 | 2197;
  /** Another server that speaks APNs: `https://host[:port]`. */
  readonly endpoint?: string;
  /**
   * Where broadcast channels are managed: `https://host[:port]`.
   * @default Apple's management host of the environment, port 2196 or 2195; with `endpoint` that one
   */
  readonly channelsEndpoint?: string;
  /** Connects through an HTTP proxy, by CONNECT: `http://[user:password@]host:port`. @default none, whatever the environment says */
  readonly proxy?: string;
  readonly credentials: Credentials;
  /**
   * Bundle id for notifications that name no topic; the push type's suffix is added.
   * @default the main topic of the certificate, where there is one
   */
  readonly topic?: string;
  /** Trust anchors (PEM) beside those that Node brings. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** "lenient" sends what contradicts Apple's rules, for Apple to judge, and only logs what is wrong with a certificate. @default "strict" */
  readonly validation?: "strict" | "lenient";
  /** How long `send` may take in all, tries and waiting included, 1 to 86 400 000 ms. @default 60 000 */
  readonly deadlineMs?: number;
  /** How long one written request may go unanswered, 1 to 600 000 ms. @default 20 000 */
  readonly requestTimeoutMs?: number;
  /** Name look-up, TCP, TLS and SETTINGS together, 1 to 600 000 ms. @default 10 000 */
  readonly connectTimeoutMs?: number;
  /** A connection with requests open and this long without a byte gets a PING, 1 to 600 000 ms. @default 3 000 */
  readonly pingAfterMs?: number;
  /** A PING this long without any byte back ends the connection, 1 to 600 000 ms. @default 4 000 */
  readonly pingTimeoutMs?: number;
  /** An idle connection gets a PING so often, 1 000 to 86 400 000 ms. @default 600 000 */
  readonly idlePingMs?: number;
  /** Connections at most, 1 to 1 000. @default 40 */
  readonly maxConnections?: number;
  /** Sends waiting or under way at most, 1 to 10 000 000; one more is answered `unprocessed`. @default 2 000 000 */
  readonly maxOutstanding?: number;
  readonly retry?: RetryOptions;
  readonly logger?: Logger;
  /** Told what happens to connections and credentials. It must be quick; what it throws is logged and forgotten. */
  readonly onEvent?: (event: ClientEvent) => void;
  /** Looks names up in place of `dns.lookup`; asked for all addresses of a name, anew for each connection. */
  readonly lookup?: LookupFunction;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests. */
  readonly random?: Random;
  /** For tests: the first stream id of each connection, an odd number. */
  readonly firstStreamId?: number;
}

export interface RetryOptions {
  /** Tries that APNs may have seen, 1 to 100; 1 leaves trying again to the caller. @default 5 */
  readonly attempts?: number;
  /** The wait before the second try; doubled each time, with jitter, 1 to 900 000 ms. @default 1 000 */
  readonly baseDelayMs?: number;
  /** The longest wait that is doubled up to, 1 to 86 400 000 ms. @default 900 000, Apple's 15 minutes */
  readonly maxDelayMs?: number;
}

/** Options, checked and complete. */
export interface Settings {
  /** Undefined where `endpoint` was given: nobody knows whose side that is. */
  readonly environment: "production" | "sandbox" | undefined;
  readonly endpoint: Endpoint;
  readonly channelsEndpoint: Endpoint;
  /** Of a response body this much is kept. */
  readonly mostBodyBytes: number;
  readonly proxy: ProxyAddress | undefined;
  readonly topic: string | undefined;
  readonly ca: readonly (string | Uint8Array)[];
  readonly validation: "strict" | "lenient";
  readonly deadlineMs: number;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly pingAfterMs: number;
  readonly pingTimeoutMs: number;
  readonly idlePingMs: number;
  readonly maxConnections: number;
  readonly maxOutstanding: number;
  readonly retry: Required<RetryOptions>;
  readonly logger: Logger;
  readonly onEvent: (event: ClientEvent) => void;
  readonly lookup: LookupFunction | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly firstStreamId: number;
}

/** @throws ApnsError `bad-option`, naming every option that is out of range */
export function readOptions(options: ApnsClientOptions): Settings {
  const problems: { field: string; detail: string }[] = [];
  const whole = (
    name: string,
    value: number | undefined,
    fallback: number,
    least: number,
    most: number,
  ): number => {
    if (value === undefined) return fallback;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    problems.push({
      field: name,
      detail: `must be a whole number from ${least} to ${most}, not ${String(value)}`,
    });
    return fallback;
  };
  const { retry = {} } = options;
  const endpoint = parseEndpoint(options);
  if (endpoint.kind === "refused") problems.push({ field: "endpoint", detail: endpoint.detail });
  const channels = parseChannelsEndpoint(options, endpoint);
  if (channels.kind === "refused" && channels !== endpoint)
    problems.push({ field: "channelsEndpoint", detail: channels.detail });
  if (options.validation !== undefined && !["strict", "lenient"].includes(options.validation)) {
    problems.push({ field: "validation", detail: 'must be "strict" or "lenient"' });
  }
  const proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy);
  if (options.proxy !== undefined && proxy === undefined) {
    // What was given is not repeated: it holds a password.
    problems.push({ field: "proxy", detail: "must be http://host:port or http://user:password@host:port" });
  }
  for (const name of ["onEvent", "lookup"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      problems.push({ field: name, detail: "must be a function" });
  }
  const settings = {
    environment: options.environment,
    mostBodyBytes: 4096,
    proxy,
    topic: options.topic,
    ca: toList(options.ca),
    validation: options.validation ?? "strict",
    deadlineMs: whole("deadlineMs", options.deadlineMs, 60_000, 1, 86_400_000),
    requestTimeoutMs: whole("requestTimeoutMs", options.requestTimeoutMs, 20_000, 1, 600_000),
    connectTimeoutMs: whole("connectTimeoutMs", options.connectTimeoutMs, 10_000, 1, 600_000),
    pingAfterMs: whole("pingAfterMs", options.pingAfterMs, 3_000, 1, 600_000),
    pingTimeoutMs: whole("pingTimeoutMs", options.pingTimeoutMs, 4_000, 1, 600_000),
    idlePingMs: whole("idlePingMs", options.idlePingMs, 600_000, 1_000, 86_400_000),
    maxConnections: whole("maxConnections", options.maxConnections, 40, 1, 1_000),
    maxOutstanding: whole("maxOutstanding", options.maxOutstanding, 2_000_000, 1, 10_000_000),
    retry: {
      attempts: whole("retry.attempts", retry.attempts, 5, 1, 100),
      baseDelayMs: whole("retry.baseDelayMs", retry.baseDelayMs, 1_000, 1, 900_000),
      maxDelayMs: whole("retry.maxDelayMs", retry.maxDelayMs, 900_000, 1, 86_400_000),
    },
    logger: options.logger ?? silentLogger,
    onEvent: options.onEvent ?? (() => undefined),
    lookup: options.lookup,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    firstStreamId: whole("firstStreamId", options.firstStreamId, 1, 1, 0x7fff_ffff),
  } as const;
  if (problems.length > 0 || endpoint.kind === "refused" || channels.kind === "refused") {
    const all = problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    throw new ApnsError("bad-option", `options of the client: ${all}`, problems);
  }
  return { ...settings, endpoint: endpoint.endpoint, channelsEndpoint: channels.endpoint };
}

function toList(ca: ApnsClientOptions["ca"]): readonly (string | Uint8Array)[] {
  if (ca === undefined) return [];
  return typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
}
