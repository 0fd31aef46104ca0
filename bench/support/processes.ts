import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Measurement, Task } from "./run-sender.ts";
import type { Sink } from "./sender.ts";
import type { MarkReport } from "./sink-marks.ts";

const loader = ["--import", "tsx"];

export interface SinkProcess extends Sink {
  usage(): Promise<{ requests: number; connections: number; cpuMs: number; marks?: readonly MarkReport[] }>;
  stop(): void;
}

/** Starts a sink in a process of its own; `environment` as bench/support/sink.ts describes it. */
export async function startSink(environment: Readonly<Record<string, string>> = {}): Promise<SinkProcess> {
  const child = startProcess("./sink.ts", environment, []);
  const [{ port, ca }] = (await once(child, "message")) as [Sink];
  return {
    port,
    ca,
    usage: async () => {
      child.send("usage");
      const [usage] = await once(child, "message");
      return usage;
    },
    stop: () => child.disconnect(),
  };
}

/** Runs one task in a fresh process, with the collector exposed. */
export async function measure(task: Task): Promise<Measurement> {
  const child = startProcess("./run-sender.ts", { NODE_NO_WARNINGS: "1" }, ["--expose-gc"]);
  child.send(task);
  const [measurement] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the process of ${task.sender} ended with ${code} before it reported`);
    }),
  ])) as [Measurement];
  return measurement;
}

/** Starts a file of this folder as a process of its own. */
export function startProcess(
  file: string,
  environment: Readonly<Record<string, string>>,
  options: string[],
): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return fork(path, { execArgv: [...loader, ...options], env: { ...process.env, ...environment } });
}
