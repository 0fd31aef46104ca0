import type { ErrorResponse } from "./error-response.ts";
import { errorStatus } from "./error-status.ts";

/** What an error response, or an end without one, says about everything that was written and not settled. */
export interface Settlement<Job> {
  /** Proved: they stand before the one that is named. */
  readonly accepted: readonly Job[];
  readonly rejected: Job | undefined;
  /** Behind the one that is named: thrown away by the gateway, so that sending them again cannot duplicate. In their order. */
  readonly discarded: readonly Job[];
  /** Nobody can say. */
  readonly unknown: readonly Job[];
}

/**
 * What was written on one connection, by its identifiers: 1, 2, 3, … An error response settles all of it at once, because the
 * gateway reads in order and throws away what comes behind the one at fault. No socket, no clock.
 */
export class SentWindow<Job> {
  private jobs: Job[] = [];
  /** Identifier of the first job that is still here. */
  private first = 1;
  private next = 1;
  /** Identifier of the notification that is known to be bad. */
  private probe: number | undefined;

  get size(): number {
    return this.jobs.length;
  }

  /** Identifiers that were given out. */
  get written(): number {
    return this.next - 1;
  }

  /** The identifier under which the job is to be written. */
  add(job: Job): number {
    this.jobs.push(job);
    return this.next++;
  }

  /** The identifier for a notification that is known to be bad: the error that it gets proves all before it accepted. */
  addProbe(): number {
    this.probe = this.next++;
    return this.probe;
  }

  /** The oldest jobs leave, unsettled: nothing was heard of them for as long as anybody waits. */
  leave(count: number): readonly Job[] {
    const left = this.jobs.splice(0, count);
    this.first += left.length;
    return left;
  }

  /** An error response came: nothing is left here. */
  settle({ status, identifier }: ErrorResponse): Settlement<Job> {
    const jobs = this.takeAll();
    const none: Settlement<Job> = { accepted: [], rejected: undefined, discarded: [], unknown: [] };
    // The gateway answered an empty device token with identifier 0, whatever was sent.
    const isProbe =
      this.probe !== undefined &&
      (identifier === this.probe || (identifier === 0 && status === errorStatus.missingDeviceToken));
    if (isProbe) return { ...none, accepted: jobs };
    // 0 stands for "unknown", and an identifier that was never given out says nothing either.
    if (identifier === 0 || identifier >= this.next) return { ...none, unknown: jobs };
    const place = identifier - this.first;
    // It left before: all that is here came behind it.
    if (place < 0) return { ...none, discarded: jobs };
    const discarded = jobs.slice(place + 1);
    if (status === errorStatus.shutdown) return { ...none, accepted: jobs.slice(0, place + 1), discarded };
    return { ...none, accepted: jobs.slice(0, place), rejected: jobs[place], discarded };
  }

  /** The connection ended without an error response: nothing is left here, and nothing is known. */
  end(): Settlement<Job> {
    return { accepted: [], rejected: undefined, discarded: [], unknown: this.takeAll() };
  }

  private takeAll(): Job[] {
    const { jobs } = this;
    this.jobs = [];
    return jobs;
  }
}
