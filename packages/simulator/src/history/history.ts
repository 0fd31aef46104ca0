import { Push, type PushFacts, type RequestKind } from "./push.ts";
import { PushLog, slot } from "./push-log.ts";

/** Which pushes are meant: all that agree with every key given. */
export interface PushFilter {
  /** "any": requests about channels as well. @default pushes and broadcasts */
  readonly kind?: RequestKind | "any";
  readonly protocol?: "http/2" | "binary";
  /** In any case. */
  readonly deviceToken?: string;
  /** In any case. */
  readonly apnsId?: string;
  readonly topic?: string;
  readonly pushType?: string;
  /** Of broadcasts and requests about channels. */
  readonly channelId?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly connection?: number;
}

export interface WaitOptions extends PushFilter {
  /** How many matching pushes there must be, those already in the history included. @default 1 */
  readonly count?: number;
  /** How long to wait in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

export interface HistoryOptions {
  /** Pushes kept at most; the oldest are dropped. @default 100 000 */
  readonly limit?: number;
  /** How many bytes they may occupy. @default 134 217 728 */
  readonly limitBytes?: number;
}

interface Waiter {
  readonly matches: (log: PushLog, sequence: number) => boolean;
  remaining: number;
  readonly resolve: () => void;
}

interface Listener {
  readonly matches: (log: PushLog, sequence: number) => boolean;
  readonly tell: (push: Push) => void;
}

/** The truth about what was answered, newest last, in bounded memory. */
export class History {
  private readonly limit: number;
  private readonly limitBytes: number;
  private readonly log = new PushLog();
  private readonly waiters = new Set<Waiter>();
  private readonly listeners = new Set<Listener>();

  constructor(options: HistoryOptions = {}) {
    this.limit = Math.max(1, options.limit ?? 100_000);
    this.limitBytes = options.limitBytes ?? 134_217_728;
  }

  /** Requests ever recorded, those dropped and cleared included. */
  get total(): number {
    return this.log.newest;
  }

  /** What the pushes kept occupy. */
  get bytes(): number {
    return this.log.bytes;
  }

  /** The pushes and broadcasts kept, oldest first. */
  get pushes(): readonly Push[] {
    return this.find();
  }

  record(facts: PushFacts): void {
    const { log } = this;
    log.append(facts);
    while (log.kept > this.limit || (log.bytes > this.limitBytes && log.kept > 1)) log.dropOldest();
    if (this.waiters.size > 0) this.tellWaiters();
    if (this.listeners.size === 0) return;
    for (const { matches, tell } of this.listeners) {
      if (matches(log, log.newest)) tell(this.at(log.newest));
    }
  }

  /** The pushes that match, oldest first; the newest `most` of them. */
  find(filter: PushFilter = {}, most: number = Number.POSITIVE_INFINITY): Push[] {
    const { log } = this;
    const matches = matcher(filter);
    const found: Push[] = [];
    for (let sequence = log.newest; sequence >= log.oldest && found.length < most; sequence--) {
      if (matches(log, sequence)) found.push(this.at(sequence));
    }
    return found.reverse();
  }

  /** How many of the pushes kept match. */
  count(filter: PushFilter = {}): number {
    const { log } = this;
    if (Object.values(filter).every((value) => value === undefined)) return log.kept - log.channelsKept;
    const matches = matcher(filter);
    let count = 0;
    for (let sequence = log.oldest; sequence <= log.newest; sequence++) {
      if (matches(log, sequence)) count += 1;
    }
    return count;
  }

  /** Calls `tell` for every push from now on that matches, as it is recorded. @returns what ends it */
  subscribe(tell: (push: Push) => void, filter: PushFilter = {}): () => void {
    const listener: Listener = { matches: matcher(filter), tell };
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** How often each `apns-id` was processed, of the pushes kept that match; ids in lower case. */
  countByApnsId(filter: PushFilter = {}): ReadonlyMap<string, number> {
    return this.countBy(filter, slot.apnsId);
  }

  /** How many of the pushes kept match, for each device token that has any. */
  countByDeviceToken(filter: PushFilter = {}): ReadonlyMap<string, number> {
    return this.countBy(filter, slot.deviceToken);
  }

  /**
   * Resolves with the matching pushes as soon as there are `count` of them.
   *
   * @throws Error that says how many there were when the time was up, or the signal came
   */
  async waitFor(options: WaitOptions = {}): Promise<Push[]> {
    const { count = 1, timeoutMs = 5000, signal, ...filter } = options;
    const remaining = count - this.count(filter);
    if (remaining > 0 && !(await this.waitForMore(matcher(filter), remaining, timeoutMs, signal))) {
      const what = Object.keys(filter).length === 0 ? "" : ` with ${JSON.stringify(filter)}`;
      throw new Error(`${this.count(filter)} of ${count} pushes${what} came within ${timeoutMs} ms.`);
    }
    return this.find(filter);
  }

  /** Forgets every push. Sequence numbers go on. */
  clear(): void {
    this.log.clear();
  }

  private at(sequence: number): Push {
    return new Push(sequence, this.log.read(sequence));
  }

  /** Whether `remaining` more pushes matched in time. */
  private waitForMore(
    matches: Waiter["matches"],
    remaining: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (isComplete: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", give);
        this.waiters.delete(waiter);
        resolve(isComplete);
      };
      const give = (): void => finish(false);
      const waiter: Waiter = { matches, remaining, resolve: () => finish(true) };
      const timer = setTimeout(give, timeoutMs);
      signal?.addEventListener("abort", give);
      this.waiters.add(waiter);
      if (signal?.aborted === true) give();
    });
  }

  private tellWaiters(): void {
    for (const waiter of this.waiters) {
      if (!waiter.matches(this.log, this.log.newest)) continue;
      waiter.remaining -= 1;
      if (waiter.remaining === 0) waiter.resolve();
    }
  }

  private countBy(filter: PushFilter, index: number): ReadonlyMap<string, number> {
    const { log } = this;
    const matches = matcher(filter);
    const counts = new Map<string, number>();
    for (let sequence = log.oldest; sequence <= log.newest; sequence++) {
      const key = log.text(sequence, index)?.toLowerCase();
      if (key !== undefined && matches(log, sequence)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }
}

/** Whether an entry of the log is meant; looks into no more of it than it must. */
function matcher(filter: PushFilter): (log: PushLog, sequence: number) => boolean {
  const deviceToken = filter.deviceToken?.toLowerCase();
  const apnsId = filter.apnsId?.toLowerCase();
  const { kind } = filter;
  return (log, sequence) =>
    (kind === "any" ||
      (kind === undefined ? log.kind(sequence) !== "channels" : log.kind(sequence) === kind)) &&
    (filter.protocol === undefined || log.protocol(sequence) === filter.protocol) &&
    (filter.status === undefined || log.status(sequence) === filter.status) &&
    (filter.connection === undefined || log.connection(sequence) === filter.connection) &&
    (filter.reason === undefined || log.reason(sequence) === filter.reason) &&
    (deviceToken === undefined || log.text(sequence, slot.deviceToken) === deviceToken) &&
    (apnsId === undefined || log.text(sequence, slot.apnsId)?.toLowerCase() === apnsId) &&
    (filter.topic === undefined || log.text(sequence, slot.topic) === filter.topic) &&
    (filter.pushType === undefined || log.text(sequence, slot.pushType) === filter.pushType) &&
    (filter.channelId === undefined || log.text(sequence, slot.channelId) === filter.channelId);
}
