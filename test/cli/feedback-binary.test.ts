/** `carillon feedback --binary` against the simulator's feedback service and the bridge's. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateCredentials } from "@carillon/apns";
import { BinaryClient, readFeedback } from "@carillon/apns/binary";
import { startSimulator } from "@carillon/simulator";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { openBridge } from "../support/bridges.ts";
import { carillon, cleanUp, makeFolder, start } from "../support/command-line.ts";
import { call, demoPath } from "../support/gateways.ts";
import { pkcs12File, pkcs12Passphrase } from "../support/pkcs12-file.ts";
import { deviceToken } from "../support/sending.ts";

afterEach(cleanUp);

const goneSinceMs = 1_700_000_000_000;
const goneSince = new Date(goneSinceMs).toISOString();
const tokens = [deviceToken(1), deviceToken(2), deviceToken(3)];

function commandFor(port: number, { cert, key }: CertificateCredentials, ca: string) {
  const folder = makeFolder();
  writeFileSync(join(folder, "client.pem"), String(cert));
  writeFileSync(join(folder, "client-key.pem"), String(key));
  writeFileSync(join(folder, "ca.pem"), ca);
  const target = ["feedback", "--binary", `localhost:${port}`, "--ca", "ca.pem"];
  const pair = ["--cert", "client.pem", "--cert-key", "client-key.pem"];
  return { folder, words: [...target, ...pair], target };
}

/** A simulator whose feedback service has these device tokens to tell. */
async function openService() {
  const apple = await startSimulator({ binaryPort: 0, feedbackPort: 0 });
  onTestFinished(() => apple.close());
  const { binaryPort = 0, feedbackPort = 0, credentials, ca } = apple;
  const peer = { host: "localhost", port: binaryPort, ca, credentials: credentials.certificate };
  const client = new BinaryClient(peer);
  for (const token of tokens) apple.devices.unregister(token, goneSinceMs);
  await Promise.all(tokens.map((token) => client.send({ deviceToken: token, payload: { aps: {} } })));
  await client.close();
  return { apple, ...commandFor(feedbackPort, credentials.certificate, ca) };
}

/** A bridge that heard from Apple that the same are gone. */
async function openTellingBridge() {
  const { apple, gateway, feedbackReader } = await openBridge();
  const answer = { reason: "Unregistered", timestamp: goneSinceMs };
  apple.setScenario({ rules: { do: { answer } } });
  const body = { to: { tokens }, alert: "Hello", registeredAt: "2020-01-01T00:00:00Z" };
  await call(gateway, `${demoPath}?wait=20`, body);
  const { port, ca } = feedbackReader;
  const { certificate } = apple.credentials;
  const options = { host: "localhost", port, ca, credentials: certificate };
  return { options, ...commandFor(port, certificate, ca) };
}

test("prints each device token with its time, once; the next run has nothing to tell", async () => {
  const { folder, words } = await openService();
  const first = await carillon(words, { folder });
  expect(first).toMatchObject({ status: 0, stderr: expect.stringContaining("3 device tokens. ") });
  expect(first.stdout.trimEnd().split("\n").sort()).toEqual(
    tokens.map((token) => `${token}  gone since ${goneSince}`),
  );
  const second = await carillon(words, { folder });
  expect(second).toMatchObject({
    status: 0,
    stdout: "",
    stderr: expect.stringContaining("0 device tokens. "),
  });
});

test("--json has an object a line", async () => {
  const { folder, words } = await openService();
  const { status, stdout } = await carillon([...words, "--json"], { folder });
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  const told = lines.map((line) => JSON.parse(line));
  expect(told).toHaveLength(3);
  for (const token of tokens) expect(told).toContainEqual({ token, since: goneSince });
});

test("a bridge is read to its end, once", async () => {
  const { folder, words } = await openTellingBridge();
  const first = await carillon([...words, "--json"], { folder });
  expect(first.status).toBe(0);
  for (const token of tokens) expect(first.stdout).toContain(JSON.stringify({ token, since: goneSince }));
  expect(await carillon(words, { folder })).toMatchObject({ status: 0, stdout: "" });
});

test("output that is closed ends the reading: status 3, and a bridge tells everything again", async () => {
  const { folder, words } = await openTellingBridge();
  const cut = start(words, { folder });
  cut.child.stdout?.destroy();
  expect(await cut.ended()).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/the output was lost.*\n0 device tokens before that/),
  });
  const { status, stdout } = await carillon(words, { folder });
  expect(status).toBe(0);
  for (const token of tokens) expect(stdout).toContain(token);
});

test("a reader that takes its time keeps the list unread until it has kept what it was told", async () => {
  const { options } = await openTellingBridge();
  const told: string[] = [];
  let fail = (_: Error): void => undefined;
  const isTold = new Promise<void>((resolve) => {
    const slow = readFeedback(options, ({ deviceToken: token }) => {
      told.push(token);
      resolve();
      return new Promise((_, reject) => {
        fail = reject;
      });
    });
    slow.catch(() => undefined);
    onTestFinished(() => expect(slow).rejects.toThrow("the disk is full"));
  });
  await isTold;
  // One reader at a time: the bridge still waits for the first.
  expect(await readFeedback(options, () => undefined)).toEqual({ kind: "complete", devices: 0 });
  fail(new Error("the disk is full"));
  const again: string[] = [];
  let reading = await readFeedback(options, (device) => void again.push(device.deviceToken));
  for (let turn = 0; reading.kind === "complete" && reading.devices === 0 && turn < 1_000; turn += 1)
    reading = await readFeedback(options, (device) => void again.push(device.deviceToken));
  expect(told).toHaveLength(1);
  expect(again.sort()).toEqual(tokens);
});

test("a service that breaks off, and one that is not there, are status 3; what was told before is printed", async () => {
  const { apple, folder, words, target } = await openService();
  const when = { protocol: "feedback" } as const;
  apple.setScenario({
    rules: [
      { on: "open", when, do: { stall: { what: "writes" } } },
      { on: "time", atMs: 20, when, do: { close: { how: "rst" } } },
    ],
  });
  expect(await carillon(words, { folder })).toMatchObject({
    ...{ status: 3, stdout: "" },
    stderr: expect.stringMatching(/^error: the reading broke off: /),
  });
  await apple.close();
  writeFileSync(join(folder, "push.p12"), pkcs12File);
  const environment = { CARILLON_PASSPHRASE: pkcs12Passphrase };
  expect(await carillon([...target, "--p12", "push.p12"], { folder, environment })).toMatchObject({
    ...{ status: 3, stdout: "" },
    stderr: expect.stringMatching(/^error: nothing was read: localhost:\d+: .*\nCheck that localhost:/),
  });
});

test.each([
  [
    ["--binary", "localhost"],
    ["--binary must be HOST:PORT", "--cert is missing"],
  ],
  [
    ["--binary", "localhost:2196", "--app", "demo", "--cert", "none.pem"],
    ["--app cannot", "no such file"],
  ],
  [["--cert", "client.pem", "--app", "demo"], ["--cert belongs to --binary"]],
  [["restore", "TOKEN", "--binary", "localhost:2196"], ["nothing can be taken back"]],
])("%j is refused, all at once: status 2", async (words, texts) => {
  const { status, stdout, stderr } = await carillon(["feedback", ...words]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  for (const text of texts) expect(stderr).toContain(text);
});
