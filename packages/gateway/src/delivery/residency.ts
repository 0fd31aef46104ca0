/** How much of the queue is held in memory, bytes of batches. */
export interface MemoryLimits {
  /**
   * In all. @default 64 MiB. An app that holds less than its equal share of it may go beyond, so that apps which hold much
   * and get nothing away keep no room from others; so may, by one fetch, a lane that has nothing in memory.
   */
  readonly maxResidentBytes: number;
  /** Of one app. @default 24 MiB */
  readonly maxAppBytes: number;
  /** In one lane of one route. @default 8 MiB */
  readonly maxLaneBytes: number;
}

/** Counts what is in memory, and says whose turn it is to have more. */
export class Residency {
  readonly #limits: MemoryLimits;
  readonly #byApp = new Map<string, number>();
  #bytes = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** A negative number takes away. */
  add(app: string, bytes: number): void {
    const after = (this.#byApp.get(app) ?? 0) + bytes;
    this.#bytes += bytes;
    if (after > 0) this.#byApp.set(app, after);
    else this.#byApp.delete(app);
  }

  /** Whether a lane that holds `laneBytes` may have more. */
  admits(app: string, laneBytes: number): boolean {
    if (laneBytes === 0) return true;
    const { maxResidentBytes, maxAppBytes, maxLaneBytes } = this.#limits;
    const appBytes = this.#byApp.get(app) ?? 0;
    const hasRoom = this.#bytes < maxResidentBytes || appBytes < maxResidentBytes / this.#byApp.size;
    return laneBytes < maxLaneBytes && appBytes < maxAppBytes && hasRoom;
  }
}
