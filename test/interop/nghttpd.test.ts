/** The client against nghttpd, the server of the nghttp2 project (Debian: nghttp2-server). Skipped where it is not installed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApnsClient } from "@carillon/apns";
import { describe, expect, test } from "vitest";
import { openClient, stopAfterTest, turns } from "../support/faults.ts";
import { countKinds, deviceToken, notification, sendAtOnce } from "../support/sending.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

const isAbsent = spawnSync("nghttpd", ["--version"]).status !== 0;
if (isAbsent) console.warn("SKIPPED: nghttpd is not installed (Debian: nghttp2-server)");

/** Starts it over a folder in which the paths of device tokens 0 to `devices` - 1 exist: those are answered 200. */
async function serve(
  devices: number,
  options: readonly string[] = [],
): Promise<{ client: ApnsClient; log: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), "nghttpd-"));
  const { ca, cert, key } = await makeServerCertificate();
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
  const tokens = join(folder, "root", "3", "device");
  mkdirSync(tokens, { recursive: true });
  for (let each = 0; each < devices; each += 1) writeFileSync(join(tokens, deviceToken(each)), "");
  const port = await freePort();
  const child: ChildProcess = spawn(
    "nghttpd",
    [
      "-v",
      "-a",
      "127.0.0.1",
      "-d",
      join(folder, "root"),
      ...options,
      String(port),
      join(folder, "key.pem"),
      join(folder, "cert.pem"),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    log += chunk.toString("latin1");
  });
  stopAfterTest(async () => {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  });
  return { client: openClient({ ca, endpoint: `https://localhost:${port}` }), log: () => log };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(isAbsent)("nghttpd", () => {
  test("answers 2,000 pushes under a limit of 50 streams: half known, half not", async () => {
    const { client, log } = await serve(1000, ["-m", "50"]);
    const outcomes = await sendAtOnce(client, 2000);
    expect(countKinds(outcomes)).toEqual({ accepted: 1000, unrecognized: 1000 });
    expect(outcomes[1500]).toMatchObject({ status: 404 });
    expect(log()).not.toMatch(/PROTOCOL_ERROR|COMPRESSION_ERROR|FLOW_CONTROL_ERROR/);
    expect(client.snapshot().connections[0]?.streamLimit).toBe(50);
  });

  test("reads payloads of 4 KB through windows of 2^10 bytes, and padding of its own does no harm", async () => {
    const { client } = await serve(300, ["-w", "10", "-W", "16", "-b", "255"]);
    const payload = { aps: { alert: "y".repeat(4000) } };
    expect(countKinds(await sendAtOnce(client, 300, { payload }))).toEqual({ accepted: 300 });
  });

  test("takes a header table of 0 bytes in both directions", async () => {
    const { client, log } = await serve(500, ["-c", "0"]);
    expect(countKinds(await sendAtOnce(client, 500))).toEqual({ accepted: 500 });
    expect(log()).not.toMatch(/COMPRESSION_ERROR/);
  });

  test("is told GOAWAY with last stream 0 at the end, and sees no reset", async () => {
    const { client, log } = await serve(10);
    await sendAtOnce(client, 10);
    await client.close();
    for (let turn = 0; turn < 10_000 && !log().includes("recv GOAWAY"); turn += 1) await turns(1);
    expect(log()).toMatch(/recv GOAWAY frame[\s\S]*last_stream_id=0, error_code=NO_ERROR/);
    expect(log()).not.toMatch(/recv RST_STREAM/);
  });

  test("row 49: takes 500 sends that are given up in one moment, and goes on", async () => {
    const { client, log } = await serve(1000);
    const abort = new AbortController();
    const given = Array.from({ length: 500 }, (_, each) =>
      client.send(notification(each), { signal: abort.signal }),
    );
    while (client.snapshot().inFlight === 0) await turns(1);
    abort.abort();
    await Promise.all(given);
    expect(countKinds(await sendAtOnce(client, 500, {}, 500))).toEqual({ accepted: 500 });
    expect(log()).not.toMatch(/send GOAWAY/);
  });
});
