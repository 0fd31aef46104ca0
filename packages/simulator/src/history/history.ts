import { Push, type PushFacts } from "./push.ts";

/** Which pushes are meant: all that agree with every key given. */
export interface PushFilter {
  /** In any case. */
  readonly deviceToken?: string;
  /** In any case. */
  readonly apnsId?: string;
  readonly topic?: string;
  readonly pushType?: string;
  /** Of broadcasts. */
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
}

export interface HistoryOptions {
  /** Pushes kept at most; the oldest are dropped. @default 100 000 */
  readonly limit?: number;
  /** About how many bytes they may occupy. @default 134 217 728 */
  readonly limitBytes?: number;
}

/** Pushes that the ring has room for at first. */
const firstLength = 64;

interface Waiter {
  readonly matches: (push: Push) => boolean;
  remaining: number;
  readonly resolve: () => void;
}

/** The truth about what was answered, newest last, in bounded memory. */
export class History {
  private readonly limit: number;
  private readonly limitBytes: number;
  /** A ring: the push with sequence n lies at n modulo its length. It grows up to the limit. */
  private ring: (Push | undefined)[] = [];
  private oldest = 1;
  private newest = 0;
  private bytes = 0;
  private readonly waiters = new Set<Waiter>();
  private readonly listeners = new Set<(push: Push) => void>();

  constructor(options: HistoryOptions = {}) {
    this.limit = Math.max(1, options.limit ?? 100_000);
    this.limitBytes = options.limitBytes ?? 134_217_728;
  }

  /** Pushes ever recorded, those dropped and cleared included. */
  get total(): number {
    return this.newest;
  }

  /** What is kept, oldest first. */
  get pushes(): readonly Push[] {
    return this.find();
  }

  record(facts: PushFacts): void {
    const push = new Push(this.newest + 1, facts);
    if (this.kept === this.ring.length) this.makeRoom();
    this.newest = push.sequence;
    this.ring[push.sequence % this.ring.length] = push;
    this.bytes += push.sizeBytes;
    while (this.bytes > this.limitBytes && this.kept > 1) this.dropOldest();
    if (this.waiters.size > 0) this.tellWaiters(push);
    for (const listener of this.listeners) listener(push);
  }

  /** The pushes that match, oldest first; the newest `most` of them. */
  find(filter: PushFilter = {}, most: number = Number.POSITIVE_INFINITY): Push[] {
    const matches = matcher(filter);
    const found: Push[] = [];
    for (let sequence = this.newest; sequence >= this.oldest && found.length < most; sequence--) {
      const push = this.at(sequence);
      if (matches(push)) found.push(push);
    }
    return found.reverse();
  }

  /** How many of the pushes kept match. */
  count(filter: PushFilter = {}): number {
    const matches = matcher(filter);
    let count = 0;
    for (let sequence = this.oldest; sequence <= this.newest; sequence++) {
      if (matches(this.at(sequence))) count += 1;
    }
    return count;
  }

  /** Calls `listener` for every push from now on, as it is recorded. @returns what ends it */
  subscribe(listener: (push: Push) => void): () => void {
    const each = (push: Push): void => listener(push);
    this.listeners.add(each);
    return () => void this.listeners.delete(each);
  }

  /** How often each `apns-id` was processed, of the pushes kept that match; ids in lower case. */
  countByApnsId(filter: PushFilter = {}): ReadonlyMap<string, number> {
    return this.countBy(filter, (push) => push.apnsId.toLowerCase());
  }

  /** How many of the pushes kept match, for each device token that has any. */
  countByDeviceToken(filter: PushFilter = {}): ReadonlyMap<string, number> {
    return this.countBy(filter, (push) => push.deviceToken);
  }

  /**
   * Resolves with the matching pushes as soon as there are `count` of them.
   *
   * @throws Error that says how many there were when the time was up
   */
  async waitFor(options: WaitOptions = {}): Promise<Push[]> {
    const { count = 1, timeoutMs = 5000, ...filter } = options;
    const remaining = count - this.count(filter);
    if (remaining > 0 && !(await this.waitForMore(matcher(filter), remaining, timeoutMs))) {
      const what = Object.keys(filter).length === 0 ? "" : ` with ${JSON.stringify(filter)}`;
      throw new Error(`${this.count(filter)} of ${count} pushes${what} came within ${timeoutMs} ms.`);
    }
    return this.find(filter);
  }

  /** Forgets every push. Sequence numbers go on. */
  clear(): void {
    this.ring.fill(undefined);
    this.oldest = this.newest + 1;
    this.bytes = 0;
  }

  private get kept(): number {
    return this.newest - this.oldest + 1;
  }

  private at(sequence: number): Push {
    return this.ring[sequence % this.ring.length]!;
  }

  /** Whether `remaining` more pushes matched in time. */
  private waitForMore(
    matches: (push: Push) => boolean,
    remaining: number,
    timeoutMs: number,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (isComplete: boolean): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        resolve(isComplete);
      };
      const waiter: Waiter = { matches, remaining, resolve: () => finish(true) };
      const timer = setTimeout(() => finish(false), timeoutMs);
      this.waiters.add(waiter);
    });
  }

  private tellWaiters(push: Push): void {
    for (const waiter of this.waiters) {
      if (!waiter.matches(push)) continue;
      waiter.remaining -= 1;
      if (waiter.remaining === 0) waiter.resolve();
    }
  }

  private countBy(
    filter: PushFilter,
    keyOf: (push: Push) => string | undefined,
  ): ReadonlyMap<string, number> {
    const matches = matcher(filter);
    const counts = new Map<string, number>();
    for (let sequence = this.oldest; sequence <= this.newest; sequence++) {
      const push = this.at(sequence);
      const key = keyOf(push);
      if (key !== undefined && matches(push)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** Doubles the ring, or drops the oldest push where it may not grow. */
  private makeRoom(): void {
    if (this.ring.length >= this.limit) {
      this.dropOldest();
      return;
    }
    const length = Math.min(this.limit, Math.max(firstLength, this.ring.length * 2));
    const larger = new Array<Push | undefined>(length).fill(undefined);
    for (let sequence = this.oldest; sequence <= this.newest; sequence++) {
      larger[sequence % larger.length] = this.at(sequence);
    }
    this.ring = larger;
  }

  private dropOldest(): void {
    this.bytes -= this.at(this.oldest).sizeBytes;
    this.ring[this.oldest % this.ring.length] = undefined;
    this.oldest += 1;
  }
}

function matcher(filter: PushFilter): (push: Push) => boolean {
  const deviceToken = filter.deviceToken?.toLowerCase();
  const apnsId = filter.apnsId?.toLowerCase();
  return (push) =>
    (deviceToken === undefined || push.deviceToken === deviceToken) &&
    (apnsId === undefined || push.apnsId.toLowerCase() === apnsId) &&
    (filter.topic === undefined || push.topic === filter.topic) &&
    (filter.pushType === undefined || push.pushType === filter.pushType) &&
    (filter.channelId === undefined || push.channelId === filter.channelId) &&
    (filter.status === undefined || push.status === filter.status) &&
    (filter.reason === undefined || push.reason === filter.reason) &&
    (filter.connection === undefined || push.connection === filter.connection);
}
