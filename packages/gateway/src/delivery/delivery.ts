import type { AppStatus } from "./app-status.ts";
import type { Cancellation } from "./canceller.ts";
import type { DraftRun } from "./draft-run.ts";
import type { Inspection } from "./inspector.ts";
import type { ListRequest, NotificationPage } from "./lister.ts";
import type { Environment, NotificationDraft } from "./notification-draft.ts";
import type { NotificationIds } from "./notification-ids.ts";
import type { NotificationRecord } from "./notification-record.ts";
import type { Recalled, Remembering } from "./remembering.ts";

export interface DeliveryHealth {
  readonly state: "ready" | "stopping" | "failed";
  /** What failed, in a sentence. */
  readonly detail?: string;
  /** Notifications that are not final yet, those in flight among them. */
  readonly queued: number;
  /** Sent, and the outcome not on disk yet: after a crash at most these are sent twice. */
  readonly inFlight: number;
}

/** The durable queue and what empties it. */
export interface Delivery {
  /**
   * Puts all drafts on disk, or none. Resolves after the fsync with one id per recipient, in order.
   * Rejects with `QueueFullError` or `StoreFailedError`; then nothing was acknowledged, nor is anything remembered.
   */
  submit(
    app: string,
    drafts: readonly NotificationDraft[],
    remembering?: Remembering,
  ): Promise<readonly string[]>;
  /** The same, also of runs, for callers who need not have the ids as text. */
  take(
    app: string,
    drafts: readonly (NotificationDraft | DraftRun)[],
    remembering?: Remembering,
  ): Promise<NotificationIds>;
  /**
   * Whether one of the app's may leave now that goes past the queue: its pause and its rate hold for these too. It counts as sent
   * then; otherwise `again` is called once, when it is worth asking again.
   */
  mayPass(app: string, again: () => void): boolean;
  /** Who waits for `mayPass` waits no more. */
  leavePassing(app: string, again: () => void): void;
  /** What a submission had remembered under this key. */
  recall(app: string, key: string): Promise<Recalled | undefined>;
  /** Looks up by our id or by the caller's own `apnsId` (the newest notification that bears it). */
  find(app: string, id: string): Promise<NotificationRecord | undefined>;
  /** The same, with what is known besides. */
  inspect(app: string, id: string): Promise<Inspection | undefined>;
  /** A page of the app's notifications, the newest first. Looks at so much and no more, whatever is asked for. */
  list(app: string, request: ListRequest): Promise<NotificationPage>;
  /**
   * Takes a notification back that was not sent, by our id or the caller's own. `cancelled` means that this is on disk and that
   * it is never sent. Undefined when nobody knows it.
   */
  cancel(app: string, id: string): Promise<Cancellation | undefined>;
  /** The records once all are final, or as they are after `timeoutMs` or `signal`. Unknown ids are left out. */
  waitUntilFinal(
    app: string,
    ids: readonly string[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<readonly NotificationRecord[]>;
  readonly health: DeliveryHealth;
  /** Resolves when the store has failed for good: nothing is taken or sent any more, and a new start must follow. */
  readonly failed: Promise<Error>;
  /** What the way to Apple of one app and environment waits for, in a few words; undefined while it is well. */
  waitingFor(app: string, environment: Environment): string | undefined;
  /** How one app is doing. */
  status(app: string): AppStatus;
  /**
   * Nothing of the app is sent until `resume`, also after a new start; what is in flight is settled, and notifications are
   * taken as before. Of an app that is paused already the reason changes.
   */
  pause(app: string, reason?: string): Promise<void>;
  /** Ends the pause. Without effect on an app that is not paused. */
  resume(app: string): Promise<void>;
  /** Takes nothing more, waits for what is in flight (at most `deadlineMs`), hands the rest back, closes the store. */
  stop(deadlineMs: number): Promise<void>;
}
