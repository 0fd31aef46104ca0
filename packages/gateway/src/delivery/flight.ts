import type { PreparedNotification } from "@carillon/apns";
import type { BatchEntry, BatchSettings, Origin } from "./batch/format.ts";
import type { BatchRun } from "./batch-run.ts";
import type { LaneQueue, Turn } from "./lane-queue.ts";
import { notificationId } from "./notification-id.ts";
import type { Route } from "./route.ts";

/**
 * A notification that left, from its departure until its outcome is on disk, in the form that a sender takes.
 *
 * A hot path (bench/delivery.ts): one object each, which keeps what every sending asks for. The rest stands in the batch.
 */
export class Flight implements PreparedNotification, Turn {
  readonly run: BatchRun;
  readonly place: number;
  readonly route: Route;
  readonly lane: LaneQueue;
  readonly deviceToken: string;
  readonly payload: Uint8Array;
  readonly settings: BatchSettings;
  /** Where it comes from, if it is tried again. */
  readonly origin: Origin | undefined;
  /** Its id for life, whatever Apple is told. */
  readonly id: string;
  readonly apnsId: string;
  /** On the monotonic clock. */
  readonly leftAtMs: number;
  /** Of the route's breaker, when it left. */
  epoch = 0;

  constructor(route: Route, lane: LaneQueue, { run, place }: Turn, leftAtMs: number) {
    const { reader } = run;
    const rare = reader.rareParts(place);
    this.run = run;
    this.place = place;
    this.lane = lane;
    this.route = route;
    this.deviceToken = reader.deviceToken(place);
    this.payload = reader.payload(place);
    this.settings = reader.settings(place);
    this.origin = rare?.origin;
    this.id = this.origin?.id ?? notificationId(run.id, place);
    this.apnsId = rare?.apnsId ?? this.id;
    this.leftAtMs = leftAtMs;
  }

  get payloadBytes(): number {
    return this.payload.byteLength;
  }

  get topic(): string {
    return this.settings.topic;
  }

  get pushType(): string | undefined {
    return this.settings.pushType;
  }

  get priority(): BatchSettings["priority"] {
    return this.settings.priority;
  }

  get expirationSeconds(): number | undefined {
    return this.settings.expirationSeconds;
  }

  get collapseId(): string | undefined {
    return this.settings.collapseId;
  }

  /** Whether the other environment knew no such device token. */
  get isSecond(): boolean {
    return this.run.reader.environmentChoice === "second";
  }

  get delivery(): BatchRun["delivery"] {
    return this.run.delivery;
  }

  /** Since when it waits: its first due time, epoch milliseconds. */
  get sinceMs(): number {
    return this.origin?.sinceMs ?? this.run.dueAtMs;
  }

  /** How often it left before. */
  get earlierAttempts(): number {
    return this.origin?.attempts ?? 0;
  }

  /** Whether an earlier attempt may have been taken although no answer came, or none that is on disk. */
  get doubt(): boolean {
    return this.run.isInDoubt || this.origin?.doubt === true;
  }

  /** The notification for a later batch. Its record stays where it was first stored. */
  again(doubt: boolean): BatchEntry {
    const { id, sinceMs } = this;
    const entry = this.run.reader.entry(this.place);
    return { ...entry, origin: { id, attempts: this.earlierAttempts + 1, doubt, sinceMs } };
  }
}
