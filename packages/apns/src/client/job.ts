import type { ReceivedResponse } from "../http2/index.ts";
import type { PreparedNotification } from "../notification/index.ts";
import type { ConnectionName, Outcome } from "../response/index.ts";

/** An outcome without what the job itself knows. */
export type Ending = Outcome extends infer One
  ? One extends Outcome
    ? Omit<One, "apnsId" | "attempts" | "connection">
    : never
  : never;

/** Where a job is under way. */
export interface Carrier {
  /** Gives the job up; nothing more is reported for it. */
  cancel(job: Job): void;
}

/** What a job that is no push to a device does its own way. */
export interface Exchange {
  fields(authority: string, authorization: string | undefined): string[];
  /** An answer came; it may not be the last. */
  answered(response: ReceivedResponse): void;
}

/** Is told once how a notification ended. */
export type Settled = (outcome: Outcome, notification: PreparedNotification) => void;

/** One notification on its way through the client, from `send` to its outcome. */
export class Job {
  readonly notification: PreparedNotification;
  /** When `send` gives up, by the monotonic clock. */
  readonly deadline: number;
  /** Tries that APNs may see. */
  readonly mostAttempts: number;
  private readonly settled: Settled;
  readonly exchange: Exchange | undefined;
  /** Tries that APNs may have seen. */
  attempts = 0;
  /** Tries that it provably has not acted upon. */
  unprocessedTries = 0;
  /** How an earlier try ended of which nobody knows whether APNs acted on it. */
  doubt: Ending | undefined;
  /** The connection of the last try that was not accepted. */
  via: ConnectionName | undefined;
  /** The provider token that the last try carried. */
  authorization: string | undefined;
  /** Where it is under way now. */
  connection: Carrier | undefined;
  streamId = 0;
  sentAt = 0;
  isSettled = false;
  /** Called once, at settlement; takes a listener off the caller's AbortSignal. */
  cleanUp: (() => void) | undefined;

  constructor(
    notification: PreparedNotification,
    deadline: number,
    mostAttempts: number,
    settled: Settled,
    exchange?: Exchange,
  ) {
    this.exchange = exchange;
    this.notification = notification;
    this.deadline = deadline;
    this.mostAttempts = mostAttempts;
    this.settled = settled;
  }

  /** The usual end. A literal, because spreading an ending costs a microsecond (bench/client.ts). */
  accept(): void {
    if (this.isSettled) return;
    this.finish({ kind: "accepted", apnsId: this.notification.apnsId, attempts: this.attempts });
  }

  /** Where an earlier try may have been acted upon, no later one that was not makes it `unprocessed`. */
  settle(ending: Ending): void {
    if (this.isSettled) return;
    const known = ending.kind === "unprocessed" && this.doubt !== undefined ? this.doubt : ending;
    const via = known.kind === "accepted" || this.via === undefined ? {} : { connection: this.via };
    this.finish({ ...known, apnsId: this.notification.apnsId, attempts: this.attempts, ...via } as Outcome);
  }

  private finish(outcome: Outcome): void {
    this.isSettled = true;
    this.connection = undefined;
    this.cleanUp?.();
    this.settled(outcome, this.notification);
  }
}
