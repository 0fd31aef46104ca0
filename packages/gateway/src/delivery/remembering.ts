import type { NotificationIds } from "./notification-ids.ts";

/** A submission that is remembered under a key of its caller's, in the same step that stores it. */
export interface Remembering {
  readonly key: string;
  /** The revision that was recalled; absent: nothing was. */
  readonly replaces?: number;
  /** What to remember, now that the ids are known. Called once, before anything is stored. */
  readonly record: (ids: NotificationIds) => string;
}

/** What is known under a key. */
export interface Recalled {
  /** Undefined once it is older than it has to be remembered. */
  readonly record: string | undefined;
  readonly revision: number;
}
