import type { FramesSeen } from "../http2/index.ts";
import type { UsedProviderToken } from "../verdict/index.ts";

/** The port that a client came to, by what it is for. */
export type Port = "push" | "channels" | "binary" | "feedback";

/** What is known about one connection, as of now. */
export interface Connection extends FramesSeen {
  /** Counts from 1 in the order in which TCP connections were made; those that never got through TLS are not listed. */
  readonly number: number;
  readonly port: Port;
  /** What is spoken on it. */
  readonly protocol: "http/2" | "binary" | "feedback";
  /** By the simulator's clock, milliseconds since 1970. */
  readonly openedAtMs: number;
  /** Undefined while it is open. */
  readonly closedAtMs: number | undefined;
  /** Such as "TLSv1.3". */
  readonly tls: string;
  /** What the client proves with who it is. */
  readonly sender: "token" | "certificate" | "bad-certificate";
  /** Requests that came whole; frames of the binary protocol. */
  readonly requests: number;
  /** The provider tokens that were accepted on it, one for each change, oldest first; the newest 20. */
  readonly providerTokens: readonly UsedProviderToken[];
  /** The rules of a scenario that applied on it, oldest first; the newest 100. */
  readonly applied: readonly {
    readonly rule: string;
    /** By the simulator's clock, milliseconds since 1970. */
    readonly atMs: number;
    /** Undefined for what happened to the connection as a whole. */
    readonly stream: number | undefined;
  }[];
  /** How the client broke the protocol, if it did. */
  readonly fault: string | undefined;
}

/** A connection that goes on telling how it is. */
export interface ConnectionSource {
  readonly report: Connection;
}

/** Closed connections remembered at most; those closed first are forgotten first. */
const mostClosed = 1000;

/** The connections: all that are open, and the newest 1,000 that are closed. */
export class Connections {
  private readonly open = new Map<number, ConnectionSource>();
  private readonly closed: Connection[] = [];

  /** In the order of their numbers. */
  get all(): readonly Connection[] {
    const open = [...this.open.values()].map(({ report }) => report);
    return [...this.closed, ...open].sort((one, other) => one.number - other.number);
  }

  find(number: number): Connection | undefined {
    return this.open.get(number)?.report ?? this.closed.find((each) => each.number === number);
  }

  opened(number: number, source: ConnectionSource): void {
    this.open.set(number, source);
  }

  /** From now on what it told last stays. */
  ended(number: number): void {
    const source = this.open.get(number);
    if (source === undefined) return;
    this.open.delete(number);
    this.closed.push(source.report);
    if (this.closed.length > mostClosed) this.closed.shift();
  }

  /** Forgets those that are closed. */
  clear(): void {
    this.closed.length = 0;
  }
}
