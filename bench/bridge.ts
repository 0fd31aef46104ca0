/**
 * The bridge in queued mode: frames of the binary protocol over TLS → disk (fsynced), while the queue sends on to a sink; and what
 * 10,000 idle connections cost. Sender, gateway and sink are processes of their own on the same machine. A sender knows that
 * all is on disk when the bridge answers its end.
 *
 *   npm run bench -- bridge [--quick]
 */
import { once } from "node:events";
import { makeServerCertificate } from "../test/support/server-certificate.ts";
import type { BridgeLoad, BridgeLoadReport } from "./support/bridge-load.ts";
import type { GatewayUsage } from "./support/gateway-process.ts";
import { startProcess, startSink } from "./support/processes.ts";
import { machine, median, table } from "./support/report.ts";

interface Round {
  readonly perSecond: number;
  readonly gatewayMicros: number;
  readonly senderMicros: number;
}

type Gateway = Awaited<ReturnType<typeof openGateway>>;

export async function benchBridge(mode: "full" | "quick"): Promise<void> {
  const isQuick = mode === "quick";
  console.log(`# Bridge\n\n${machine()}\n`);
  const rounds: Round[] = [];
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1)
    rounds.push(await measureFrames(isQuick ? 50_000 : 500_000));
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const head = ["frames", "on disk per second", "gateway CPU µs each", "sender"];
  const count = isQuick ? 100_000 : 1_000_000;
  console.log(
    table(head, [
      [
        `${count.toLocaleString("en")}, 2 connections`,
        Math.round(middle(({ perSecond }) => perSecond)).toLocaleString("en"),
        middle(({ gatewayMicros }) => gatewayMicros).toFixed(1),
        middle(({ senderMicros }) => senderMicros).toFixed(1),
      ],
    ]),
  );
  console.log(`\n${await measureIdle(isQuick ? 1_000 : 9_500)}`);
}

async function openGateway() {
  const { ca, cert, key } = await makeServerCertificate();
  const sink = await startSink();
  const gateway = startProcess("./gateway-process.ts", { NODE_NO_WARNINGS: "1" }, []);
  gateway.send({ port: sink.port, ca: sink.ca, bridge: { cert, key } });
  const [{ binary }] = (await once(gateway, "message")) as [{ binary: { port: number } }];
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
  return { load: { port: binary.port, ca, cert, key }, usage, close };
}

async function measureFrames(frames: number): Promise<Round> {
  const gateway = await openGateway();
  const connections = 2;
  await send(gateway, 20_000, 1);
  const before = await gateway.usage();
  const report = await send(gateway, frames, connections);
  const after = await gateway.usage();
  await gateway.close();
  const count = frames * connections;
  if (report.failed > 0) console.error(`${report.failed} connections were told an error`);
  return {
    perSecond: (count * 1000) / (report.endedAtMs - report.startedAtMs),
    gatewayMicros: ((after.cpuMs - before.cpuMs) * 1000) / count,
    senderMicros: (report.cpuMs * 1000) / count,
  };
}

async function send({ load }: Gateway, frames: number, connections: number): Promise<BridgeLoadReport> {
  const child = startProcess("./bridge-load.ts", {}, []);
  child.send({ ...load, frames, connections } satisfies BridgeLoad);
  const [report] = (await once(child, "message")) as [BridgeLoadReport];
  child.disconnect();
  return report;
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
