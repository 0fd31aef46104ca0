/**
 * A queue that Apple does not empty: how fast it takes more, what it costs in memory and on disk, and how soon a start with all
 * of it sends again.
 *
 *   npm run bench -- backlog            5,000,000 notifications, 10,000 device tokens a body
 *   npm run bench -- backlog --quick    200,000, to see that it works
 */
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { GatewayUsage } from "./support/gateway-process.ts";
import type { LoadReport, LoadTask } from "./support/load.ts";
import { startProcess, startSink } from "./support/processes.ts";
import { machine, table } from "./support/report.ts";

const parts = 10;
const payloadBytes = 150;
const tokenBytes = 32;
/** A payload stands once in each batch. */
const perBatch = 1_000;

export async function benchBacklog(mode: "full" | "quick"): Promise<void> {
  const count = mode === "quick" ? 200_000 : 5_000_000;
  console.log(`# Backlog\n\n${machine()}\n`);
  const dataDir = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "carillon-backlog-"));
  const sink = await startSink();
  try {
    const closed = await start({ port: await closedPort(), ca: sink.ca, dataDir });
    const load = { ...closed, form: "tokens", connections: 2 } as const;
    await runLoad({ ...load, count: 50_000 });
    const rates: number[] = [];
    for (let part = 0; part < parts; part += 1) {
      const { startedAtMs, answeredAtMs, failed } = await runLoad({ ...load, count: count / parts });
      if (failed > 0) console.error(`${failed} calls failed`);
      rates.push((count * 1_000) / parts / (answeredAtMs - startedAtMs));
    }
    const full = await usageOf(closed.child);
    closed.child.kill("SIGKILL");
    await once(closed.child, "exit");
    const bytes = sizeOf(dataDir);

    const startedAt = performance.now();
    const open = await start({ port: sink.port, ca: sink.ca, dataDir });
    while ((await sink.usage()).requests === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const sendingAfterMs = performance.now() - startedAt;
    const queued = await queuedAt(open.url);
    const again = await usageOf(open.child);
    open.child.disconnect();
    await once(open.child, "exit");

    const held = count + 50_000;
    const bare = held * tokenBytes + (held / perBatch) * payloadBytes;
    const [first = 0] = rates;
    const last = rates.at(-1) ?? 0;
    console.log(
      table(
        ["what", "figure"],
        [
          ["taken while the queue was empty, per second", Math.round(first).toLocaleString("en")],
          [
            `taken while it held ${count.toLocaleString("en")}, per second`,
            Math.round(last).toLocaleString("en"),
          ],
          ["the second of the first", `${((100 * last) / first).toFixed(0)} %`],
          ["each tenth, per second", `${rates.map((rate) => Math.round(rate / 1_000)).join(", ")} thousand`],
          ["resident, MB: now / at most", `${full.rssMb} / ${full.peakRssMb}`],
          ["on disk, MB", Math.round(bytes / 1e6)],
          ["of the bytes of tokens and payloads", `${(bytes / bare).toFixed(2)} ×`],
          ["queued after kill -9 and a start", queued.toLocaleString("en")],
          ["from the start of the process to the first push, ms", Math.round(sendingAfterMs)],
          ["resident then, MB", again.rssMb],
        ],
      ),
    );
  } finally {
    sink.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function start(task: { port: number; ca: string; dataDir: string }) {
  const child = startProcess("./gateway-process.ts", { NODE_NO_WARNINGS: "1" }, []);
  child.send(task);
  const [{ url, key }] = (await once(child, "message")) as [{ url: string; key: string }];
  return { child, url, key };
}

async function runLoad({ url, key, form, count, connections }: LoadTask): Promise<LoadReport> {
  const child = startProcess("./load.ts", {}, []);
  child.send({ url, key, form, count, connections } satisfies LoadTask);
  const [report] = (await once(child, "message")) as [LoadReport];
  return report;
}

async function usageOf(child: ReturnType<typeof startProcess>): Promise<GatewayUsage> {
  child.send("usage");
  const [usage] = (await once(child, "message")) as [GatewayUsage];
  return usage;
}

async function queuedAt(url: string): Promise<number> {
  return ((await (await fetch(`${url}/readyz`)).json()) as { queued: number }).queued;
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
