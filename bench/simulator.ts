/**
 * How many pushes the simulator answers, beside nghttpd (C) and a bare `node:http2` server, under the same h2load.
 *
 *   npm run bench -- simulator            everything
 *   npm run bench -- simulator --quick    fewer pushes and one round, to see that it works
 *
 * Needs h2load and nghttpd (Debian: nghttp2-client, nghttp2-server) and Linux, whose /proc tells what a process used.
 */
import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { machine, median, table } from "./support/report.ts";

/** So many that no server can keep in mind what it made of one. */
const deviceTokens = Array.from(
  { length: 1000 },
  (_, index) =>
    `00fc13adff785122b4ad28809a3420982341241421348097878e577c${((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, "0")}`,
);
const payload = JSON.stringify({
  aps: {
    alert: { title: "Carillon", body: "One keyboard, many bells: a push of about 150 bytes." },
    badge: 3,
    sound: "default",
  },
  orderId: 123_456_789,
});
const servers = ["simulator", "nghttpd", "node:http2"] as const;

interface Running {
  readonly port: number;
  readonly authorization: string;
  readonly startMs: number;
  readonly child: ChildProcess;
}

interface Measured {
  readonly perSecond: number;
  readonly cpuMicrosEach: number;
  readonly idleMegabytes: number;
  readonly megabytes: number;
  readonly startMs: number;
}

export async function benchSimulator(mode: "full" | "quick"): Promise<void> {
  const rounds = mode === "quick" ? 1 : 3;
  const count = mode === "quick" ? 50_000 : 1_000_000;
  const folder = mkdtempSync(join(tmpdir(), "carillon-bench-"));
  console.log(
    `# Simulator\n\n${machine()}; h2load with 4 connections, 200 streams each, ${payload.length}-byte payloads, ${deviceTokens.length} devices\n`,
  );
  try {
    const results = new Map<string, Measured[]>(servers.map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1)
      for (const name of servers)
        results.get(name)?.push(await measure(name, folder, name === "node:http2" ? count / 4 : count));
    const of = (name: string, key: keyof Measured): number =>
      median((results.get(name) ?? []).map((each) => each[key]));
    const rows = servers.map((name) => [
      name,
      Math.round(of(name, "perSecond")).toLocaleString("en"),
      of(name, "cpuMicrosEach").toFixed(1),
      `${(of("simulator", "perSecond") / of(name, "perSecond")).toFixed(2)} ×`,
      of(name, "idleMegabytes").toFixed(0),
      of(name, "megabytes").toFixed(0),
    ]);
    const head = ["server", "answers/s", "CPU µs each", "simulator is", "RSS idle, MB", "RSS after, MB"];
    console.log(`${table(head, rows)}\n`);
    console.log(
      `The simulator has its history on and judges every push; it starts in ${of("simulator", "startMs").toFixed(0)} ms.`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(name: (typeof servers)[number], folder: string, count: number): Promise<Measured> {
  const { port, authorization, startMs, child } = await start(name, folder);
  try {
    const pid = child.pid ?? 0;
    const idleMegabytes = residentMegabytes(pid);
    await load(folder, port, authorization, Math.round(count / 10));
    const before = cpuMs(pid);
    const perSecond = await load(folder, port, authorization, count);
    const cpuMicrosEach = ((cpuMs(pid) - before) * 1000) / count;
    return { perSecond, cpuMicrosEach, idleMegabytes, megabytes: residentMegabytes(pid), startMs };
  } finally {
    child.kill();
  }
}

async function start(name: (typeof servers)[number], folder: string): Promise<Running> {
  if (name === "nghttpd") return startNghttpd(folder);
  const file = fileURLToPath(new URL("./support/apple-side.ts", import.meta.url));
  const child = fork(file, [name, folder], { execArgv: ["--import", "tsx"] });
  const [address] = (await once(child, "message")) as [Omit<Running, "child">];
  return { ...address, child };
}

/** It answers with files: empty ones stand where the pushes go. */
async function startNghttpd(folder: string): Promise<Running> {
  const port = await freePort();
  mkdirSync(join(folder, "www/3/device"), { recursive: true });
  for (const deviceToken of deviceTokens) writeFileSync(join(folder, "www/3/device", deviceToken), "");
  const files = [join(folder, "server-key.pem"), join(folder, "server.pem")];
  const options = ["--address=127.0.0.1", "--workers=1", `--htdocs=${join(folder, "www")}`];
  const child = spawn("nghttpd", [...options, String(port), ...files], { stdio: "ignore" });
  for (let tries = 0; tries < 1000 && !(await isListening(port)); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return { port, authorization: "bearer x", startMs: 0, child };
}

/** Answers a second, all of which must have been 200. */
async function load(folder: string, port: number, authorization: string, count: number): Promise<number> {
  const [file, addresses] = [join(folder, "payload.json"), join(folder, "addresses")];
  writeFileSync(file, payload);
  const lines = deviceTokens.map((deviceToken) => `https://127.0.0.1:${port}/3/device/${deviceToken}\n`);
  writeFileSync(addresses, lines.join(""));
  const fields = { authorization, "apns-topic": "com.example.demo", "apns-push-type": "alert" };
  const headers = Object.entries(fields).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const words = [
    `--requests=${count}`,
    "--clients=4",
    "--max-concurrent-streams=200",
    ...headers,
    ...["--data", file, "--input-file", addresses],
  ];
  const { stdout } = await promisify(execFile)("h2load", words);
  if (!stdout.includes(`status codes: ${count} 2xx`))
    throw new Error(`not all were answered 200:\n${stdout}`);
  return Number(/, ([\d.]+) req\/s/.exec(stdout)?.[1]);
}

/** User and system time of a process, in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
