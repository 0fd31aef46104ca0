/** What a gateway makes of a disk that fails, with the kernel's answers changed by strace under the real command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasCommand, runCommand } from "../support/command.ts";
import { cleanUp, commandFile, RunningCommand, start } from "../support/command-line.ts";
import { deviceToken } from "../support/sending.ts";
import { addressOf, makeSite } from "./support/site.ts";

const canInject =
  process.platform === "linux" &&
  hasCommand("strace") &&
  (await runCommand("strace", ["-o", "/dev/null", "-e", "inject=getpid:error=EIO", "true"])).status === 0;
if (!canInject) process.stdout.write("disk errors: skipped, for strace is not here or may not trace\n");

let apple: Simulator;
beforeEach(async () => {
  apple = await startSimulator();
});
afterEach(async () => {
  await cleanUp();
  await apple.close();
});

/** `carillon serve`, the system calls on whose log are answered as `injection` says. */
function serveInjected(folder: string, injection: string): RunningCommand {
  const log = join(folder, "data/carillon.db-wal");
  return new RunningCommand(
    "strace",
    [
      ...["-f", "-qq", "-o", join(folder, "calls.txt"), "-P", log, "-e", "trace=fsync,fdatasync,pwrite64"],
      ...["-e", `inject=${injection}`, process.execPath, commandFile, "serve"],
    ],
    { folder },
  );
}

/** Posts one after the other, and says which device tokens were acknowledged and how the others were answered. */
async function post(server: RunningCommand, devices: readonly string[]) {
  const { url, key } = await addressOf(server);
  const acknowledged: string[] = [];
  const refused: { status: number; retryAfter: string | null; detail: string }[] = [];
  for (const device of devices) {
    const response = await fetch(`${url}/v1/apps/demo/notifications`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ to: { token: device }, alert: "Hello" }),
    }).catch(() => undefined);
    if (response === undefined) break;
    if (response.status === 202) acknowledged.push(device);
    else {
      const { detail } = (await response.json()) as { detail: string };
      refused.push({ status: response.status, retryAfter: response.headers.get("retry-after"), detail });
    }
  }
  return { acknowledged, refused };
}

function devicesFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => deviceToken(first + index));
}

/** Everything acknowledged reaches Apple's side once the gateway runs on a disk that works. */
async function expectAllDelivered(folder: string, acknowledged: readonly string[]): Promise<void> {
  const server = start(["serve"], { folder });
  await server.untilPrinted(/listening on/);
  for (const device of acknowledged)
    await apple.history.waitFor({ deviceToken: device, status: 200, timeoutMs: 20_000 });
  server.signal("SIGTERM");
  expect((await server.ended()).status).toBe(0);
}

const options = { timeout: 90_000 };

const errors = [
  { call: "fsync,fdatasync", when: 40 },
  { call: "pwrite64", when: 400 },
];
for (const { call, when } of errors)
  test.skipIf(!canInject)(
    `EIO from ${call}: it stops, says so, tries nothing again and has lost nothing`,
    options,
    async () => {
      const folder = makeSite(apple);
      // One call alone fails: a second try would succeed, and would be a lie.
      const server = serveInjected(folder, `${call}:error=EIO:when=${when}`);
      const { acknowledged } = await post(server, devicesFrom(0, 200));
      const { status, stderr } = await server.ended();
      expect(status).toBe(3);
      expect(stderr).toMatch(/store failed: .*disk I\/O error/);
      expect(acknowledged.length).toBeGreaterThan(0);
      expect(acknowledged.length).toBeLessThan(200);
      // SQLite's own close copies into the database what earlier fsyncs had brought to disk, and asks for one more of them
      // first. What failed is not in the log's index, so nothing of it is copied; nothing is written to the log any more.
      const calls = readFileSync(join(folder, "calls.txt"), "latin1").split("\n");
      const failedAt = calls.findIndex((line) => line.includes("INJECTED"));
      expect(failedAt).toBeGreaterThan(0);
      const later = calls.slice(failedAt + 1);
      expect(later.filter((line) => line.includes("pwrite64("))).toEqual([]);
      expect(later.filter((line) => /f(data)?sync\(/.test(line)).length).toBeLessThanOrEqual(1);
      await expectAllDelivered(folder, acknowledged);
    },
  );

test.skipIf(!canInject)(
  "ENOSPC: 503 with Retry-After while there is no room, and after it all goes on",
  options,
  async () => {
    const folder = makeSite(apple);
    const server = serveInjected(folder, "pwrite64:error=ENOSPC:when=150..250");
    const { acknowledged, refused } = await post(server, devicesFrom(0, 200));
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, retryAfter, detail } of refused) {
      expect({ status, retryAfter }).toEqual({ status: 503, retryAfter: "30" });
      expect(detail).toContain("The disk is full");
      expect(detail).toContain("Nothing was stored");
    }
    // The last of them, when there is room again, was taken.
    expect(acknowledged.at(-1)).toBe(deviceToken(199));
    for (const device of acknowledged)
      await apple.history.waitFor({ deviceToken: device, status: 200, timeoutMs: 20_000 });
    const delivered = new Set(apple.history.pushes.map((push) => push.deviceToken));
    expect([...delivered].sort()).toEqual([...acknowledged].sort());
    // strace passes no signal on: the gateway is stopped by the number in its data folder.
    process.kill(Number(readFileSync(join(folder, "data/carillon.pid"), "utf8")), "SIGTERM");
    expect((await server.ended()).status).toBe(0);
  },
);
