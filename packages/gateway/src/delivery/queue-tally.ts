import type { QueueSummary } from "../store/index.ts";

/** How much may wait, on disk and in memory together. */
export interface QueueLimits {
  /** Notifications of all apps. @default 10,000,000. The last tenth is kept for apps that hold less than a hundredth. */
  readonly maxQueued: number;
  /** Bytes of their batches. @default 10 GiB. The last tenth as above. */
  readonly maxQueuedBytes: number;
  /** Notifications of one app. @default 8,000,000 */
  readonly maxQueuedPerApp: number;
  /** Bytes of one app's batches. @default 8 GiB */
  readonly maxQueuedBytesPerApp: number;
}

/** What an app has in the queue. */
export interface Queued {
  readonly notifications: number;
  readonly bytes: number;
}

const nothing: Queued = { notifications: 0, bytes: 0 };
/** What apps that hold much leave to those that hold little, and how much that is. */
const reservedShare = 0.1;
const littleShare = 0.01;

/** Counts what is queued: stored, and not final. */
export class QueueTally {
  #all: Queued = nothing;
  readonly #byApp = new Map<string, Queued>();

  get notifications(): number {
    return this.#all.notifications;
  }

  of(app: string): Queued {
    return this.#byApp.get(app) ?? nothing;
  }

  /** A negative number takes away. */
  add(app: string, notifications: number, bytes: number): void {
    this.#all = sum(this.#all, notifications, bytes);
    this.#byApp.set(app, sum(this.of(app), notifications, bytes));
  }

  /** Counts what is on disk as well, where that is more: other nodes have stored it. */
  raise(onDisk: readonly QueueSummary[]): void {
    const byApp = new Map<string, Queued>();
    for (const { queue, notifications, bodyBytes } of onDisk)
      byApp.set(queue.app, sum(byApp.get(queue.app) ?? nothing, notifications, bodyBytes));
    for (const [app, { notifications, bytes }] of byApp) {
      const known = this.of(app);
      this.add(app, Math.max(notifications - known.notifications, 0), Math.max(bytes - known.bytes, 0));
    }
  }

  /** Why so many more may not be queued, in a sentence; undefined when they may. */
  refusal(app: string, notifications: number, bytes: number, limits: QueueLimits): string | undefined {
    const { maxQueued, maxQueuedBytes, maxQueuedPerApp, maxQueuedBytesPerApp } = limits;
    const ours = sum(this.of(app), notifications, bytes);
    const all = sum(this.#all, notifications, bytes);
    if (ours.notifications > maxQueuedPerApp)
      return `The queue of this app is full (${maxQueuedPerApp} notifications).`;
    if (ours.bytes > maxQueuedBytesPerApp)
      return `The queue of this app is full (${maxQueuedBytesPerApp} bytes).`;
    if (all.notifications > roomFor(ours.notifications, maxQueued))
      return explainFull(all.notifications, maxQueued, "notifications");
    if (all.bytes > roomFor(ours.bytes, maxQueuedBytes))
      return explainFull(all.bytes, maxQueuedBytes, "bytes");
    return undefined;
  }
}

/** How much all together may have where one app has `ours` of it: a few that are stuck leave something to the others. */
function roomFor(ours: number, most: number): number {
  return ours > most * littleShare ? most * (1 - reservedShare) : most;
}

function explainFull(all: number, most: number, what: string): string {
  if (all > most) return `The queue is full (${most} ${what}).`;
  return `The queue is full: of ${most} ${what} the last tenth is kept for apps that hold less than a hundredth.`;
}

function sum(queued: Queued, notifications: number, bytes: number): Queued {
  return { notifications: queued.notifications + notifications, bytes: queued.bytes + bytes };
}
