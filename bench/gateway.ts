/**
 * The whole way: HTTP → disk (fsynced) → HTTP/2 → outcome on disk. Generator, gateway and sink are processes of their own on
 * the same machine, and what is measured lies between the first byte of the first request and the last outcome on disk.
 *
 *   npm run bench -- gateway            everything, beside @parse/node-apn sending from memory
 *   npm run bench -- gateway --quick    fewer notifications and one round, to see that it works
 *   npm run bench -- gateway ndjson     one form alone
 */
import { once } from "node:events";
import type { GatewayUsage } from "./support/gateway-process.ts";
import type { Form, LoadReport, LoadTask } from "./support/load.ts";
import { measure, startProcess, startSink } from "./support/processes.ts";
import { machine, median, table } from "./support/report.ts";

interface Plan {
  readonly form: Form;
  readonly name: string;
  readonly count: number;
  readonly connections: number;
}

const plans: readonly Plan[] = [
  { form: "single", name: "single POSTs, 64 connections", count: 200_000, connections: 64 },
  { form: "list", name: "lists of 500, 4 connections", count: 1_000_000, connections: 4 },
  { form: "ndjson", name: "NDJSON, one connection", count: 2_000_000, connections: 1 },
  { form: "tokens", name: "10,000 tokens a body, 2 connections", count: 2_000_000, connections: 2 },
  { form: "ndjson-tokens", name: "NDJSON, 1,000 tokens a line", count: 2_000_000, connections: 1 },
];

interface Round {
  /** From the first byte until the last outcome is on disk. */
  readonly perSecond: number;
  /** From the first byte until the last answer. */
  readonly takenPerSecond: number;
  readonly gatewayMicros: number;
  readonly loadMicros: number;
  readonly sinkMicros: number;
  /** Of the time from the first byte until the last outcome is on disk. */
  readonly mainBusy: number;
  readonly peakMb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function benchGateway(mode: "full" | "quick", only: string | undefined): Promise<void> {
  const scale = mode === "quick" ? 0.1 : 1;
  const rounds = mode === "quick" ? 1 : Number(process.env.BENCH_ROUNDS ?? 3);
  const chosen = plans.filter(({ form }) => only === undefined || form === only);
  console.log(`# Gateway\n\n${machine()}\n`);
  const results = new Map<Plan, Round[]>(chosen.map((plan) => [plan, []]));
  const rival: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rival.push(await measureRival(Math.round(40_000 * scale)));
    for (const plan of chosen)
      results.get(plan)?.push(await measurePlan({ ...plan, count: Math.round(plan.count * scale) }));
  }
  const rivalRate = median(rival);
  console.log(
    `@parse/node-apn, sending from memory: ${Math.round(rivalRate).toLocaleString("en")}/s. Medians of ${rounds} rounds.\n`,
  );
  const rows = chosen.map((plan) => {
    const middle = (of: (round: Round) => number): number => median((results.get(plan) ?? []).map(of));
    const rate = middle(({ perSecond }) => perSecond);
    return [
      plan.name,
      plan.count * scale,
      Math.round(rate).toLocaleString("en"),
      `${(rate / rivalRate).toFixed(1)} ×`,
      Math.round(middle(({ takenPerSecond }) => takenPerSecond)).toLocaleString("en"),
      middle(({ gatewayMicros }) => gatewayMicros).toFixed(1),
      middle(({ loadMicros }) => loadMicros).toFixed(1),
      middle(({ sinkMicros }) => sinkMicros).toFixed(1),
      `${Math.round(100 * middle(({ mainBusy }) => mainBusy))} %`,
      middle(({ peakMb }) => peakMb),
      plan.form === "single"
        ? `${middle(({ p50Ms }) => p50Ms).toFixed(1)} / ${middle(({ p99Ms }) => p99Ms).toFixed(1)}`
        : "",
    ];
  });
  const head = [
    "form",
    "notifications",
    "per second, to the outcome on disk",
    "of @parse/node-apn",
    "taken/s",
  ];
  const costs = [
    "gateway CPU µs each",
    "generator",
    "sink",
    "main thread busy",
    "peak RSS MB",
    "answer p50 / p99 ms",
  ];
  console.log(table([...head, ...costs], rows));
}

async function measureRival(count: number): Promise<number> {
  const sink = await startSink();
  const result = await measure({
    sink,
    sender: "@parse/node-apn",
    warmUp: count / 4,
    count,
    outstanding: 1000,
  });
  sink.stop();
  return result.perSecond;
}

async function measurePlan(plan: Plan): Promise<Round> {
  const sink = await startSink();
  const options = (process.env.BENCH_GATEWAY_OPTIONS ?? "").split(" ").filter((option) => option !== "");
  const gateway = startProcess("./gateway-process.ts", { NODE_NO_WARNINGS: "1" }, options);
  gateway.send({ port: sink.port, ca: sink.ca });
  const [{ url, key }] = (await once(gateway, "message")) as [{ url: string; key: string }];
  await runLoad({ ...plan, url, key, count: Math.min(plan.count, 40_000) });
  await untilSettled(url);
  const before = await usageOf(gateway);
  const sinkBefore = await sink.usage();
  const load = await runLoad({ ...plan, url, key });
  await untilSettled(url);
  const endMs = performance.timeOrigin + performance.now();
  const after = await usageOf(gateway);
  const sinkAfter = await sink.usage();
  const sent = sinkAfter.requests - sinkBefore.requests;
  if (sent !== plan.count || load.failed > 0)
    console.error(`${plan.name}: ${sent} of ${plan.count} reached the sink, ${load.failed} calls failed`);
  gateway.disconnect();
  await once(gateway, "exit");
  sink.stop();
  return {
    perSecond: (plan.count * 1000) / (endMs - load.startedAtMs),
    takenPerSecond: (plan.count * 1000) / (load.answeredAtMs - load.startedAtMs),
    gatewayMicros: ((after.cpuMs - before.cpuMs) * 1000) / plan.count,
    loadMicros: (load.cpuMs * 1000) / plan.count,
    sinkMicros: ((sinkAfter.cpuMs - sinkBefore.cpuMs) * 1000) / plan.count,
    mainBusy: (after.busyMs - before.busyMs) / (endMs - load.startedAtMs),
    peakMb: after.peakRssMb,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
  };
}

async function runLoad(task: LoadTask): Promise<LoadReport> {
  const child = startProcess("./load.ts", {}, []);
  child.send(task);
  const [report] = (await once(child, "message")) as [LoadReport];
  return report;
}

async function usageOf(gateway: ReturnType<typeof startProcess>): Promise<GatewayUsage> {
  gateway.send("usage");
  const [usage] = (await once(gateway, "message")) as [GatewayUsage];
  return usage;
}

/** Until every outcome is on disk, as `/readyz` tells. */
async function untilSettled(url: string): Promise<void> {
  for (;;) {
    const { queued } = (await (await fetch(`${url}/readyz`)).json()) as { queued: number };
    if (queued === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
