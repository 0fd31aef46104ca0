/** `carillon send` as a person or a script runs it: the built command, in a process of its own. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { type RejectionReason, rejectionReasons } from "@carillon/apns";
import { startSimulator } from "@carillon/simulator";
import { afterAll, describe, expect, test } from "vitest";
import {
  carillon,
  cleanUp,
  commandFile,
  type Ended,
  makeFolder,
  paste,
  type RunOptions,
} from "../support/command-line.ts";
import { pkcs12File, pkcs12Passphrase } from "../support/pkcs12-file.ts";
import { type PeerRequest, type PeerScript, RawPeer } from "../support/raw-peer.ts";
import { deviceToken, providerKey, topic } from "../support/sending.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

const peers: RawPeer[] = [];

afterAll(async () => {
  await cleanUp();
  for (const peer of peers.splice(0)) await peer.close();
});

const [one, two, three] = [deviceToken(1), deviceToken(2), deviceToken(3)];

/** A server with this script, and a folder that holds what the flags name. */
async function setUp(script: PeerScript = {}) {
  const peer = await RawPeer.start(script);
  peers.push(peer);
  const folder = makeFolder();
  writeFileSync(join(folder, "AuthKey_ABC123DEFG.p8"), providerKey);
  writeFileSync(join(folder, "ca.pem"), peer.ca);
  const credential = ["--key", "AuthKey_ABC123DEFG.p8", "--team-id", "DEF123GHIJ"];
  const target = ["--endpoint", peer.endpoint, "--ca", "ca.pem", "--topic", topic];
  const send = (words: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    carillon(["send", ...target, ...credential, ...words], { folder, ...options });
  return { peer, folder, target, credential, send };
}

const hello = ["--to", one, "--alert", "Hello"];

/** Answers each request with the reason, and the status that belongs to it. */
function rejecting(reason: RejectionReason, more: object = {}): PeerScript {
  return {
    onRequest: (request) =>
      request.connection.answer(request, rejectionReasons[reason].status, { reason, ...more }),
  };
}

describe.concurrent("what was answered", () => {
  test("accepted: status 0, and the apns-id for people", async () => {
    const { peer, send } = await setUp();
    const { status, stdout, stderr } = await send(hello);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(`accepted     ${one.slice(0, 8)}…  apns-id ${peer.apnsIds.get(one)?.[0]}\n`);
  });

  test("--json prints one object a line", async () => {
    const { peer, send } = await setUp();
    const { status, stdout } = await send([...hello, "--to", two, "--json"]);
    expect(status).toBe(0);
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.sort((a, b) => a.to.localeCompare(b.to))).toEqual(
      [one, two].map((to) => ({ to, outcome: "accepted", apnsId: peer.apnsIds.get(to)?.[0], attempts: 1 })),
    );
  });

  test("rejected: status 1, Apple's reason, what it means and what to do", async () => {
    const { send } = await setUp(rejecting("Unregistered", { timestamp: 1_700_000_000_000 }));
    const { status, stdout } = await send(hello);
    expect(status).toBe(1);
    expect(stdout).toContain("410 Unregistered since 2023-11-14T22:13:20.000Z\n");
    expect(stdout).toContain(rejectionReasons.Unregistered.means);
    expect(stdout).toContain(rejectionReasons.Unregistered.remedy);
  });

  test("rejected with --json: the reason, its meaning and the time are fields", async () => {
    const { send } = await setUp(rejecting("Unregistered", { timestamp: 1_700_000_000_000 }));
    const { status, stdout } = await send([...hello, "--json"]);
    const { means, remedy } = rejectionReasons.Unregistered;
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      to: one,
      outcome: "rejected",
      apnsId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempts: 1,
      status: 410,
      reason: "Unregistered",
      fault: "device-token",
      means,
      remedy,
      goneSince: "2023-11-14T22:13:20.000Z",
    });
  });

  test("a reason newer than this version is shown, without what could steer the terminal", async () => {
    const { send } = await setUp({
      onRequest: (request) => request.connection.answer(request, 400, { reason: "Brand\u001b[31mNew\u0007" }),
    });
    const { status, stdout } = await send(hello);
    expect(status).toBe(1);
    expect(stdout).toContain("400 Brand [31mNew");
    expect(stdout).not.toContain("\u001b");
  });

  test("--attempts bounds the tries that a server under strain gets", async () => {
    const { peer, send } = await setUp(rejecting("ServiceUnavailable"));
    const { status, stdout } = await send([...hello, "--attempts", "2", "--json"]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ reason: "ServiceUnavailable", attempts: 2 });
    expect(peer.requests).toBe(2);
  });

  test("a wait that Apple asks for and that is longer than the time is told, not waited for", async () => {
    const { send } = await setUp({
      onRequest: (request) =>
        request.connection.answer(request, 503, { reason: "ServiceUnavailable" }, ["retry-after", "3600"]),
    });
    const { status, stdout } = await send(hello);
    expect(status).toBe(1);
    expect(stdout).toContain("Apple asks to wait 3600 s.");
  });

  test("of several device tokens the highest status counts, and each has its own lines", async () => {
    const script: PeerScript = {
      onRequest: (request) => {
        if (request.deviceToken === two)
          request.connection.answer(request, 400, { reason: "BadDeviceToken" });
        else if (request.deviceToken === one) request.connection.answer(request);
      },
    };
    const { send } = await setUp(script);
    const rejected = await send([...hello, "--to", two]);
    expect(rejected.status).toBe(1);
    expect(rejected.stdout).toMatch(new RegExp(`^accepted +${one.slice(0, 8)}`, "m"));
    expect(rejected.stdout).toMatch(new RegExp(`^rejected +${two.slice(0, 8)}`, "m"));
    const silent = await send([...hello, "--to", two, "--to", three, "--timeout", "6"]);
    expect(silent.status).toBe(3);
    expect(silent.stdout).toMatch(/^unknown +/m);
  });
});

describe.concurrent("what goes out", () => {
  /** The one request that these flags make. */
  async function requestOf(words: readonly string[], options: RunOptions = {}): Promise<PeerRequest> {
    const requests: PeerRequest[] = [];
    const { send } = await setUp({
      onRequest: (request) => {
        requests.push(request);
        request.connection.answer(request);
      },
    });
    const { status, stderr } = await send(words, options);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(requests).toHaveLength(1);
    return requests[0]!;
  }

  test("the friendly flags become Apple's form", async () => {
    const words = [...hello, "--title", "Bell", "--badge", "3", "--sound", "default"];
    const { body } = await requestOf(words);
    expect(JSON.parse(body.toString())).toEqual({
      aps: { alert: { title: "Bell", body: "Hello" }, badge: 3, sound: "default" },
    });
  });

  test("every header flag becomes its header", async () => {
    const words = [...hello, "--push-type", "voip", "--priority", "10", "--ttl", "0", "--collapse-id", "c-1"];
    const { headers } = await requestOf(words);
    expect(Object.fromEntries(headers)).toMatchObject({
      "apns-push-type": "voip",
      "apns-topic": `${topic}.voip`,
      "apns-priority": "10",
      "apns-expiration": "0",
      "apns-collapse-id": "c-1",
      ":path": `/3/device/${one}`,
    });
  });

  test("a lifetime counts from now", async () => {
    const before = Math.floor(Date.now() / 1000) + 3600;
    const { headers } = await requestOf([...hello, "--ttl", "3600"]);
    const expiration = Number(headers.get("apns-expiration"));
    expect(expiration).toBeGreaterThanOrEqual(before);
    expect(expiration).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + 3600);
  });

  test("a payload from standard input goes out as it is, and tells its push type", async () => {
    const input = '{"aps": {"content-available": 1}, "id": 12345678901234567890}\n';
    const { body, headers } = await requestOf(["--to", one, "--payload", "-"], { input });
    expect(body.toString()).toBe(input.trim());
    expect(headers.get("apns-push-type")).toBe("background");
    expect(headers.get("apns-priority")).toBe("5");
  });

  test("a payload comes from a file, and from a pipe in a file's place", async () => {
    const { peer, folder, target, credential } = await setUp();
    writeFileSync(join(folder, "push.json"), '{"aps":{"alert":"x"}}');
    const words = ["node", commandFile, "send", ...target, ...credential, "--to", one].join(" ");
    expect(await paste(`${words} --payload push.json`, { folder })).toMatchObject({ status: 0 });
    const piped = await paste(`${words} --payload <(sleep 0.1; cat push.json)`, { folder });
    expect(piped).toMatchObject({ status: 0, stderr: "" });
    expect(peer.requests).toBe(2);
  });

  test("a .p12 file's passphrase comes from a file or from the environment", async () => {
    const { peer, folder, target } = await setUp();
    const { cert, key } = await makeServerCertificate(["push"]);
    writeFileSync(join(folder, "cert.pem"), cert);
    writeFileSync(join(folder, "key.pem"), key);
    writeFileSync(join(folder, "passphrase"), `${pkcs12Passphrase}\n`);
    writeFileSync(join(folder, "push.p12"), pkcs12File);
    const send = (more: readonly string[], environment: Record<string, string> = {}): Promise<Ended> =>
      carillon(["send", ...target, ...hello, ...more], { folder, environment });
    expect(await send(["--p12", "push.p12", "--passphrase-file", "passphrase"])).toMatchObject({ status: 0 });
    expect(await send(["--p12", "push.p12"], { CARILLON_PASSPHRASE: pkcs12Passphrase })).toMatchObject({
      status: 0,
    });
    expect(await send(["--cert", "cert.pem", "--cert-key", "key.pem"])).toMatchObject({ status: 0 });
    const wrong = await send(["--p12", "push.p12"], { CARILLON_PASSPHRASE: "melon" });
    expect(wrong).toMatchObject({ status: 2, stdout: "" });
    expect(wrong.stderr).toContain("--p12 the passphrase does not open");
    expect(wrong.stderr).not.toContain("melon");
    expect(peer.requests).toBe(3);
  });

  test("a certificate sends to its main topic unasked, and nothing to an app that it is not for", async () => {
    const simulator = await startSimulator({ topic });
    const folder = makeFolder();
    const { cert, key } = simulator.credentials.certificate;
    for (const [name, text] of Object.entries({ "ca.pem": simulator.ca, "cert.pem": cert, "key.pem": key }))
      writeFileSync(join(folder, name), text);
    const target = ["--endpoint", simulator.endpoint, "--ca", "ca.pem"];
    const words = ["send", ...target, "--cert", "cert.pem", "--cert-key", "key.pem", ...hello];
    expect(await carillon(words, { folder })).toMatchObject({ status: 0 });
    expect(await carillon([...words, "--push-type", "voip"], { folder })).toMatchObject({ status: 0 });
    expect(simulator.history.pushes.map((push) => push.topic)).toEqual([topic, `${topic}.voip`]);
    const foreign = await carillon([...words, "--topic", "com.example.other"], { folder });
    expect(foreign).toMatchObject({ status: 2, stdout: "" });
    expect(foreign.stderr).toContain("--topic is com.example.other, which the certificate is not for");
    const keyOnly = await carillon([...words, "--push-type", "location"], { folder });
    expect(keyOnly.stderr).toContain("--push-type is location, which APNs takes with a provider token");
    expect(simulator.history.total).toBe(2);
    await simulator.close();
  });
});

describe.concurrent("what was typed wrong ends with status 2, before anything is sent", () => {
  async function refuse(words: readonly string[], options: RunOptions = {}): Promise<string> {
    const { peer, send } = await setUp();
    const { status, stdout, stderr } = await send(words, options);
    expect({ status, stdout, connections: peer.connections.length }).toEqual({
      status: 2,
      stdout: "",
      connections: 0,
    });
    expect(stderr).not.toMatch(/^\s+at /m);
    return stderr;
  }

  test.each<[string, string[], string]>([
    ["no device token", ["--alert", "x"], "--to is missing"],
    [
      "a device token that is none",
      ["--to", "not-hex", "--alert", "x"],
      '--to ("not-hex"…) must be 8 to 200',
    ],
    ["nothing to send", ["--to", one], "--alert is missing"],
    ["two payloads", [...hello, "--payload", "ca.pem"], "--payload excludes --alert"],
    ["a payload file that is not there", ["--to", one, "--payload", "gone.json"], "There is no such file"],
    ["a payload file that is a folder", ["--to", one, "--payload", "/tmp"], "This is a folder"],
    ["an endless payload", ["--to", one, "--payload", "/dev/zero"], "This is larger than 1 MiB"],
    ["a payload that is no JSON", ["--to", one, "--payload", "ca.pem"], "--payload is not JSON"],
    ["a badge that is no number", [...hello, "--badge", "many"], "--badge must be a whole number"],
    ["a priority that Apple has not", [...hello, "--priority", "7"], "--priority must be 10"],
    ["a lifetime below zero", [...hello, "--ttl", "-1"], "--ttl must be a whole number"],
    [
      "a collapse id that is too long",
      [...hello, "--collapse-id", "c".repeat(65)],
      "--collapse-id is 65 bytes",
    ],
    ["a payload that is too long", ["--to", one, "--alert", "x".repeat(4096)], "--alert is 4116 bytes"],
    [
      "an alert in a background push",
      [...hello, "--push-type", "background"],
      "--alert at aps.alert: has no place in a background push",
    ],
    ["two places to send to", [...hello, "--sandbox"], "--endpoint excludes --sandbox"],
    ["a time that is none", [...hello, "--timeout", "soon"], "--timeout must be a number from 0.1"],
    ["no attempt at all", [...hello, "--attempts", "0"], "--attempts must be a whole number from 1"],
    [
      "a team id of the wrong length",
      [...hello, "--team-id", "SHORT"],
      "--team-id must be 10 letters and digits",
    ],
    [
      "a key that is none",
      [...hello, "--key", "ca.pem", "--key-id", "ABC123DEFG"],
      "--key the provider key is a certificate",
    ],
    ["two credentials", [...hello, "--p12", "push.p12"], "--key excludes --p12"],
    [
      "a trust anchor that is none",
      [...hello, "--ca", "AuthKey_ABC123DEFG.p8"],
      "no certificate in PEM form",
    ],
    ["an address that is none", [...hello, "--endpoint", "localhost:1"], "--endpoint must be https://host"],
    ["an unknown flag", [...hello, "--colour", "red"], "unknown option '--colour'"],
    ["a flag without its value", ["--alert"], "argument missing"],
    ["a word too many", [...hello, "stray"], "too many arguments"],
  ])("%s", async (_, words, complaint) => {
    expect(await refuse(words)).toContain(complaint);
  });

  test("all problems are told at once, and what --help shows", async () => {
    const { status, stderr } = await carillon(["send", "--to", "zz", "--badge", "x", "--cert", "gone.pem"]);
    expect(status).toBe(2);
    for (const flag of ["--to", "--badge", "--cert", "--cert-key"])
      expect(stderr).toMatch(new RegExp(`^  ${flag} `, "m"));
    expect(stderr).toMatch(/^error: 4 problems/);
    expect(stderr).toContain("carillon send --help");
  });

  test("without credentials it says which flags there are", async () => {
    const { status, stderr } = await carillon(["send", ...hello, "--topic", topic]);
    expect(status).toBe(2);
    for (const flag of [
      "--key",
      "--key-id",
      "--team-id",
      "--cert",
      "--cert-key",
      "--p12",
      "--passphrase-file",
    ])
      expect(stderr).toContain(flag);
  });

  test("a secret that was typed after a flag that does not exist is not repeated", async () => {
    expect(await refuse([...hello, "--passphrase=melon"])).not.toContain("melon");
  });

  test("the device token of a complaint is cut", async () => {
    expect(await refuse(["--to", `${one}zz`, "--alert", "x"])).not.toContain(one);
  });

  test("standard input that never ends is given up when the time is", async () => {
    const stderr = await refuse(["--to", one, "--payload", "-", "--timeout", "0.5"], { input: "open" });
    expect(stderr).toContain("did not come to an end in time");
  });

  test("a named pipe that nobody writes to holds nobody up", async () => {
    const { folder, send } = await setUp();
    expect(await paste("mkfifo pipe", { folder })).toMatchObject({ status: 0 });
    const { status, stderr } = await send(["--to", one, "--payload", "pipe", "--timeout", "0.5"]);
    expect(status).toBe(2);
    expect(stderr).toContain("did not come to an end in time");
  });
});

describe.concurrent("whatever the server does, it ends in time with status 3", () => {
  /** For servers that only time ends; long enough that a busy machine gets as far as the request. */
  const untilTimeIsUp = ["--timeout", "6"];
  /** For servers that fail each attempt. */
  const twice = ["--attempts", "2"];

  test.each<[string, readonly string[], PeerScript]>([
    ["a TLS handshake that is never answered", ["--timeout", "1"], { onTcp: () => "hold" }],
    ["no SETTINGS after the handshake", ["--timeout", "1"], { onConnection: () => undefined }],
    ["TCP resets", twice, { onTcp: (tcp) => void tcp.resetAndDestroy() }],
    [
      "garbage in place of HTTP/2",
      twice,
      { onConnection: (connection) => connection.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")) },
    ],
    [
      "GOAWAY to every connection",
      ["--timeout", "1"],
      {
        onConnection: (connection) => {
          connection.settings([[3, 100]]);
          connection.goaway(0);
        },
      },
    ],
    [
      "every stream refused",
      ["--timeout", "1"],
      { onRequest: ({ connection, stream }) => connection.reset(stream, 7) },
    ],
  ])("%s: unreachable, nothing was sent", async (_, flags, script) => {
    const { send } = await setUp(script);
    const { status, stdout, stderr } = await send([...hello, ...flags]);
    expect({ status, stderr }).toEqual({ status: 3, stderr: "" });
    expect(stdout).toMatch(/^unreachable .* nothing was sent$/m);
  });

  test.each<[string, readonly string[], PeerScript]>([
    ["a request that is never answered", untilTimeIsUp, { onRequest: () => undefined }],
    [
      "a connection that goes deaf and mute",
      untilTimeIsUp,
      { onRequest: ({ connection }) => connection.blackHole() },
    ],
    [
      "a reset after each request, until the time is up",
      [...untilTimeIsUp, "--attempts", "100"],
      { onRequest: ({ connection }) => connection.resetTcp() },
    ],
    ["a reset after each request", twice, { onRequest: ({ connection }) => connection.resetTcp() }],
    [
      "an answer that breaks the protocol",
      twice,
      {
        onRequest: ({ connection, stream }) => connection.raw(1, 5, stream, Buffer.from([0xff, 0xff, 0xff])),
      },
    ],
  ])("%s: unknown, never `not sent`", async (_, flags, script) => {
    const { send } = await setUp(script);
    const { status, stdout, stderr } = await send([...hello, ...flags]);
    expect({ status, stderr }).toEqual({ status: 3, stderr: "" });
    expect(stdout).toMatch(/^unknown .* sent, and no answer came: /m);
  });

  test("a port where nobody listens: the attempts are used up long before the time", async () => {
    const { peer, send } = await setUp();
    await peer.close();
    const { status, stdout } = await send([...hello, "--attempts", "2", "--timeout", "3600"]);
    expect(status).toBe(3);
    expect(stdout).toContain("ECONNREFUSED");
  });

  test("a server that does not agree to HTTP/2", async () => {
    const { folder, credential } = await setUp();
    const { ca, ...certificate } = await makeServerCertificate();
    writeFileSync(join(folder, "plain.pem"), ca);
    const server = createServer(certificate).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const target = ["--endpoint", `https://localhost:${port}`, "--ca", "plain.pem", "--topic", topic];
    const ended = await carillon(["send", ...target, ...credential, ...hello, ...twice], { folder });
    server.close();
    expect(ended).toMatchObject({ status: 3, stderr: "" });
    expect(ended.stdout).toContain("did not agree to HTTP/2");
  });

  test("a certificate of another authority ends it at once, with what to do", async () => {
    const { folder, send } = await setUp();
    writeFileSync(join(folder, "other.pem"), (await makeServerCertificate()).ca);
    const { status, stdout } = await send([...hello, "--ca", "other.pem", "--timeout", "3600"]);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^unreachable/);
    expect(stdout).toContain("--ca FILE");
  });

  test("with --json the cause is a field", async () => {
    const { send } = await setUp({ onRequest: () => undefined });
    const { status, stdout } = await send([...hello, ...untilTimeIsUp, "--json"]);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      to: one,
      outcome: "indeterminate",
      cause: "timeout",
      attempts: 1,
    });
  });

  test("a slow answer within the time counts", async () => {
    const { peer, send } = await setUp({
      onRequest: (request) => {
        // After the client's PING, which it sends when nothing comes for a while.
        void peer.until(() => peer.pings > 0, "a PING").then(() => request.connection.answer(request));
      },
    });
    expect(await send(hello)).toMatchObject({ status: 0 });
  });
});

test("a reader who has had enough changes neither the sending nor the status", async () => {
  const { peer, folder, target, credential } = await setUp();
  const words = [
    "node",
    commandFile,
    "send",
    ...target,
    ...credential,
    "--alert",
    "x",
    "--to",
    one,
    "--to",
    two,
  ];
  const { stdout, stderr } = await paste(`${words.join(" ")} --json | true; echo \${PIPESTATUS[0]}`, {
    folder,
  });
  expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
  expect(peer.requests).toBe(2);
});
