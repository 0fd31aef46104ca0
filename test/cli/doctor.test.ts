/** `carillon doctor` on folders as people have them, healthy and not. */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { type Simulator, type SimulatorOptions, startSimulator } from "@carillon/simulator";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { carillon, cleanUp, commandFile, type Ended, makeFolder, start } from "../support/command-line.ts";
import { pkcs12File, pkcs12Passphrase } from "../support/pkcs12-file.ts";
import { issuePushCertificate } from "../support/push-certificate.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

afterEach(cleanUp);

const dayMs = 86_400_000;
const inAYear = (): Date => new Date(Date.now() + 365 * dayMs);

interface Site {
  readonly folder: string;
  readonly apple: Simulator;
  readonly run: (...words: string[]) => Promise<Ended>;
  write(name: string, text: string | Buffer): void;
  /** The configuration: one app at the simulator, and what else is wanted. */
  configure(options?: { readonly credentials?: string; readonly app?: string; readonly more?: string }): void;
}

/** What `carillon simulate --dir apple` leaves in a folder, and a configuration that uses it. */
async function setUp(options: SimulatorOptions = {}): Promise<Site> {
  const folder = makeFolder();
  const apple = await startSimulator({ dir: join(folder, "apple"), ...options });
  onTestFinished(() => apple.close());
  const write = (name: string, text: string | Buffer): void => writeFileSync(join(folder, name), text);
  const { token } = apple.credentials;
  const key = `apple/AuthKey_${token.keyId}.p8`;
  const usual = `{ token: { keyFile: ${key}, keyId: ${token.keyId}, teamId: ${token.teamId} } }`;
  const site: Site = {
    ...{ folder, apple, write },
    run: (...words) => carillon(["doctor", ...words], { folder }),
    configure({ credentials = usual, app, more = "" } = {}) {
      const lines = [
        "apps:",
        "  - name: demo",
        "    topic: com.example.demo",
        ...(app ?? `environment: sandbox\nendpoint: ${apple.endpoint}\nca: apple/ca.pem`)
          .split("\n")
          .map((line) => `    ${line}`),
        `    credentials: ${credentials}`,
        more,
      ];
      write("carillon.yaml", lines.join("\n"));
    },
  };
  site.configure();
  return site;
}

const bridge = `binary: { cert: apple/server.pem, key: apple/server-key.pem, clientCa: apple/ca.pem }`;
const ownCertificate = "{ certificate: { certFile: client.pem, keyFile: client-key.pem } }";

async function writeCertificate(
  { apple, write }: Site,
  topic: string,
  notAfter: Date,
  environments?: readonly ("production" | "sandbox")[],
): Promise<void> {
  const { cert, key } = await issuePushCertificate(apple, topic, notAfter, environments);
  write("client.pem", String(cert));
  write("client-key.pem", String(key));
}

test("a healthy folder has no problem, and with --connect the server has its say: status 0, no push", async () => {
  const site = await setUp();
  const { status, stdout, stderr } = await site.run("--connect");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("ok       configuration  can be read: 1 app, no bridge\n");
  expect(stdout).toMatch(/ok {7}data folder {4}\S+carillon-data is made at the first start/);
  expect(stdout).toMatch(
    /ok {7}app demo {7}signs in with the provider key \w{10} of team \w{10}: an EC key on P-256/,
  );
  expect(stdout).toMatch(
    /localhost:\d+ \(\S+\) answers in \d+ ms; TLSv1\.3, ALPN h2; certificate "localhost" < "Carillon simulator CA \w+", valid until \S+ \(\d+ days\); SETTINGS: 1 stream at once/,
  );
  expect(stdout).toMatch(/\nno problems, no warnings\n$/);
  expect(site.apple.history.total).toBe(0);
});

test("the folder of a gateway that runs is no fault, and neither is what a killed one leaves", async () => {
  const { folder, run } = await setUp();
  const gateway = start(["serve"], { folder, environment: { CARILLON_LISTEN_PORT: "0" } });
  await gateway.untilPrinted(/is listening/);
  const pid = gateway.child.pid;
  const running = await run();
  expect(running.status).toBe(0);
  expect(running.stdout).toContain(`a gateway runs on it, pid ${pid}`);
  gateway.signal("SIGKILL");
  await gateway.ended();
  const killed = await run();
  expect(killed.status).toBe(0);
  expect(killed.stdout).toContain(`the last gateway on it (pid ${pid}) was ended at once`);
});

test("an expired certificate is a problem with its cure: status 2; one that ends soon is a warning: status 0", async () => {
  const site = await setUp();
  site.configure({ credentials: ownCertificate });
  await writeCertificate(site, "com.example.demo", new Date(Date.now() - 1000));
  const expired = await site.run();
  expect(expired.status).toBe(2);
  expect(expired.stdout).toMatch(
    /^problem {2}app demo {7}its certificate expired on \S+\n {24}Make a new one in the developer account\.$/m,
  );
  await writeCertificate(site, "com.example.demo", new Date(Date.now() + 10.5 * dayMs));
  const ending = await site.run();
  expect(ending.status).toBe(0);
  expect(ending.stdout).toMatch(/^warning {2}app demo {7}its certificate expires on \S+, in 10 days$/m);
});

test("a certificate of the other environment or of another app is a problem: status 2", async () => {
  const site = await setUp();
  site.configure({ credentials: ownCertificate, app: "environment: production" });
  await writeCertificate(site, "com.example.other", inAYear(), ["sandbox"]);
  const { status, stdout } = await site.run("--json");
  expect(status).toBe(2);
  const findings = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const finding of findings)
    expect(finding).toMatchObject({ about: expect.any(String), what: expect.any(String) });
  expect(findings.filter(({ level }) => level === "problem")).toEqual([
    expect.objectContaining({
      ...{ about: "app demo", what: "its certificate is for sandbox and not for production" },
      ...{ remedy: "Use the other one of the pair.", cause: "configuration" },
    }),
    expect.objectContaining({ what: expect.stringMatching(/is for com\.example\.other and not for/) }),
  ]);
});

test("a key of another certificate and a file that is missing are told with their line: status 2", async () => {
  const site = await setUp();
  site.configure({ credentials: ownCertificate });
  await writeCertificate(site, "com.example.demo", inAYear());
  const { key } = await makeServerCertificate();
  site.write("client-key.pem", key);
  const foreign = await site.run();
  expect(foreign.status).toBe(2);
  expect(foreign.stdout).toMatch(
    /^problem {2}configuration {2}carillon\.yaml:\d+ {2}apps\[0\]\.credentials\.certificate {2}.*does not belong to the certificate/im,
  );
  site.configure({ credentials: "{ token: { keyFile: none.p8, keyId: ABC123DEFG, teamId: DEF123GHIJ } }" });
  const missing = await site.run();
  expect(missing.status).toBe(2);
  expect(missing.stdout).toMatch(
    /credentials\.token\.keyFile {2}There is no such file\n {24}Create it or correct the path\.$/m,
  );
});

const nobodyId = 65_534;
const nobody = process.getuid?.() === 0 ? { user: nobodyId } : undefined;

test("a data folder that may not be used is a problem: status 2", async ({ skip }) => {
  if (nobody !== undefined) {
    const { status } = spawnSync(process.execPath, [commandFile, "--version"], { uid: nobodyId });
    skip(status !== 0, "another user may not read this checkout, or not start this Node");
  }
  const { folder, apple } = await setUp();
  const data = join(folder, "carillon-data");
  mkdirSync(data);
  writeFileSync(join(data, "carillon.db"), "");
  const { token } = apple.credentials;
  for (const path of [folder, join(folder, "apple")]) chmodSync(path, 0o755);
  for (const name of [`AuthKey_${token.keyId}.p8`, "ca.pem"]) chmodSync(join(folder, "apple", name), 0o644);
  const run = () => carillon(["doctor", "--config", join(folder, "carillon.yaml")], { folder, ...nobody });
  chmodSync(data, 0o000);
  const shut = await run();
  expect(shut.status).toBe(2);
  expect(shut.stdout).toMatch(/^problem {2}configuration {2}.*data {2}This process may not write to /m);
  chmodSync(data, 0o777);
  chmodSync(join(data, "carillon.db"), 0o000);
  const database = await run();
  expect(database.status).toBe(2);
  expect(database.stdout).toMatch(/^problem {2}data folder {4}.*carillon\.db may not be read and written/m);
});

test("nobody at the endpoint, and one who speaks something else, are status 3 within the deadline", async () => {
  const site = await setUp();
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  site.configure({ app: `environment: sandbox\nendpoint: https://127.0.0.1:${port}` });
  const late = await site.run("--connect", "--timeout", "0.3");
  expect(late.status).toBe(3);
  expect(late.stdout).toMatch(/^problem {2}app demo {7}127\.0\.0\.1:\d+ \(TLS\): no answer within 0\.3 s$/m);
  site.configure({ app: `environment: sandbox\nendpoint: ${site.apple.endpoint}` });
  const stranger = await site.run("--connect");
  expect(stranger.status).toBe(3);
  expect(stranger.stdout).toMatch(
    /\(TLS\): self-signed certificate.*\n {24}Name the server's authority with ca/,
  );
  await site.apple.close();
  const nobodyThere = await site.run("--connect", "--json");
  expect(nobodyThere.status).toBe(3);
  expect(JSON.parse(nobodyThere.stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
    ...{ level: "problem", cause: "unreachable", what: expect.stringContaining("(no connection)") },
  });
});

test("a sender's certificate is told its app and what must change in the sender, with its key and without", async () => {
  const site = await setUp();
  site.configure({ more: bridge });
  await writeCertificate(site, "com.example.demo.voip", inAYear(), ["sandbox"]);
  const alone = await site.run("--cert", "client.pem");
  const withKey = await site.run("--cert", "client.pem", "--cert-key", "client-key.pem");
  for (const { status, stdout } of [alone, withKey]) {
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^ok {7}sender {9}certificate for UID com\.example\.demo\.voip; sandbox; valid until/m,
    );
    expect(stdout).toContain("is taken for the app demo: topic com.example.demo.voip, sandbox\n");
    expect(stdout).toContain("gateway.sandbox.push.apple.com:2195 becomes localhost:2195\n");
    expect(stdout).toContain("feedback.sandbox.push.apple.com:2196 becomes localhost:2196\n");
    expect(stdout).toMatch(/its CA becomes the certificate of "Carillon simulator CA \w+"\n/);
  }
});

test("a sender that would be refused is told why, and a pin lets it in: with a .p12 too", async () => {
  const site = await setUp();
  site.configure({ more: bridge });
  site.write("push.p12", pkcs12File);
  site.write("passphrase", `${pkcs12Passphrase}\n`);
  const words = ["--p12", "push.p12", "--passphrase-file", "passphrase"];
  const refused = await site.run(...words);
  expect(refused.status).toBe(2);
  const [, pin = ""] = /pin it to an app: (binary\.fingerprints: \["\w{64}"\])/.exec(refused.stdout) ?? [];
  expect(refused.stdout).toMatch(/^problem {2}sender {9}refused: its certificate .* is not trusted: /m);
  const { token } = site.apple.credentials;
  const credentials = `{ token: { keyFile: apple/AuthKey_${token.keyId}.p8, keyId: ${token.keyId}, teamId: ${token.teamId} } }`;
  const pinned = pin.replace("binary.fingerprints:", "    binary: { fingerprints:").replace("]", "] }");
  site.configure({ credentials: `${credentials}\n${pinned}`, more: bridge });
  const known = await site.run(...words);
  expect(known.status).toBe(0);
  expect(known.stdout).toContain("is taken for the app demo: topic com.example.demo, sandbox\n");
});

test.each([
  [["--timeout", "3"], "--timeout belongs to --connect"],
  [["--cert", "none.pem"], "--cert (none.pem) There is no such file"],
  [["--p12", "a.p12", "--cert", "b.pem"], "--p12 excludes --cert"],
])("%j is refused: status 2", async (words, text) => {
  const { status, stderr } = await carillon(["doctor", ...words]);
  expect(status).toBe(2);
  expect(stderr).toContain(text);
});

test("without a configuration it says so, and reads a sender's certificate all the same", async () => {
  const { run, folder } = await setUp();
  const elsewhere = makeFolder();
  const client = join(folder, "apple", "client.pem");
  const { status, stdout, stderr } = await carillon(["doctor", "--cert", client], { folder: elsewhere });
  expect(status).toBe(2);
  expect(stdout).toContain("certificate for UID com.example.demo");
  expect(stderr).toContain("There is no carillon.yaml here");
  expect((await run("--config", join(dirname(client), "none.yaml"))).status).toBe(2);
});
