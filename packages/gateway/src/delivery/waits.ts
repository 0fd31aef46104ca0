import type { Clock } from "@carillon/apns";
import type { Finder } from "./finder.ts";
import { isFinal, type NotificationRecord } from "./notification-record.ts";

/** Another node may settle what is waited for here, so the store is asked now and then. */
const pollMs = 1_000;

/** Those who wait until notifications are final. */
export class Waits {
  readonly #finder: Finder;
  readonly #clock: Clock;
  /** What is to be called when a notification is final, by its id. */
  readonly #byId = new Map<string, Set<(id: string) => void>>();
  readonly #ends = new Set<() => void>();
  readonly #running = new Set<Promise<unknown>>();
  #isOver = false;

  constructor(finder: Finder, clock: Clock) {
    this.#finder = finder;
    this.#clock = clock;
  }

  /** Whether anyone waits at all. */
  get isAnyone(): boolean {
    return this.#byId.size > 0;
  }

  /** These are final, and on disk. */
  finished(ids: Iterable<string>): void {
    for (const id of ids) for (const tell of this.#byId.get(id) ?? []) tell(id);
  }

  /** Ends all waiting, now and later: the delivery stops. Resolves when everyone who waited has been told. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const end of [...this.#ends]) end();
    await Promise.allSettled(this.#running);
  }

  /** The records of `ids` once all are final, or as they are after `timeoutMs` or when `signal` says so. */
  async untilFinal(
    ...wait: readonly [app: string, ids: readonly string[], timeoutMs: number, signal?: AbortSignal]
  ): Promise<readonly NotificationRecord[]> {
    const running = this.#untilFinal(...wait);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #untilFinal(
    app: string,
    ids: readonly string[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<readonly NotificationRecord[]> {
    const open = new Set(ids);
    const deadlineMs = this.#clock.monotonic() + timeoutMs;
    let wakeUp = (): void => {};
    const tell = (id: string): void => {
      open.delete(id);
      if (open.size === 0) wakeUp();
    };
    for (const id of ids) this.#listen(id, tell);
    try {
      for (;;) {
        // After listening: what becomes final from here on is told, what was final before is found.
        const asked = [...open];
        const known = await this.#finder.find(app, asked);
        asked.forEach((id, index) => {
          const record = known[index];
          if (record === undefined || isFinal(record.status)) open.delete(id);
        });
        const leftMs = deadlineMs - this.#clock.monotonic();
        if (open.size === 0 || leftMs <= 0 || signal?.aborted || this.#isOver) break;
        const wakeUps = this.#pause(Math.min(leftMs, pollMs), signal);
        wakeUp = wakeUps.wakeUp;
        await wakeUps.over;
      }
    } finally {
      for (const id of ids) this.#unlisten(id, tell);
    }
    const records = await this.#finder.find(app, ids);
    return records.filter((record) => record !== undefined);
  }

  #pause(delayMs: number, signal: AbortSignal | undefined): { over: Promise<void>; wakeUp: () => void } {
    let wakeUp = (): void => {};
    const over = new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(() => wakeUp(), delayMs);
      wakeUp = () => {
        timer.cancel();
        this.#ends.delete(wakeUp);
        signal?.removeEventListener("abort", wakeUp);
        resolve();
      };
      this.#ends.add(wakeUp);
      signal?.addEventListener("abort", wakeUp);
    });
    return { over, wakeUp };
  }

  #listen(id: string, tell: (id: string) => void): void {
    const known = this.#byId.get(id);
    if (known === undefined) this.#byId.set(id, new Set([tell]));
    else known.add(tell);
  }

  #unlisten(id: string, tell: (id: string) => void): void {
    const known = this.#byId.get(id);
    known?.delete(tell);
    if (known?.size === 0) this.#byId.delete(id);
  }
}
