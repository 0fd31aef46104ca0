/**
 * The bridge in queued mode: frames of the binary protocol over TLS → disk (fsynced), while the queue sends on to a sink; and what
 * 10,000 idle connections cost. Sender, gateway and sink are processes of their own on the same machine. A sender knows that
 * all is on disk when the bridge answers its end.
 *
 *   npm run bench -- bridge [--quick]
 *   npm run bench -- bridge idle [--quick]     the idle connections alone
 */
import { once } from "node:events";
import { makeServerCertificate } from "../test/support/server-certificate.ts";
import type { BridgeLoad, BridgeLoadReport } from "./support/bridge-load.ts";
import type { GatewayUsage } from "./support/gateway-process.ts";
import { startProcess, startSink } from "./support/processes.ts";
import { machine, median, table } from "./support/report.ts";

interface Round {
  /** From the first byte until all is on disk, and until all has been sent and its outcome is on disk. */
  readonly perSecond: number;
  readonly settledPerSecond: number;
  /** Of the whole way. */
  readonly gatewayMicros: number;
  readonly senderMicros: number;
  readonly sinkMicros: number;
  readonly peakMb: number;
}

type Payloads = "one" | "each";
type Gateway = Awaited<ReturnType<typeof openGateway>>;

const connections = 2;

export async function benchBridge(mode: "full" | "quick", only: string | undefined): Promise<void> {
  const isQuick = mode === "quick";
  console.log(`# Bridge\n\n${machine()}\n`);
  if (only !== "idle") await showFrames(isQuick);
  console.log(await measureIdle(isQuick ? 1_000 : 10_000));
}

async function showFrames(isQuick: boolean): Promise<void> {
  const count = isQuick ? 200_000 : 1_000_000;
  const results = { one: [] as Round[], each: [] as Round[] };
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1)
    for (const payloads of ["one", "each"] as const)
      results[payloads].push(await measureFrames(count / connections, payloads));
  const rowOf = (name: string, rounds: readonly Round[]): string[] => {
    const middle = (of: (round: Round) => number): number => median(rounds.map(of));
    const rate = (of: (round: Round) => number): string => Math.round(middle(of)).toLocaleString("en");
    return [
      `${count.toLocaleString("en")}, ${connections} connections, ${name}`,
      rate(({ perSecond }) => perSecond),
      rate(({ settledPerSecond }) => settledPerSecond),
      middle(({ gatewayMicros }) => gatewayMicros).toFixed(1),
      middle(({ senderMicros }) => senderMicros).toFixed(1),
      middle(({ sinkMicros }) => sinkMicros).toFixed(1),
      `${middle(({ peakMb }) => peakMb)}`,
    ];
  };
  const head = ["frames", "on disk per second", "to the outcome on disk", "gateway CPU µs each"];
  const rows = [rowOf("one payload", results.one), rowOf("a payload each", results.each)];
  console.log(`${table([...head, "sender", "sink", "peak RSS MB"], rows)}\n`);
}

async function openGateway() {
  const { ca, cert, key } = await makeServerCertificate();
  const sink = await startSink();
  const options = (process.env.BENCH_GATEWAY_OPTIONS ?? "").split(" ").filter((option) => option !== "");
  const gateway = startProcess("./gateway-process.ts", { NODE_NO_WARNINGS: "1" }, options);
  gateway.send({ port: sink.port, ca: sink.ca, bridge: { cert, key } });
  const [{ url, binary }] = (await once(gateway, "message")) as [{ url: string; binary: { port: number } }];
  const usage = async (): Promise<GatewayUsage> => {
    gateway.send("usage");
    const [used] = (await once(gateway, "message")) as [GatewayUsage];
    return used;
  };
  const close = async (): Promise<void> => {
    gateway.disconnect();
    await once(gateway, "exit");
    sink.stop();
  };
  return { load: { port: binary.port, ca, cert, key }, url, sink, usage, close };
}

async function measureFrames(frames: number, payloads: Payloads): Promise<Round> {
  const gateway = await openGateway();
  const { sink, url } = gateway;
  await send(gateway, 20_000, 1, payloads);
  await untilSettled(url);
  const before = await gateway.usage();
  const sinkBefore = await sink.usage();
  const report = await send(gateway, frames, connections, payloads);
  await untilSettled(url);
  const settledAtMs = performance.timeOrigin + performance.now();
  const after = await gateway.usage();
  const sinkAfter = await sink.usage();
  await gateway.close();
  const count = frames * connections;
  const sent = sinkAfter.requests - sinkBefore.requests;
  if (sent !== count || report.failed > 0)
    console.error(`${sent} of ${count} reached the sink, ${report.failed} connections were told an error`);
  return {
    perSecond: (count * 1000) / (report.endedAtMs - report.startedAtMs),
    settledPerSecond: (count * 1000) / (settledAtMs - report.startedAtMs),
    gatewayMicros: ((after.cpuMs - before.cpuMs) * 1000) / count,
    senderMicros: (report.cpuMs * 1000) / count,
    sinkMicros: ((sinkAfter.cpuMs - sinkBefore.cpuMs) * 1000) / count,
    peakMb: after.peakRssMb,
  };
}

async function send(
  { load }: Gateway,
  frames: number,
  connections: number,
  payloads: Payloads,
): Promise<BridgeLoadReport> {
  const child = startProcess("./bridge-load.ts", {}, []);
  child.send({ ...load, frames, connections, payloads } satisfies BridgeLoad);
  const [report] = (await once(child, "message")) as [BridgeLoadReport];
  child.disconnect();
  return report;
}

/** Until every outcome is on disk, as `/readyz` tells. */
async function untilSettled(url: string): Promise<void> {
  for (;;) {
    const { queued } = (await (await fetch(`${url}/readyz`)).json()) as { queued: number };
    if (queued === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Memory of the gateway's process, in a sentence; each connection has sent one frame. */
async function measureIdle(connections: number): Promise<string> {
  const gateway = await openGateway();
  const before = await gateway.usage();
  const child = startProcess("./bridge-load.ts", {}, []);
  child.send({ ...gateway.load, frames: "idle", connections } satisfies BridgeLoad);
  await once(child, "message");
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const after = await gateway.usage();
  child.disconnect();
  await once(child, "exit");
  await gateway.close();
  return `${connections.toLocaleString("en")} idle connections, each after one frame: ${after.rssMb} MB in all, ${before.rssMb} MB before.`;
}
