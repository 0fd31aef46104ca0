/** A push certificate in a .p12 file as old keychains exported it, from the file to Apple's side. OpenSSL makes the file. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "@carillon/simulator";
import { afterEach, expect, test } from "vitest";
import { hasCommand, runCommand } from "../support/command.ts";
import { carillon, cleanUp, makeFolder, start } from "../support/command-line.ts";
import { stopAfterTest } from "../support/faults.ts";
import { deviceToken } from "../support/sending.ts";

afterEach(cleanUp);

const passphrase = "open sesame";

/** Whether there is an OpenSSL here that still writes RC2. */
async function canMakeOldFiles(): Promise<boolean> {
  if (!hasCommand("openssl")) return false;
  const { status } = await runCommand("openssl", ["list", "-providers", "-provider", "legacy"]);
  return status === 0;
}

const without = (await canMakeOldFiles()) ? "" : " (skipped: no openssl with its legacy provider here)";

/** A simulator, and a folder with its authority and its client certificate in an old .p12 file. */
async function setUp() {
  const folder = makeFolder();
  const simulator = await startSimulator({ dir: join(folder, "apple") });
  stopAfterTest(() => simulator.close());
  const { ca = "", cert = "", certKey = "" } = simulator.files ?? {};
  writeFileSync(join(folder, "passphrase"), `${passphrase}\n`);
  const file = join(folder, "push.p12");
  const words = ["pkcs12", "-export", "-legacy", "-in", cert, "-inkey", certKey, "-out", file];
  const made = await runCommand("openssl", [...words, "-passout", `file:${join(folder, "passphrase")}`]);
  expect(made).toMatchObject({ status: 0 });
  writeFileSync(join(folder, "ca.pem"), readFileSync(ca));
  return { simulator, folder };
}

test.skipIf(without !== "")(`carillon send --p12 takes an old file${without}`, async () => {
  const { simulator, folder } = await setUp();
  const target = [
    "--endpoint",
    simulator.endpoint,
    "--ca",
    "ca.pem",
    "--to",
    deviceToken(1),
    "--alert",
    "Hello",
  ];
  const credential = ["--p12", "push.p12", "--passphrase-file", "passphrase"];
  expect(await carillon(["send", ...target, ...credential], { folder })).toMatchObject({
    status: 0,
    stderr: "",
  });
  simulator.expectNoPush({ status: 403 });
  expect(simulator.connections.all.map(({ sender }) => sender)).toEqual(["certificate"]);

  const environment = { CARILLON_PASSPHRASE: "melon" };
  const wrong = await carillon(["send", ...target, "--p12", "push.p12"], { folder, environment });
  expect(wrong).toMatchObject({ status: 2, stdout: "" });
  expect(wrong.stderr).toContain("--p12 the passphrase does not open");
});

test.skipIf(without !== "")(`carillon serve takes an old file and says so${without}`, async () => {
  const { simulator, folder } = await setUp();
  const app = {
    name: "demo",
    topic: simulator.topic,
    environment: "sandbox",
    endpoint: simulator.endpoint,
    ca: "ca.pem",
    credentials: { pkcs12: { file: "push.p12", passphraseFile: "passphrase" } },
  };
  // JSON is YAML.
  writeFileSync(join(folder, "carillon.yaml"), JSON.stringify({ listen: { port: 0 }, apps: [app] }));
  const server = start(["serve"], { folder });
  const [url = ""] = await server.untilPrinted(/http:\/\/127\.0\.0\.1:\d+/);
  const [, keyFile = ""] = await server.untilPrinted(/^admin key: (.*)$/m);
  const answer = await fetch(`${url}/v1/apps/demo/notifications`, {
    method: "POST",
    headers: { authorization: `Bearer ${readFileSync(keyFile, "utf8")}`, "content-type": "application/json" },
    body: JSON.stringify({ to: { token: deviceToken(1) }, alert: "Hello" }),
  });
  expect(answer.status).toBe(202);
  await simulator.expectPush({ deviceToken: deviceToken(1) });
  server.signal("SIGTERM");
  const { status, stderr } = await server.ended();
  expect(status).toBe(0);
  expect(stderr).toMatch(/warning: App "demo": push\.p12 is of an old kind, .* works all the same/);
});
