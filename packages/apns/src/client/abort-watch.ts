import type { Job } from "./job.ts";

/** Withdraws jobs when their AbortSignal fires: one listener a signal, however many sends share it. */
export class AbortWatch {
  private readonly withdraw: (job: Job) => void;
  private readonly watched = new Map<AbortSignal, Set<Job>>();

  constructor(withdraw: (job: Job) => void) {
    this.withdraw = withdraw;
  }

  /** Watches for `job` until it is settled. The signal has not fired yet. */
  add(job: Job, signal: AbortSignal): void {
    const jobs = this.watched.get(signal) ?? this.begin(signal);
    jobs.add(job);
    job.cleanUp = () => {
      jobs.delete(job);
      if (jobs.size === 0) this.end(signal);
    };
  }

  private begin(signal: AbortSignal): Set<Job> {
    const jobs = new Set<Job>();
    this.watched.set(signal, jobs);
    signal.addEventListener("abort", this.onAbort);
    return jobs;
  }

  private end(signal: AbortSignal): void {
    this.watched.delete(signal);
    signal.removeEventListener("abort", this.onAbort);
  }

  private readonly onAbort = (event: Event): void => {
    for (const job of this.watched.get(event.target as AbortSignal) ?? []) this.withdraw(job);
  };
}
