/** What happened, to be told later. */
export interface NewEvent {
  readonly app: string;
  /** Opaque to the store. */
  readonly type: string;
  /** The text of a JSON object, opaque to the store. */
  readonly data: string;
}

/** Some notifications of one batch to which the same happened. */
export interface NotificationRun {
  /** What the ids begin with. */
  readonly batch: string;
  readonly environment: string;
  /** The first and the last place of each stretch, in ascending order. */
  readonly stretches: Uint16Array;
}

export interface StoredEvent {
  /** 1 for the first one, and one more for each that follows. */
  readonly cursor: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly app: string;
  readonly type: string;
  readonly data: string | NotificationRun;
}

/** One thing, by what the log says of it. */
export interface EventSubject {
  /** Runs of this batch. @default no runs */
  readonly batch?: string;
  /** Other events whose data holds this text: an id, a device token. */
  readonly text: string;
}

export interface EventRequest {
  /** Only what comes behind this one; 0 for all. */
  readonly after: number;
  /** Looks no farther than this one. @default as far as one step goes */
  readonly upTo?: number;
  readonly app?: string;
  readonly types: readonly string[];
  /** @default whatever it is about */
  readonly about?: EventSubject;
  /** 1 or more. */
  readonly limit: number;
}

export interface EventSlice {
  readonly events: readonly StoredEvent[];
  /** Everything up to here was looked at. */
  readonly cursor: number;
  /** The oldest that is kept, or 1; the newest that there is, or 0. */
  readonly oldest: number;
  readonly newest: number;
}

export interface EventPurge {
  /** What was appended before this moment goes. */
  readonly beforeMs: number;
  /** So much of the newest stays whatever its size, in bytes; what is older goes. */
  readonly keepBytes: number;
  /** At most so many in one step. */
  readonly limit: number;
}

/**
 * The log of what happened. Events become visible in the order of their cursors, whoever appends them: a reader that has
 * seen one has seen all before it. The newest is never purged, so that no cursor is ever given twice.
 */
export interface EventStore {
  /** For what happens apart from a settlement; what a settlement tells of is appended by it. */
  appendEvents(events: readonly NewEvent[], atMs: number): Promise<void>;
  /** A bounded look: `cursor` says how far it went, also when nothing was found. */
  readEvents(request: EventRequest): Promise<EventSlice>;
  /**
   * Behind which cursor stands what was appended at this moment (epoch milliseconds) or later. In a few steps, whatever the
   * log holds: it takes times to go up with the cursors, and where a clock was set back it may land beside the place.
   */
  seekEvent(atMs: number): Promise<number>;
  /** Resolves with how many went; less than `limit` means that nothing is left to purge. */
  purgeEvents(purge: EventPurge): Promise<number>;
  /** Called when something new can be read, at most once for each commit. Returns the way to stop. */
  onEvents(listener: () => void): () => void;
}
