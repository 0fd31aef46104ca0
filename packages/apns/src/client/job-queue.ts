import type { Job } from "./job.ts";

/** Settled jobs that may lie in the queue before it is swept. */
const mostSettled = 4096;

/** Jobs in order of arrival; those that come back go in front. Both ends in constant time. */
export class JobQueue {
  private front: Job[] = [];
  private back: Job[] = [];
  private head = 0;
  /** Jobs that were settled while they waited and still lie here. */
  private settled = 0;

  /** Jobs that wait. */
  get length(): number {
    return this.front.length + this.back.length - this.head - this.settled;
  }

  /** The next job, which stays in the queue; settled ones are dropped on the way. */
  peek(): Job | undefined {
    for (;;) {
      const next = this.front.length > 0 ? this.front.at(-1) : this.back[this.head];
      if (next === undefined || !next.isSettled) return next;
      this.settled -= 1;
      this.shift();
    }
  }

  push(job: Job): void {
    this.back.push(job);
  }

  putBack(job: Job): void {
    this.front.push(job);
  }

  shift(): Job | undefined {
    if (this.front.length > 0) return this.front.pop();
    const job = this.back[this.head];
    if (job === undefined) return undefined;
    this.head += 1;
    if (this.head > 1024 && this.head * 2 > this.back.length) {
      this.back = this.back.slice(this.head);
      this.head = 0;
    }
    return job;
  }

  /** A job that waits here was settled: it counts no more and is dropped on the way. */
  countSettled(): void {
    this.settled += 1;
    if (this.settled < mostSettled || this.settled < this.length) return;
    const isOpen = (job: Job): boolean => !job.isSettled;
    this.front = this.front.filter(isOpen);
    this.back = this.back.slice(this.head).filter(isOpen);
    this.head = 0;
    this.settled = 0;
  }

  /** Everything, in order; the queue is empty afterwards. */
  takeAll(): Job[] {
    const all = [...this.front.reverse(), ...this.back.slice(this.head)];
    this.front = [];
    this.back = [];
    this.head = 0;
    this.settled = 0;
    return all;
  }
}
