/** A pool at one moment, for people and metrics. */
export interface PoolSnapshot {
  /** Waiting for a connection. */
  readonly queued: number;
  /** Waiting for the time of their next try. */
  readonly delayed: number;
  readonly inFlight: number;
  /** Why a connection ended last, other than by agreement. */
  readonly lastFailure: string | undefined;
  /**
   * By how many milliseconds this machine's clock is ahead of the server's (negative: behind), as its last answer with a date showed.
   * Undefined while that is below a minute or nothing showed it.
   */
  readonly clockSkewMs: number | undefined;
  readonly connections: readonly ConnectionSnapshot[];
}

export interface ConnectionSnapshot {
  /** Counts the connections of this client, from 1. */
  readonly number: number;
  readonly phase: "connecting" | "open" | "draining" | "closed";
  readonly remoteAddress: string | undefined;
  readonly ageMs: number;
  readonly openStreams: number;
  /** What the peer allows; 0 until its SETTINGS came. */
  readonly streamLimit: number;
  readonly answers: number;
  /** The last round trip that was measured, in milliseconds; the first one contains the handshakes. */
  readonly rttMs: number | undefined;
  /** Debug data of a GOAWAY that came: usually `{"reason":"…"}`. */
  readonly lastGoaway: string | undefined;
}
