/** What the answers to pushes say about a device token. */
export type VerdictKind = "gone" | "suspect";

/** One answer's word about one device token. */
export interface NewVerdict {
  readonly app: string;
  readonly environment: string;
  /** Lower-case hex. */
  readonly deviceToken: string;
  readonly verdict: VerdictKind;
  /** Apple's word. */
  readonly reason: string;
  /** Since when it is gone, as Apple says; epoch milliseconds. */
  readonly sinceMs?: number;
  /** The notification that was answered so. */
  readonly notificationId: string;
}

export interface StoredVerdict extends NewVerdict {
  /** Of the event that told of it. */
  readonly cursor: number;
  /** The first and the latest answer that said so, epoch milliseconds, and how many there were. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly answers: number;
}

/** A sign that a device token is good after all. */
export interface Restoration {
  readonly app: string;
  /** Absent: in both. */
  readonly environment?: string;
  readonly deviceToken: string;
  /** It was good at this moment, epoch milliseconds: what is said of a later one stays. Absent: whatever was said. */
  readonly goodAtMs?: number;
  /** Why, in one word; told with the event. */
  readonly cause: string;
}

/**
 * Verdicts on device tokens. One that is new, or worse than the last, is told as an event `token.gone` or
 * `token.suspect`; one that is taken back as `token.restored`. A token that is gone is not made suspect.
 */
export interface VerdictStore {
  /** For answers that no settlement writes down. */
  passVerdicts(verdicts: readonly NewVerdict[], atMs: number): Promise<void>;
  /** Resolves with how many verdicts were taken back. */
  restore(restorations: readonly Restoration[], atMs: number): Promise<number>;
  /** In the order of their cursors, behind `after`. */
  listVerdicts(app: string, after: number, limit: number): Promise<readonly StoredVerdict[]>;
  /** What is held against one device token, in each environment. */
  verdictsOn(app: string, deviceToken: string): Promise<readonly StoredVerdict[]>;
  /** Which of these are gone. */
  findGone(
    app: string,
    environment: string,
    deviceTokens: readonly string[],
  ): Promise<readonly StoredVerdict[]>;
  /** Forgets verdicts that no answer has confirmed since `beforeMs`; resolves with how many went. */
  purgeVerdicts(beforeMs: number, limit: number): Promise<number>;
}
