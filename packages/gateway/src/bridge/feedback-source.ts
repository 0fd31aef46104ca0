/** A device token that is gone. */
export interface GoneToken {
  /** Lower-case hex. */
  readonly deviceToken: string;
  /** Epoch milliseconds. */
  readonly goneSinceMs: number;
}

export interface GonePage {
  readonly tokens: readonly GoneToken[];
  /** Where the next page begins; the same as was asked for when there is nothing behind it. */
  readonly cursor: number;
}

/** Where the feedback service finds what it tells. A cursor outlives new starts. */
export interface FeedbackSource {
  /** Up to where one app's reader has read. */
  readUpTo(app: string, environment: string): Promise<number>;
  /** What is behind a cursor, in order; `limit` bounds what is looked at. */
  list(app: string, environment: string, after: number, limit: number): Promise<GonePage>;
  /** Everything up to here was read, and is never told again. Resolves when that is on disk. */
  markRead(app: string, environment: string, cursor: number): Promise<void>;
}
