/**
 * A gateway with one app or more that send to a sink, as a process of its own. `fork`ed, it gets the sink's address and sends its
 * own port and key; to every further message it answers with what it has used so far. A data folder that it is given stays.
 */
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../../packages/gateway/dist/gateway.js";
import type { Config } from "../../packages/gateway/dist/index.js";
import type { Sink } from "./sender.ts";

export interface GatewayUsage {
  readonly cpuMs: number;
  /** How long the main thread's event loop was busy. */
  readonly busyMs: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
}

const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();

process.once("message", (task: GatewayTask) => void serve(task));

export interface GatewayTask extends Sink {
  readonly dataDir?: string;
  /** How many apps there are: `demo`, `demo-1`, `demo-2` … @default 1 */
  readonly apps?: number;
  /** With a bridge in queued mode, which lets in whom the app pins. */
  readonly bridge?: BridgeTask;
}

export interface BridgeTask {
  /** PEM: who the bridge is, and its senders too. */
  readonly cert: string;
  readonly key: string;
}

async function serve({ dataDir: given, apps = 1, bridge, ...sink }: GatewayTask): Promise<void> {
  const dataDir = given ?? mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "carillon-bench-"));
  const gateway = await startGateway({
    config: {
      listen: { host: "127.0.0.1", port: 0 },
      dataDir,
      logLevel: "warn",
      apps: Array.from({ length: apps }, (_, index) => ({
        name: index === 0 ? "demo" : `demo-${index}`,
        topic: "com.example.demo",
        environment: "sandbox",
        credentials: { kind: "token", key, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
        endpoint: `https://localhost:${sink.port}`,
        ca: sink.ca,
        ...(bridge === undefined || index > 0 ? {} : { fingerprints: [fingerprintOf(bridge.cert)] }),
      })),
      ...(bridge === undefined ? {} : { binary: binaryOf(bridge) }),
    },
  });
  process.send?.({ url: gateway.url, key: gateway.adminKey, binary: gateway.binary });
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({
      cpuMs: (user + system) / 1000,
      busyMs: performance.eventLoopUtilization().active,
      rssMb: Math.round(process.memoryUsage.rss() / 1048576),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    } satisfies GatewayUsage);
  });
  process.once("disconnect", () => {
    void gateway.close({ deadlineMs: 1_000 }).then(() => {
      if (given === undefined) rmSync(dataDir, { recursive: true, force: true });
      process.exit(0);
    });
  });
}

function fingerprintOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(":", "");
}

function binaryOf({ cert, key }: BridgeTask): NonNullable<Config["binary"]> {
  return {
    ...{ host: "127.0.0.1", port: 0, feedbackPort: 0, cert, key },
    ...{ mode: "queued", minTls: "TLSv1.2" },
  };
}
