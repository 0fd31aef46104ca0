/** The retired binary gateway and its feedback service, as a sender of that time sees them. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { encodeFrame } from "@carillon/apns/binary";
import { afterEach, expect, test } from "vitest";
import { BinarySender, deviceToken, frame, notification } from "./binary-sender.test-support.ts";
import { issueAuthority, issuePushCertificate } from "./credentials/certificate-issuer.ts";
import { openCredentialFolder } from "./credentials/index.ts";
import { RawSender } from "./raw-sender.test-support.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  closers.push(() => simulator.close());
  return simulator;
}

async function open(simulator: Simulator, port?: number, tls?: ConnectionOptions): Promise<BinarySender> {
  const sender = await BinarySender.open(simulator, port, tls);
  closers.push(() => sender.socket.destroy());
  return sender;
}

const bad = { deviceToken: Buffer.from("dead".repeat(16), "hex") };

/** Every push to a device token of dead… is refused. */
const refuseDead = {
  rules: { when: { deviceToken: "dead*" }, do: { answer: { reason: "BadDeviceToken" } } },
};

test("takes notifications in silence, on the port of HTTP/2, and writes them into the same history", async () => {
  const simulator = await start();
  const sender = await open(simulator);
  sender.write(
    encodeFrame(0, notification(1)),
    encodeFrame(1, { ...notification(2), expirationSeconds: 4_000_000_000 }),
    frame(3, { priority: 5, expirationSeconds: 0 }),
  );
  const pushes = await simulator.history.waitFor({ protocol: "binary", count: 3 });
  expect(pushes).toMatchObject([
    { deviceToken: deviceToken(1), status: 200, topic: simulator.topic, pushType: "alert", stream: 1 },
    { headers: { "binary-command": "1", "binary-identifier": "2", "apns-expiration": "4000000000" } },
    { headers: { "binary-command": "2", "apns-expiration": "0", "apns-priority": "5" } },
  ]);
  expect(pushes[2]?.payload.toString()).toBe('{"aps":{"alert":"Hello 3"}}');
  await simulator.expectPush({ protocol: "binary", payload: { aps: { alert: "Hello 2" } } });
  expect(sender.chunks).toEqual([]);
  expect(simulator.connections.all).toMatchObject([
    { port: "push", protocol: "binary", sender: "certificate", requests: 3 },
  ]);
  expect(simulator.connections.all[0]?.frames).toEqual({ "command 0": 1, "command 1": 1, "command 2": 1 });
});

test("names the one at fault, discards what came behind it, and ends: one write, then FIN", async () => {
  const simulator = await start({ scenario: refuseDead });
  const sender = await open(simulator);
  const frames = Array.from({ length: 1000 }, (_, at) => frame(at + 1, at + 1 === 500 ? bad : {}));
  sender.write(...frames);
  await sender.untilClosed();
  expect(sender.socket.errored).toBeNull();
  expect(sender.chunks.map((chunk) => chunk.toString("hex"))).toEqual(["0808000001f4"]);
  expect(simulator.history.count({ status: 200 })).toBe(499);
  expect(simulator.history.count()).toBe(500);
});

test("frames may come in any pieces", async () => {
  const simulator = await start({ scenario: refuseDead });
  const sender = await open(simulator);
  for (const byte of Buffer.concat([frame(1), frame(2, bad), frame(3)])) {
    sender.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 8, identifier: 2 }]);
  expect(simulator.history.countByDeviceToken({ status: 200 })).toEqual(new Map([[deviceToken(1), 1]]));
});

test.each([
  ["a payload that is too long", { payload: Buffer.alloc(2049, 0x20) }, { status: 7, identifier: 9 }, 413],
  ["no payload", { payload: Buffer.alloc(0) }, { status: 4, identifier: 9 }, 400],
  ["a device token of 101 bytes", { deviceToken: Buffer.alloc(101) }, { status: 5, identifier: 9 }, 400],
  ["no device token: of nobody", { deviceToken: Buffer.alloc(0) }, { status: 2, identifier: 0 }, 400],
  ["a priority that there is not", { priority: 7 }, { status: 1, identifier: 9 }, 400],
])("says what is wrong with a frame: %s", async (_name, wrong, error, status) => {
  const simulator = await start();
  const sender = await open(simulator);
  sender.write(frame(8), frame(9, wrong), frame(10));
  await sender.untilClosed();
  expect(sender.errors).toEqual([error]);
  expect(simulator.history.pushes.map((push) => push.status)).toEqual([200, status]);
});

test("what cannot be parsed is a protocol error of nobody, and told with the connection", async () => {
  const simulator = await start({ binaryPort: 0 });
  const sender = await open(simulator, simulator.binaryPort);
  sender.write(frame(1), Buffer.from("GET / HTTP/1.1\r\n"));
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 128, identifier: 0 }]);
  expect(simulator.connections.all[0]).toMatchObject({ fault: "command 71, expected 0, 1 or 2" });
});

test("devices are judged as over HTTP/2: another environment, pace, priority, offline, never answering", async () => {
  const simulator = await start();
  const { devices, history } = simulator;
  devices.describe(deviceToken(1), { reach: "offline" });
  devices.describe(deviceToken(2), { pace: { most: 1, withinMs: 60_000 } });
  devices.describe(deviceToken(3), { answers: "never" });
  devices.describe(deviceToken(4), { environment: "production" });
  const sender = await open(simulator);
  sender.write(frame(1), frame(2), frame(2), frame(3), frame(4));
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 8, identifier: 4 }]);
  expect(history.pushes.map(({ status, reason }) => reason ?? status)).toEqual([
    ...[200, 200, "TooManyRequests", "BadDeviceToken"],
  ]);
  expect(devices.find(deviceToken(1))?.mailbox.stored).toHaveLength(1);
  expect(devices.find(deviceToken(2))?.mailbox.received).toHaveLength(1);
});

test("the push type is told from the payload: background at priority 10 is an error, alone it is none", async () => {
  const simulator = await start();
  const sender = await open(simulator);
  const payload = Buffer.from('{"aps":{"content-available":1}}');
  sender.write(
    frame(1, { payload }),
    frame(2, { payload, priority: 5 }),
    frame(3, { payload, priority: 10 }),
  );
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 1, identifier: 3 }]);
  expect(simulator.history.count({ pushType: "background", status: 200 })).toBe(2);
});

test("a sender that goes is told the last one that was taken; one that sent nothing is told nothing", async () => {
  const simulator = await start({ binaryPort: 0 });
  // On its own port nobody's first byte is waited for: an idle sender is known as one.
  const [sender, idle] = [await open(simulator), await open(simulator, simulator.binaryPort)];
  // Command 0 has no identifier: the last one that can be named is the one before it.
  sender.write(frame(7), frame(0xfedc_ba98), encodeFrame(0, notification(9)));
  await simulator.history.waitFor({ count: 3 });
  await simulator.close();
  await Promise.all([sender.untilClosed(), idle.untilClosed()]);
  expect(sender.errors).toEqual([{ status: 10, identifier: 0xfedc_ba98 }]);
  expect(idle.chunks).toEqual([]);
});

test("what was dropped was not taken, and a goodbye does not name it", async () => {
  const simulator = await start({ scenario: refuseDead, assumptions: { binaryBadToken: "drop" } });
  const sender = await open(simulator);
  sender.write(frame(7), frame(8, bad));
  await simulator.history.waitFor({ count: 2 });
  simulator.announceShutdown();
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 10, identifier: 7 }]);
});

test("a goodbye names nobody where a late error is still to come", async () => {
  const late = { answer: { reason: "BadDeviceToken", delayMs: 600_000 } };
  const simulator = await start({ scenario: { rules: { when: { deviceToken: "dead*" }, do: late } } });
  const sender = await open(simulator);
  sender.write(frame(7), frame(8, bad));
  await simulator.history.waitFor({ count: 2 });
  simulator.announceShutdown();
  await sender.untilClosed();
  expect(sender.chunks).toEqual([]);
});

test("a VoIP certificate may send 4096 bytes, and no more", async () => {
  const dir = mkdtempSync(join(tmpdir(), "carillon-simulator-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  const { authority } = openCredentialFolder(dir, "com.example.demo", Date.now()).credentials;
  const voip = issuePushCertificate(
    authority,
    { topic: "com.example.demo.voip", teamId: "DEF123GHIJ", environments: [], topics: [] },
    Date.now(),
  );
  const sender = await open(await start({ dir }), undefined, voip);
  sender.write(
    frame(1, { payload: Buffer.from(`{"aps":{}}${" ".repeat(4086)}`) }),
    frame(2, { payload: Buffer.alloc(4097, 0x20) }),
  );
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 7, identifier: 2 }]);
});

test("an announced shutdown tells the last one that was taken, and new senders are closed", async () => {
  const simulator = await start();
  const sender = await open(simulator);
  sender.write(frame(7));
  await simulator.history.waitFor({ count: 1 });
  simulator.announceShutdown();
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 10, identifier: 7 }]);
  const late = await open(simulator);
  late.write(frame(8));
  await late.untilClosed();
  expect(simulator.history.total).toBe(1);
});

test("who has no certificate, or one of somebody else, is closed without a word", async () => {
  const simulator = await start({ binaryPort: 0, feedbackPort: 0 });
  simulator.feedback.add({ topic: simulator.topic, deviceToken: "aabb", goneSinceMs: 0 });
  const stranger = issuePushCertificate(
    issueAuthority(Date.now()),
    { topic: simulator.topic, teamId: "DEF123GHIJ", environments: [], topics: [] },
    Date.now(),
  );
  for (const tls of [{ cert: undefined, key: undefined }, stranger] as ConnectionOptions[]) {
    for (const port of [simulator.binaryPort, simulator.port]) {
      const sender = await open(simulator, port, tls);
      sender.write(frame(1));
      await sender.untilClosed();
      expect(sender.chunks).toEqual([]);
    }
    const reader = await open(simulator, simulator.feedbackPort, tls);
    await reader.untilClosed();
    expect(reader.chunks).toEqual([]);
  }
  expect(simulator.history.total).toBe(0);
  expect(simulator.feedback.find()).toHaveLength(1);
});

test("HTTP/2 goes on at every port: by ALPN, and without it where the first byte is its preface", async () => {
  const simulator = await start({ binaryPort: 0, feedbackPort: 0 });
  const sender = await open(simulator);
  sender.write(frame(1));
  await simulator.history.waitFor({ protocol: "binary" });
  const old = await RawSender.open({ port: simulator.port, ca: simulator.ca, alpn: [] });
  closers.push(() => old.destroy());
  await old.until(() => old.frames.length > 0);
  for (const port of [simulator.binaryPort, simulator.feedbackPort]) {
    const session = connectHttp2(`https://localhost:${port}`, { ca: simulator.ca });
    closers.push(() => session.destroy());
    const status = await new Promise((resolve) => {
      const stream = session.request({ ":path": "/1/apps/com.example.demo/all-channels" });
      stream.on("response", (headers) => resolve(headers[":status"]));
    });
    expect(status).toBe(403);
  }
  expect(simulator.connections.all.map(({ protocol }) => protocol)).toEqual([
    ...["binary", "http/2", "http/2", "http/2"],
  ]);
});

test.each<[string, ConnectionOptions]>([
  ["TLS 1.0", { minVersion: "TLSv1", maxVersion: "TLSv1" }],
  ["TLS 1.1", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }],
  ["TLS 1.3", { minVersion: "TLSv1.3" }],
])("speaks %s where minTls says so", async (name, tls) => {
  const simulator = await start({ minTls: "TLSv1" });
  const sender = await open(simulator, undefined, { ...tls, ciphers: "DEFAULT@SECLEVEL=0" });
  sender.write(frame(1));
  await simulator.history.waitFor({ status: 200 });
  expect(simulator.connections.all[0]?.tls).toBe(name.replace("TLS ", "TLSv").replace("v1.0", "v1"));
});

test("TLS 1.1 is refused otherwise", async () => {
  const simulator = await start();
  const tls = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await expect(open(simulator, undefined, tls)).rejects.toThrow(/protocol version/);
});

test("a silent client of the shared port or of the gateway's is told no feedback", async () => {
  const simulator = await start({ binaryPort: 0, feedbackPort: 0 });
  simulator.feedback.add({ topic: simulator.topic, deviceToken: "aabb", goneSinceMs: 0 });
  const silent = [await open(simulator), await open(simulator, simulator.binaryPort)];
  // As long as another sender's push takes, and then to the end.
  const other = await open(simulator);
  other.write(frame(1));
  await simulator.history.waitFor({ count: 1 });
  await simulator.close();
  for (const sender of silent) {
    await sender.untilClosed();
    expect(sender.chunks).toEqual([]);
  }
  expect(simulator.feedback.find()).toHaveLength(1);
});

test("feedback is told at once, read once, with the time at which the device left; then the service closes", async () => {
  const simulator = await start({ feedbackPort: 0 });
  simulator.devices.unregister(deviceToken(2), 1_325_376_000_999);
  const sender = await open(simulator);
  sender.write(frame(1), frame(2), frame(3));
  await simulator.history.waitFor({ count: 3 });
  // Gone is no error on the connection: what came behind it went on.
  expect(simulator.history.count({ status: 200 })).toBe(2);
  await simulator.expectPush({ protocol: "binary", reason: "Unregistered" });
  expect(sender.chunks).toEqual([]);
  expect(simulator.feedback.find()).toHaveLength(1);
  for (const expected of [[{ goneSinceSeconds: 1_325_376_000, deviceToken: deviceToken(2) }], []]) {
    const reader = await open(simulator, simulator.feedbackPort);
    await reader.untilClosed();
    expect(reader.socket.errored).toBeNull();
    expect(reader.feedback).toEqual(expected);
  }
});

test("assumptions: dropped bad tokens, errors for command 0, echoed identifiers, longer payloads, lists kept", async () => {
  const simulator = await start({
    feedbackPort: 0,
    assumptions: {
      ...{ binaryBadToken: "drop", binaryEmptyToken: "echo", binarySimpleRefusal: "error" },
      ...{ binaryPayloadLimitBytes: 256, binaryWithoutExpiration: "not-stored", feedbackReading: "again" },
    },
    scenario: { rules: { when: { deviceToken: "dead*" }, do: { answer: { reason: "BadDeviceToken" } } } },
  });
  simulator.devices.describe(deviceToken(2), { reach: "offline" });
  simulator.devices.unregister(deviceToken(3));
  const sender = await open(simulator);
  sender.write(frame(1, bad), frame(2), frame(3), frame(4, { deviceToken: Buffer.alloc(0) }));
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 2, identifier: 4 }]);
  expect(simulator.history.pushes[0]).toMatchObject({ reason: "BadDeviceToken", answer: "withheld" });
  expect(simulator.devices.find(deviceToken(2))?.mailbox.stored).toEqual([]);
  for (const _reader of [1, 2]) {
    const reader = await open(simulator, simulator.feedbackPort);
    await reader.untilClosed();
    expect(reader.feedback).toHaveLength(1);
  }
  const long = await open(simulator);
  long.write(frame(1, { payload: Buffer.alloc(257, 0x20) }));
  await long.untilClosed();
  expect(long.errors).toEqual([{ status: 7, identifier: 1 }]);
  const simple = await open(simulator);
  simple.write(encodeFrame(0, { ...notification(1), payload: Buffer.alloc(0) }));
  await simple.untilClosed();
  expect(simple.errors).toEqual([{ status: 4, identifier: 0 }]);
});

test("a refused frame of command 0 ends the connection without a word, or nothing at all", async () => {
  const scenario = refuseDead;
  const closing = await start({ scenario });
  const sender = await open(closing);
  sender.write(encodeFrame(0, { ...notification(1), ...bad }));
  await sender.untilClosed();
  expect(sender.chunks).toEqual([]);
  const dropping = await start({ scenario, assumptions: { binarySimpleRefusal: "drop" } });
  const other = await open(dropping);
  other.write(encodeFrame(0, { ...notification(1), ...bad }), encodeFrame(0, notification(2)));
  await dropping.history.waitFor({ status: 200 });
  expect(other.socket.closed).toBe(false);
});

test("a certificate of the other environment gets through TLS and is closed at once, unless it may stay", async () => {
  const dir = mkdtempSync(join(tmpdir(), "carillon-simulator-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  const { authority } = openCredentialFolder(dir, "com.example.demo", Date.now()).credentials;
  const subject = { topic: "com.example.demo", teamId: "DEF123GHIJ", topics: [] };
  const production = issuePushCertificate(
    authority,
    { ...subject, environments: ["production"] },
    Date.now(),
  );
  const gone = { topic: "com.example.demo", deviceToken: "aabb", goneSinceMs: 0 };
  const closing = await start({ dir, binaryPort: 0, feedbackPort: 0 });
  closing.feedback.add(gone);
  for (const port of [closing.binaryPort, closing.feedbackPort]) {
    const sender = await open(closing, port, production);
    await sender.untilClosed();
    expect(sender.socket.errored).toBeNull();
    expect(sender.chunks).toEqual([]);
  }
  const accepting = await start({
    ...{ dir, feedbackPort: 0, assumptions: { binaryOtherEnvironment: "accept" } },
  });
  accepting.feedback.add(gone);
  const reader = await open(accepting, accepting.feedbackPort, production);
  await reader.untilClosed();
  expect(reader.feedback).toMatchObject([{ deviceToken: "aabb" }]);
  const other = await open(accepting, undefined, production);
  other.write(frame(1));
  await accepting.history.waitFor({ status: 200 });
});

test("a late error: what came behind the one at fault is discarded from the beginning", async () => {
  const simulator = await start({
    scenario: {
      rules: {
        when: { deviceToken: "dead*" },
        do: { answer: { reason: "BadDeviceToken", delayMs: 50 } },
      },
    },
  });
  const sender = await open(simulator);
  sender.write(frame(1), frame(2, bad), frame(3));
  await simulator.history.waitFor({ count: 2 });
  sender.write(frame(4));
  await sender.untilClosed();
  expect(sender.errors).toEqual([{ status: 8, identifier: 2 }]);
  expect(simulator.history.total).toBe(2);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 10, 128, 255])(
  "scenarios: an error response with status %d, once; nothing behind it is taken",
  async (status) => {
    const rule = { when: { protocol: "binary", request: 2 }, do: { errorResponse: { status } } } as const;
    const simulator = await start({ scenario: { rules: rule } });
    const sender = await open(simulator);
    sender.write(frame(1), frame(2), frame(3));
    await sender.untilClosed();
    expect(sender.chunks.map((chunk) => [...chunk])).toEqual([[8, status, 0, 0, 0, 2]]);
    expect(simulator.history.countByDeviceToken({ status: 200 }).has(deviceToken(3))).toBe(false);
  },
);

test("scenarios: silence is taken and not told, or not even taken", async () => {
  const simulator = await start({
    scenario: {
      rules: [
        { when: { request: 1 }, do: { silence: { request: "processed" } } },
        { when: { request: 2 }, do: { silence: { request: "ignored" } } },
      ],
    },
  });
  const sender = await open(simulator);
  sender.write(frame(1), frame(2), frame(3));
  await simulator.history.waitFor({ deviceToken: deviceToken(3) });
  expect(simulator.history.pushes).toMatchObject([
    { deviceToken: deviceToken(1), status: 200, answer: "withheld" },
    { deviceToken: deviceToken(3), status: 200, answer: "sent" },
  ]);
});

test("scenarios: what came behind the one at which the connection is cut is not taken", async () => {
  const simulator = await start({
    scenario: { rules: { when: { request: 2 }, do: [{ silence: {} }, { close: { how: "rst" } }] } },
  });
  const sender = await open(simulator);
  sender.write(frame(1), frame(2), frame(3));
  await sender.untilClosed();
  expect([...simulator.history.countByDeviceToken().keys()]).toEqual([deviceToken(1)]);
});

test("scenarios: any error response, in pieces, for any identifier; silence; bytes; ends", async () => {
  const rule = (request: number, action: object) => ({ when: { protocol: "binary", request }, do: action });
  const run = async (action: object): Promise<BinarySender> => {
    const simulator = await start({ scenario: { rules: [rule(2, action)] } as object });
    const sender = await open(simulator);
    sender.write(frame(1), frame(2), frame(3));
    await sender.untilClosed();
    return sender;
  };
  const errors = async (action: object): Promise<unknown> => (await run(action)).errors;
  expect(await errors({ errorResponse: { status: 10, identifier: "last" } })).toEqual([
    { status: 10, identifier: 2 },
  ]);
  expect(await errors([{ silence: {} }, { errorResponse: { status: 255 } }])).toEqual([
    { status: 255, identifier: 2 },
  ]);
  expect(await errors({ errorResponse: { status: 8, identifier: 4_000_000_000 } })).toEqual([
    { status: 8, identifier: 4_000_000_000 },
  ]);
  const pieces = await run([{ segment: { bytes: 1 } }, { answer: { reason: "BadDeviceToken" } }]);
  expect(pieces.chunks.length).toBeGreaterThan(1);
  expect(pieces.errors).toEqual([{ status: 8, identifier: 2 }]);
  expect(await errors([{ bytes: { hex: "ff" } }, "close"])).toMatchObject([{ kind: "malformed" }]);
  expect((await run({ close: { how: "rst" } })).chunks).toEqual([]);
});
