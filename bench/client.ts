/**
 * What the client library costs and carries, beside its rivals, against one sink on the same machine.
 *
 *   npm run bench -- client            everything
 *   npm run bench -- client --quick    fewer pushes and one round, to see that it works
 */
import { measure, startSink } from "./support/processes.ts";
import { machine, median, table } from "./support/report.ts";
import type { Measurement } from "./support/run-sender.ts";

const rivals = ["carillon", "node:http2", "@parse/node-apn", "apns2", "frames only"] as const;
const outstanding = 1000;

export async function benchClient(mode: "full" | "quick"): Promise<void> {
  const scale = mode === "quick" ? 0.1 : 1;
  const rounds = mode === "quick" ? 1 : 5;
  console.log(`# Client\n\n${machine()}\n`);
  await throughput(scale, rounds);
  await endurance(scale);
  await longPath(scale);
}

/**
 * "frames only" is no rival but the floor: what Node's TLS, the sink and a promise cost on this machine.
 *
 * Each in turn, several rounds, so that a slow minute of the machine hits all alike; medians and ratios.
 */
async function throughput(scale: number, rounds: number): Promise<void> {
  const counts = {
    carillon: 400_000,
    "node:http2": 60_000,
    "@parse/node-apn": 40_000,
    apns2: 20_000,
    "frames only": 800_000,
  };
  const results = new Map<string, Measurement[]>(rivals.map((name) => [name, []]));
  const connections = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (const sender of rivals) {
      const sink = await startSink();
      const count = Math.round(counts[sender] * scale);
      results
        .get(sender)
        ?.push(await measure({ sink, sender, warmUp: Math.round(count / 4), count, outstanding }));
      connections.set(sender, (await sink.usage()).connections);
      sink.stop();
    }
  }
  const rate = (name: string): number => median((results.get(name) ?? []).map((each) => each.perSecond));
  const cpu = (name: string): number => median((results.get(name) ?? []).map((each) => each.cpuMicrosEach));
  console.log(`## Sends per second, a promise each, ${outstanding} outstanding (medians of ${rounds})\n`);
  const rows = rivals.map((name) => [
    name,
    rate(name).toLocaleString("en"),
    cpu(name).toFixed(1),
    `${(rate("carillon") / rate(name)).toFixed(1)} ×`,
    `${(cpu(name) / cpu("carillon")).toFixed(1)} ×`,
    connections.get(name) ?? 0,
    (results.get(name) ?? []).reduce((sum, each) => sum + each.failed, 0),
  ]);
  console.log(
    `${table(["sender", "sends/s", "CPU µs each", "sends/s: carillon is", "CPU: carillon is", "connections", "failed"], rows)}\n`,
  );
}

/** A million over one process: the heap after each tenth. 100,000 handed over at once, and a million. */
async function endurance(scale: number): Promise<void> {
  const count = Math.round(1_000_000 * scale);
  const atOnce = Math.round(100_000 * scale);
  const sink = await startSink();
  const long = await measure({
    sink,
    sender: "carillon",
    warmUp: atOnce,
    count,
    outstanding,
    collectsGarbage: true,
  });
  const burst = await measure({
    sink,
    sender: "carillon",
    warmUp: 1,
    count: atOnce,
    outstanding: atOnce,
    parts: 1,
  });
  const million = { sink, sender: "carillon", warmUp: 1, count, outstanding: count, parts: 1 };
  const everything = await measure(million);
  sink.stop();
  console.log(`## ${count.toLocaleString("en")} sends, heap after each tenth\n`);
  console.log(
    `${long.heapMb.join(" · ")} MB; failed ${long.failed}; ${long.perSecond.toLocaleString("en")}/s\n`,
  );
  console.log(`## ${atOnce.toLocaleString("en")} handed over at once\n`);
  console.log(
    `failed ${burst.failed}; peak RSS ${burst.peakRssMb} MB; ${burst.perSecond.toLocaleString("en")}/s\n`,
  );
  console.log(`## ${count.toLocaleString("en")} outstanding at once\n`);
  console.log(
    `failed ${everything.failed}; peak RSS ${everything.peakRssMb} MB; ${everything.perSecond.toLocaleString("en")}/s\n`,
  );
}

/** A round trip of 150 ms and APNs' 65,535-byte window: one connection is bound by the window, the pool must grow. */
async function longPath(scale: number): Promise<void> {
  console.log("## 150 ms round trip, 1.5 kB payloads, window 65,535 bytes\n");
  for (const [creditStep, when] of [
    ["0", "at once"],
    ["16384", "in steps of 16 KB"],
  ] as const)
    await longPathOnce(scale, creditStep, when);
}

async function longPathOnce(scale: number, creditStep: string, when: string): Promise<void> {
  const sink = await startSink({ SINK_DELAY_MS: "150", SINK_WINDOW: "65535", SINK_CREDIT_STEP: creditStep });
  const count = Math.round(100_000 * scale);
  const long = await measure({
    sink,
    sender: "carillon-1500",
    warmUp: count,
    count,
    outstanding: 20_000,
    parts: 1,
  });
  const { connections } = await sink.usage();
  sink.stop();
  console.log(
    `window given back ${when}: ${long.perSecond.toLocaleString("en")}/s over ${connections} connections; failed ${long.failed}\n`,
  );
}
