/** An app that sends nothing until somebody lets it. */
export interface StoredPause {
  readonly app: string;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  /** In the words of whoever paused it. */
  readonly reason?: string;
}

/** Which apps are paused: a part of the store, so that a pause outlives the process and holds for every node. */
export interface PauseStore {
  /** Of an app that is paused already the time stays; the reason becomes this one. */
  pauseApp(pause: StoredPause): Promise<void>;
  /** Without effect on an app that is not paused. */
  resumeApp(app: string): Promise<void>;
  /** In the order of their names. */
  pausedApps(): Promise<readonly StoredPause[]>;
}
