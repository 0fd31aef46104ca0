import type { Clock, Timer } from "../runtime/index.ts";
import type { Job } from "./job.ts";

/** Device tokens that are made to wait at most; for one more only the job itself is delayed. */
const mostTokens = 100_000;

interface Hold {
  /** How often in a row APNs said TooManyRequests. */
  strikes: number;
  /** In the order in which they came. */
  readonly waiting: Set<Job>;
  /** Until it fires nothing goes to the device token. */
  timer: Timer | undefined;
  /** The one job that goes first after the wait. */
  probe: Job | undefined;
}

/**
 * Holds back what goes to device tokens of which APNs said TooManyRequests, and nothing else. After the wait one job goes
 * out; its answer decides whether the others follow or wait again.
 */
export class TokenPace {
  private readonly holds = new Map<string, Hold>();
  private readonly clock: Clock;
  private readonly release: (job: Job) => void;

  /** @param release takes a job whose turn it is */
  constructor(clock: Clock, release: (job: Job) => void) {
    this.clock = clock;
    this.release = release;
  }

  /** APNs said TooManyRequests to `job`. How often in a row it has said so of its device token, this time included. */
  strike(job: Job): number {
    const { deviceToken } = job.notification;
    let hold = this.holds.get(deviceToken);
    if (hold === undefined) {
      hold = { strikes: 0, waiting: new Set(), timer: undefined, probe: undefined };
      if (this.holds.size < mostTokens) this.holds.set(deviceToken, hold);
    }
    // The others that were under way at the same time are told the same; that is one strike.
    if (hold.timer === undefined) hold.strikes += 1;
    if (hold.probe === job) hold.probe = undefined;
    return hold.strikes;
  }

  /** Sends nothing to the device token for `delayMs`. False where there is no room to remember it. */
  slow(deviceToken: string, delayMs: number): boolean {
    const hold = this.holds.get(deviceToken);
    if (hold === undefined) return false;
    hold.timer?.cancel();
    hold.timer = this.clock.setTimer(() => this.next(deviceToken, hold), delayMs);
    return true;
  }

  /** Whether `job` has to wait for its device token; it is kept then, and released in time. */
  keeps(job: Job): boolean {
    if (this.holds.size === 0) return false;
    const hold = this.holds.get(job.notification.deviceToken);
    if (hold === undefined || hold.probe === job) return false;
    hold.waiting.add(job);
    return true;
  }

  /** `job` is settled, in whatever way. */
  settled(job: Job): void {
    if (this.holds.size === 0) return;
    const { deviceToken } = job.notification;
    const hold = this.holds.get(deviceToken);
    if (hold === undefined) return;
    hold.waiting.delete(job);
    if (hold.probe !== job) return;
    this.holds.delete(deviceToken);
    for (const waiting of hold.waiting) this.release(waiting);
  }

  /** Forgets everything; nothing is released. */
  close(): void {
    for (const { timer } of this.holds.values()) timer?.cancel();
    this.holds.clear();
  }

  private next(deviceToken: string, hold: Hold): void {
    hold.timer = undefined;
    const [first] = hold.waiting;
    if (first === undefined) {
      this.holds.delete(deviceToken);
      return;
    }
    hold.waiting.delete(first);
    hold.probe = first;
    this.release(first);
  }
}
