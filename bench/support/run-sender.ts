/**
 * One measurement in a process of its own: `fork`ed with a sender's name, it gets the sink's address, sends a warm-up and
 * then `count` pushes with `outstanding` of them on the way at any time, and reports what that took.
 */
import type { Sender, Sink } from "./sender.ts";
import { senders } from "./senders.ts";

export interface Task {
  readonly sink: Sink;
  readonly sender: string;
  readonly warmUp: number;
  readonly count: number;
  readonly outstanding: number;
  /** The run is cut into so many, one after another. @default 10 */
  readonly parts?: number;
  /** Collects garbage after each part, to see the heap. It shrinks the young generation too, which slows what follows. */
  readonly collectsGarbage?: boolean;
}

export interface Measurement {
  readonly perSecond: number;
  readonly cpuMicrosEach: number;
  readonly failed: number;
  readonly peakRssMb: number;
  /** Heap in use after each part of the run, in MB; after a collection where the task asks for one. */
  readonly heapMb: readonly number[];
}

process.once("message", (task: Task) => {
  void measure(task).then((measurement) => {
    process.send?.(measurement);
    process.disconnect();
  });
});

async function measure(task: Task): Promise<Measurement> {
  const make = senders[task.sender];
  if (make === undefined) throw new Error(`no sender is called ${task.sender}`);
  const sender = await make(task.sink);
  await sendMany(sender, 0, task.warmUp, task.outstanding);
  const heapMb: number[] = [];
  let failed = 0;
  let peakRss = 0;
  let seconds = 0;
  let cpuMicros = 0;
  const part = Math.ceil(task.count / (task.parts ?? 10));
  for (let sent = 0; sent < task.count; sent += part) {
    const cpu = process.cpuUsage();
    const started = performance.now();
    failed += await sendMany(sender, task.warmUp + sent, Math.min(part, task.count - sent), task.outstanding);
    seconds += (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    cpuMicros += used.user + used.system;
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
    if (task.collectsGarbage === true) globalThis.gc?.();
    heapMb.push(Math.round((process.memoryUsage().heapUsed / 1048576) * 10) / 10);
  }
  await sender.close();
  return {
    perSecond: Math.round(task.count / seconds),
    cpuMicrosEach: Math.round((cpuMicros / task.count) * 100) / 100,
    failed,
    peakRssMb: Math.round(peakRss / 1048576),
    heapMb,
  };
}

/** Keeps `outstanding` sends on the way until `count` are done; returns how many failed. */
function sendMany(sender: Sender, first: number, count: number, outstanding: number): Promise<number> {
  return new Promise((resolve) => {
    let next = 0;
    let done = 0;
    let failed = 0;
    const settled = (result?: unknown): void => {
      if (result !== undefined && sender.isAccepted?.(result) === false) failed += 1;
      done += 1;
      if (done === count) resolve(failed);
      else if (next < count) start();
    };
    const failedOne = (): void => {
      failed += 1;
      settled();
    };
    const start = (): void => {
      const ordinal = first + next;
      next += 1;
      sender.send(ordinal).then(settled, failedOne);
    };
    for (let started = 0; started < Math.min(outstanding, count); started += 1) start();
  });
}
