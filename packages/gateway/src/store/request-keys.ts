/** What is remembered of a request under a key of its caller's, stored in one step with what the request brought. */
export interface NewRequestKey {
  readonly app: string;
  readonly key: string;
  /** Opaque to the store. */
  readonly record: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The revision that this one takes the place of; absent: nothing is known under this key. */
  readonly replaces?: number;
}

export interface FoundRequestKey {
  readonly record: string;
  readonly atMs: number;
  /** 0 for what was stored first, and one more each time. */
  readonly revision: number;
}

/** The part of the store that remembers which requests were taken. `Store.add` stores the keys. */
export interface RequestKeyStore {
  findRequestKey(app: string, key: string): Promise<FoundRequestKey | undefined>;
  /** Forgets at most `limit` keys that were last stored before this moment. Resolves with how many went. */
  purgeRequestKeys(beforeMs: number, limit: number): Promise<number>;
}
