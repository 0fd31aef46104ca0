/** `carillon simulate`, `serve` and `dev` as a person runs them: the built command, in a process of its own. */

import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { encodeFrame } from "@carillon/apns/binary";
import { startSimulator } from "@carillon/simulator";
import { afterEach, describe, expect, test } from "vitest";
import {
  carillon,
  cleanUp,
  makeFolder,
  paste,
  type RunningCommand,
  type RunOptions,
  start,
} from "../support/command-line.ts";
import { deviceToken, providerKey } from "../support/sending.ts";

const listeners: Server[] = [];

afterEach(async () => {
  await cleanUp();
  for (const listener of listeners.splice(0)) listener.close();
});

const anyPorts = {
  CARILLON_LISTEN_PORT: "0",
  CARILLON_SIMULATOR_PORT: "0",
  CARILLON_SIMULATOR_CONTROL_PORT: "0",
};

/** A port that another program has. */
async function takePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  listeners.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const token = { token: { keyFile: "AuthKey_ABC123DEFG.p8", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" } };

/** A folder with a configuration that could be served, and `changes` over it. */
function makeConfigFolder(changes: object = {}): string {
  const folder = makeFolder();
  writeFileSync(join(folder, "AuthKey_ABC123DEFG.p8"), providerKey);
  const app = { name: "demo", topic: "com.example.demo", environment: "sandbox", credentials: token };
  // JSON is YAML.
  writeFileSync(
    join(folder, "carillon.yaml"),
    JSON.stringify({ listen: { port: 0 }, apps: [app], ...changes }),
  );
  return folder;
}

async function stop(command: RunningCommand, signal: NodeJS.Signals = "SIGINT") {
  command.signal(signal);
  return command.ended();
}

describe("carillon simulate", () => {
  const anyPort = ["simulate", "--port", "0", "--control-port", "0"];

  test("prints where it is, and a line that sends a push to it when pasted in the same folder", async () => {
    const folder = makeFolder();
    const simulator = start(anyPort, { folder });
    const [, line = ""] = await simulator.untilPrinted(/^(.* send .*)$/m);
    expect(await paste(line, { folder })).toMatchObject({ status: 0, stderr: "" });
    await simulator.untilPrinted(/^\d\d:\d\d:\d\d {2}accepted {2}3f1c09ab… {2}alert {2}"Hello"$/m);
    const [, control = ""] = await simulator.untilPrinted(/control +(http:\/\/127\.0\.0\.1:\d+)/);
    expect(await (await fetch(`${control}/history`)).text()).toContain("Hello");
    const [, page = ""] = await simulator.untilPrinted(/page +(http:\/\/127\.0\.0\.1:\d+\/)/);
    expect(await (await fetch(page)).text()).toContain("<title>Carillon simulator</title>");
    expect(await stop(simulator)).toMatchObject({ status: 0, stderr: "" });
  });

  test("the line works in a folder whose name needs quotation marks", async () => {
    const folder = makeFolder();
    const simulator = start([...anyPort, "--dir", "it's mine & yours"], { folder });
    const [, line = ""] = await simulator.untilPrinted(/^(.* send .*)$/m);
    expect(await paste(line, { folder })).toMatchObject({ status: 0, stderr: "" });
    expect(existsSync(join(folder, "it's mine & yours/ca.pem"))).toBe(true);
  });

  test("the next start goes on with the same keys", async () => {
    const folder = makeFolder();
    const keys: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      const simulator = start(anyPort, { folder });
      keys.push((await simulator.untilPrinted(/AuthKey_\w+\.p8/))[0]);
      expect((await stop(simulator, "SIGTERM")).status).toBe(0);
    }
    expect(keys[1]).toBe(keys[0]);
  });

  test("its default folder holds keys, and git leaves it alone", async () => {
    const folder = makeFolder();
    await stop(await started(start(anyPort, { folder }), /Ctrl-C/));
    expect(readFileSync(join(folder, ".carillon/.gitignore"), "utf8")).toBe("*\n");
  });

  test("has ports for the retired binary gateway and the feedback service where they are asked for", async () => {
    const folder = makeFolder();
    const retired = ["--binary-port", "0", "--feedback-port", "0", "--min-tls", "TLSv1"];
    const simulator = start([...anyPort, "--dir", "apple", ...retired], { folder });
    const [, binaryPort] = await simulator.untilPrinted(/binary +localhost:(\d+)/);
    const [, feedbackPort] = await simulator.untilPrinted(/feedback +localhost:(\d+)/);
    const [ca, cert, key] = ["ca", "client", "client-key"].map((name) =>
      readFileSync(join(folder, `apple/${name}.pem`)),
    );
    const reader = connect({ port: Number(feedbackPort), host: "localhost", ca, cert, key });
    reader.resume();
    await once(reader, "close");
    const sender = connect({ port: Number(binaryPort), host: "localhost", ca, cert, key });
    const notification = {
      deviceToken: Buffer.alloc(32, 0x3f),
      payload: Buffer.from('{"aps":{"alert":"Hi"}}'),
    };
    sender.end(encodeFrame(0, notification));
    await simulator.untilPrinted(/accepted {2}3f3f3f3f… {2}alert {2}"Hi"/);
  });

  test("every port that is taken is named, with the flag that chooses another one", async () => {
    const [port, controlPort] = [await takePort(), await takePort()];
    const words = ["simulate", "--port", String(port), "--control-port", String(controlPort)];
    const { status, stdout, stderr } = await carillon(words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(new RegExp(`Port ${port}, .* taken .* --port`));
    expect(stderr).toMatch(new RegExp(`Port ${controlPort}, .* taken .* --control-port`));
  });

  test("plays the scenario of a file", async () => {
    const folder = makeFolder();
    const scenario = "rules:\n  - times: 1\n    do: { answer: { reason: Unregistered, timestamp: 5 } }\n";
    writeFileSync(join(folder, "gone.yaml"), scenario);
    const simulator = start([...anyPort, "--scenario", "gone.yaml"], { folder });
    const [, line = ""] = await simulator.untilPrinted(/^(.* send .*)$/m);
    expect(await paste(line, { folder })).toMatchObject({ status: 1 });
    expect(await paste(line, { folder })).toMatchObject({ status: 0 });
    await simulator.untilPrinted(/410 Unregistered/);
  });

  test("tells every problem of a scenario, with line and path, and the other flags' with them", async () => {
    const folder = makeFolder();
    const scenario = `{\n"seed": -1,\n"rules": [\n{ "do": "explode" },\n{ "when": { "topic": 5 }, "do": "close" }\n]}`;
    writeFileSync(join(folder, "bad.json"), scenario);
    const flags = ["simulate", "--port", "x", "--scenario", "bad.json"];
    const { status, stderr } = await carillon(flags, { folder });
    expect(status).toBe(2);
    expect(stderr.split("\n").slice(1, 5)).toEqual([
      expect.stringContaining("--port must be"),
      expect.stringMatching(/bad\.json:2: \/seed must be a whole number from 0/),
      expect.stringMatching(/bad\.json:4: \/rules\/0\/do must be one of/),
      expect.stringMatching(/bad\.json:5: \/rules\/1\/when\/topic must be a text/),
    ]);
  });

  test.each([
    [["--scenario", "none.yaml"], "none.yaml: There is no such file"],
    [["--scenario", ""], "--scenario must name a file"],
    [["--min-tls", "1.0"], "--min-tls must be TLSv1 or TLSv1.1 or TLSv1.2, not 1.0"],
    [["--binary-port", "x"], "--binary-port must be a whole number from 0 to 65535"],
    [["--port", "http"], "--port must be a whole number from 0 to 65535"],
    [["--port", "70000", "--control-port", "-1"], "--control-port must be a whole number"],
    [["--port", "9443", "--control-port", "9443"], "give each its own"],
    [["--dir", ""], "--dir must name a folder"],
    [["--dir", "/dev/null/x"], "the simulator did not start"],
  ])("bad flags end with status 2: %j", async (flags, complaint) => {
    const { status, stderr } = await carillon([...anyPort, ...flags]);
    expect(status).toBe(2);
    expect(stderr).toContain(complaint);
  });
});

describe("carillon serve", () => {
  const listening = /^carillon is listening on (http:\/\/127\.0\.0\.1:\d+)$/m;

  test("reads ./carillon.yaml, says where it listens and where the key is, and stops on SIGTERM", async () => {
    const folder = makeConfigFolder();
    const server = start(["serve"], { folder });
    const [, url = ""] = await server.untilPrinted(listening);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const [, keyFile = ""] = await server.untilPrinted(/^admin key: (.*)$/m);
    expect(readFileSync(keyFile, "utf8")).not.toBe("");
    const ended = await stop(server, "SIGTERM");
    expect(ended.status).toBe(0);
    expect(ended.stdout).toMatch(/stopped\n$/);
  });

  test.each<[string, readonly string[], Record<string, string>]>([
    ["the file that --config names", ["--config", "other.yaml"], {}],
    ["the file that CARILLON_CONFIG names", [], { CARILLON_CONFIG: "other.yaml" }],
  ])("reads %s", async (_, flags, environment) => {
    const folder = makeConfigFolder({ data: "./ordinary" });
    writeFileSync(
      join(folder, "other.yaml"),
      readFileSync(join(folder, "carillon.yaml"), "utf8").replace("./ordinary", "./other"),
    );
    await stop(await started(start(["serve", ...flags], { folder, environment }), listening));
    expect(existsSync(join(folder, "other/admin.key"))).toBe(true);
    expect(existsSync(join(folder, "ordinary"))).toBe(false);
  });

  test("goes without a file where the environment says everything", async () => {
    const folder = makeConfigFolder();
    const app = (key: string) => `CARILLON_APPS_0_${key}`;
    const environment = {
      CARILLON_CONFIG: "",
      CARILLON_LISTEN_PORT: "0",
      CARILLON_DATA: "./from-environment",
      [app("NAME")]: "demo",
      [app("TOPIC")]: "com.example.demo",
      [app("ENVIRONMENT")]: "sandbox",
      [app("CREDENTIALS_TOKEN_KEY")]: providerKey,
      [app("CREDENTIALS_TOKEN_KEY_ID")]: "ABC123DEFG",
      [app("CREDENTIALS_TOKEN_TEAM_ID")]: "DEF123GHIJ",
    };
    const elsewhere = makeFolder();
    await stop(await started(start(["serve"], { folder: elsewhere, environment }), listening));
    expect(existsSync(join(elsewhere, "from-environment"))).toBe(true);
    expect(existsSync(join(folder, "carillon-data"))).toBe(false);
  });

  test("a new start goes on with the provider token of the one before", async () => {
    const simulator = await startSimulator();
    const { key, keyId, teamId } = simulator.credentials.token;
    const { topic, endpoint } = simulator;
    const credentials = { token: { keyFile: "key.p8", keyId, teamId } };
    const app = { name: "demo", topic, environment: "sandbox", endpoint, ca: "ca.pem", credentials };
    const folder = makeConfigFolder({ apps: [app] });
    writeFileSync(join(folder, "key.p8"), key);
    writeFileSync(join(folder, "ca.pem"), simulator.ca);
    for (const run of [1, 2]) {
      const server = start(["serve"], { folder });
      const [, url = ""] = await server.untilPrinted(listening);
      const bearer = readFileSync(join(folder, "carillon-data/admin.key"), "utf8");
      const answer = await fetch(`${url}/v1/apps/demo/notifications?wait=20`, {
        method: "POST",
        headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
        body: JSON.stringify({ to: { token: deviceToken(run) }, alert: "Hello" }),
      });
      expect(await answer.json()).toMatchObject({ results: [{ status: "accepted" }] });
      await stop(server);
    }
    const tokens = simulator.history.pushes.map(({ headers }) => headers.authorization);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
    await simulator.close();
  });

  test("all problems are told at once, each with its place, and nothing is begun", async () => {
    const folder = makeConfigFolder({ listen: { port: 99999 }, colour: "red", data: "./data" });
    const environment = { CARILLON_LISTEN_PROT: "1" };
    const { status, stdout, stderr } = await carillon(["serve"], { folder, environment });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: the configuration has 3 problems; nothing was started\.$/m);
    expect(stderr).toMatch(/^ {2}carillon\.yaml:1 {2}listen\.port /m);
    expect(stderr).toMatch(/^ {2}carillon\.yaml:1 {2}colour /m);
    expect(stderr).toMatch(/^ {2}CARILLON_LISTEN_PROT .*CARILLON_LISTEN_PORT/m);
    expect(existsSync(join(folder, "data"))).toBe(false);
  });

  test("where there is no configuration at all it says how to give one", async () => {
    const { status, stderr } = await carillon(["serve"]);
    expect(status).toBe(2);
    expect(stderr).toContain("There is no carillon.yaml here: name a file with --config");
  });

  test("a file that is not there, and a port that is taken, end with status 2 and a way out", async () => {
    const missing = await carillon(["serve", "--config", "gone.yaml"]);
    expect(missing).toMatchObject({ status: 2 });
    expect(missing.stderr).toContain("gone.yaml  There is no such file");
    const port = await takePort();
    const taken = await carillon(["serve"], { folder: makeConfigFolder({ listen: { port } }) });
    expect(taken).toMatchObject({ status: 2, stdout: "" });
    expect(taken.stderr).toMatch(new RegExp(`Port ${port} is taken.*CARILLON_LISTEN_PORT`));
  });

  test("a data folder that another one runs on ends with status 2", async () => {
    const folder = makeConfigFolder();
    await started(start(["serve"], { folder }), listening);
    const second = await carillon(["serve"], { folder });
    expect(second).toMatchObject({ status: 2, stdout: "" });
    expect(second.stderr).toContain("the gateway did not start");
  });
});

describe("carillon dev", () => {
  const curlLine = /^(curl .*)$/m;

  const dev = (folder: string, options: RunOptions = {}): RunningCommand =>
    start(["dev"], { folder, environment: anyPorts, ...options });

  test("prints addresses, a key and one line of curl; Ctrl-C stops everything", async () => {
    const folder = makeFolder();
    const demo = dev(folder);
    await demo.untilPrinted(curlLine);
    const [, url = ""] = await demo.untilPrinted(/gateway +(http:\/\/127\.0\.0\.1:\d+)/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const { status, stdout, stderr } = await stop(demo);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.match(/^curl /gm)).toHaveLength(1);
    expect(stdout).toContain(readFileSync(join(folder, ".carillon/data/admin.key"), "utf8").trim());
    expect(stdout).not.toContain("goes on with");
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  test("the next run goes on with what is there, and says so", async () => {
    const folder = makeFolder();
    const key = async (demo: RunningCommand) => (await demo.untilPrinted(/Bearer (\S+)'/))[1];
    const first = dev(folder);
    const firstKey = await key(first);
    await stop(first);
    const second = dev(folder);
    expect(await key(second)).toBe(firstKey);
    expect((await stop(second)).stdout).toContain("It goes on with what is in .carillon.");
  });

  test("two signals at once, as npm makes of one Ctrl-C, are one", async () => {
    const demo = dev(makeFolder());
    await demo.untilPrinted(curlLine);
    demo.signal("SIGINT");
    expect(await stop(demo)).toMatchObject({ status: 0, stderr: "" });
  });

  test("every port that is taken is named at once, with the variable that chooses another one", async () => {
    const variables = ["CARILLON_LISTEN_PORT", "CARILLON_SIMULATOR_PORT", "CARILLON_SIMULATOR_CONTROL_PORT"];
    const ports = await Promise.all(variables.map(takePort));
    const environment = Object.fromEntries(variables.map((name, each) => [name, String(ports[each])]));
    const folder = makeFolder();
    const { status, stdout, stderr } = await carillon(["dev"], { folder, environment });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    variables.forEach((name, each) => {
      expect(stderr).toMatch(new RegExp(`^ {2}Port ${ports[each]}, .* taken .* ${name},`, "m"));
    });
    expect(existsSync(join(folder, ".carillon"))).toBe(false);
  });

  test("ports that are none end with status 2", async () => {
    const environment = { CARILLON_LISTEN_PORT: "http", CARILLON_SIMULATOR_PORT: "-1" };
    const { status, stderr } = await carillon(["dev"], { environment });
    expect(status).toBe(2);
    expect(stderr).toContain("CARILLON_LISTEN_PORT must be a whole number");
    expect(stderr).toContain("CARILLON_SIMULATOR_PORT must be a whole number");
  });

  test("a second one in the same folder is refused, and the first goes on", async () => {
    const folder = makeFolder();
    const first = dev(folder);
    await first.untilPrinted(curlLine);
    expect(await carillon(["dev"], { folder, environment: anyPorts })).toMatchObject({ status: 2 });
    expect(await stop(first)).toMatchObject({ status: 0 });
  });
});

async function started(command: RunningCommand, pattern: RegExp): Promise<RunningCommand> {
  await command.untilPrinted(pattern);
  return command;
}
