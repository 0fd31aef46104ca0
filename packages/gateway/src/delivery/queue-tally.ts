/** How much may wait, on disk and in memory together. */
export interface QueueLimits {
  /** Notifications of all apps. @default 10,000,000 */
  readonly maxQueued: number;
  /** Bytes of their batches. @default 10 GiB */
  readonly maxQueuedBytes: number;
  /** Notifications of one app. @default 10,000,000 */
  readonly maxQueuedPerApp: number;
}

/** Counts what is queued: stored, and not final. */
export class QueueTally {
  #notifications = 0;
  #bytes = 0;
  readonly #byApp = new Map<string, number>();

  get notifications(): number {
    return this.#notifications;
  }

  /** A negative number takes away. */
  add(app: string, notifications: number, bytes: number): void {
    this.#notifications += notifications;
    this.#bytes += bytes;
    this.#byApp.set(app, (this.#byApp.get(app) ?? 0) + notifications);
  }

  /** Why so many more may not be queued, in a sentence; undefined when they may. */
  refusal(app: string, notifications: number, bytes: number, limits: QueueLimits): string | undefined {
    if ((this.#byApp.get(app) ?? 0) + notifications > limits.maxQueuedPerApp)
      return `The queue of this app is full (${limits.maxQueuedPerApp} notifications).`;
    if (this.#notifications + notifications > limits.maxQueued)
      return `The queue is full (${limits.maxQueued} notifications).`;
    if (this.#bytes + bytes > limits.maxQueuedBytes)
      return `The queue is full (${limits.maxQueuedBytes} bytes).`;
    return undefined;
  }
}
