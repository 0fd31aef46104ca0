/** Every action of a scenario, seen from a client's side of the wire. */
import { constants } from "node:crypto";
import { ApnsClient } from "@carillon/apns";
import { flag, frameType } from "@carillon/apns/http2";
import { afterEach, expect, test } from "vitest";
import { RawSender, streamLimitIn } from "./raw-sender.test-support.ts";
import type { RuleDocument } from "./scenario/index.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { VirtualClock } from "./virtual-clock.ts";

const { data, goaway, headers, ping, rstStream, settings, windowUpdate } = frameType;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(...rules: readonly RuleDocument[]) {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ scenario: { seed: 1, rules }, clock });
  closers.push(() => simulator.close());
  const { cert, key } = simulator.credentials.certificate;
  const connect = async (): Promise<RawSender> => {
    const sender = await RawSender.open({ port: simulator.port, ca: simulator.ca, cert, key });
    closers.push(() => sender.destroy());
    return sender;
  };
  return { simulator, clock, connect };
}

/** Waits until the server has seen everything that was sent before. */
async function settle(sender: RawSender): Promise<void> {
  const before = sender.ofType(ping).length;
  sender.frame(ping, 0, 0, Buffer.alloc(8, 9));
  await sender.until(() => sender.ofType(ping).length > before);
}

const statusesOf = (sender: RawSender): (string | undefined)[] =>
  sender.ofType(headers).map((frame) => sender.fieldsOf(frame)[":status"]);

test("answer: status, reason, timestamp, headers and body", async () => {
  const { simulator, connect } = await start(
    {
      when: { request: 1 },
      do: { answer: { reason: "Unregistered", timestamp: 5, headers: { "Retry-After": "2" } } },
    },
    { when: { request: 2 }, do: { answer: { status: 503, body: "<html>" } } },
    { when: { request: 3 }, do: { answer: { status: 400, reason: "Newer" } } },
  );
  const sender = await connect();
  sender.push([1, 3, 5, 7]);
  await sender.until(() => sender.ofType(headers).length === 4);
  const [first, second, third, fourth] = sender.ofType(headers).map((frame) => sender.fieldsOf(frame));
  expect(first).toMatchObject({ ":status": "410", "retry-after": "2", "content-type": "application/json" });
  expect([second?.[":status"], third?.[":status"], fourth?.[":status"]]).toEqual(["503", "400", "200"]);
  expect(sender.ofType(data).map(({ payload }) => payload.toString())).toEqual([
    '{"reason":"Unregistered","timestamp":5}',
    "<html>",
    '{"reason":"Newer"}',
  ]);
  expect(simulator.history.pushes.map(({ status, reason }) => [status, reason])).toEqual([
    [410, "Unregistered"],
    [503, undefined],
    [400, "Newer"],
    [200, undefined],
  ]);
});

test("answer: delayed, out of order, and not once the stream was reset", async () => {
  const { simulator, clock, connect } = await start(
    { when: { request: 1 }, do: { answer: { delayMs: 1000 } } },
    { when: { request: 2 }, do: { answer: { delayMs: { from: 500, to: 500 } } } },
  );
  const sender = await connect();
  sender.push([1, 3, 5]);
  await sender.until(() => sender.ofType(headers).length === 1);
  clock.advance(500);
  await sender.until(() => sender.ofType(headers).length === 2);
  sender.frame(rstStream, 0, 1, Buffer.from([0, 0, 0, 8]));
  await settle(sender);
  clock.advance(500);
  await settle(sender);
  expect(sender.ofType(headers).map(({ streamId }) => streamId)).toEqual([5, 3]);
  expect(simulator.history.total).toBe(2);
});

test("answer: with 103, trailers, padding and a header block in pieces of one byte", async () => {
  const { connect } = await start({
    do: {
      answer: {
        earlyHints: "sent",
        trailers: { "x-end": "1" },
        padding: 7,
        pieceBytes: 1,
        reason: "BadTopic",
      },
    },
  });
  const sender = await connect();
  sender.push([1]);
  await sender.until(() =>
    sender.frames.some(({ flags, type }) => type === headers && (flags & flag.endStream) !== 0),
  );
  expect(sender.ofType(headers)).toHaveLength(3);
  expect(sender.ofType(headers).every(({ flags }) => (flags & flag.padded) !== 0)).toBe(true);
  expect(sender.ofType(frameType.continuation).length).toBeGreaterThan(10);
  expect(sender.ofType(data)[0]?.payload.toString("latin1")).toBe('\x07{"reason":"BadTopic"}\0\0\0\0\0\0\0');
});

test("an odd answer is an answer to our client and to nobody a surprise", async () => {
  const { simulator } = await start({
    do: { answer: { earlyHints: "sent", trailers: { "x-end": "1" }, padding: 255, pieceBytes: 3 } },
  });
  const client = new ApnsClient({
    ...{ endpoint: simulator.endpoint, ca: simulator.ca, topic: simulator.topic },
    credentials: simulator.credentials.token,
  });
  closers.push(() => client.close());
  expect(await client.send({ deviceToken: "aabbccdd", payload: { aps: {} } })).toMatchObject({
    kind: "accepted",
  });
});

test("silence, processed and ignored", async () => {
  const { simulator, connect } = await start(
    { when: { request: 1 }, do: { silence: { request: "processed" } } },
    { when: { request: 2 }, do: "silence" },
  );
  const sender = await connect();
  sender.push([1, 3, 5]);
  await sender.until(() => sender.ofType(headers).length === 1);
  expect(sender.ofType(headers)[0]?.streamId).toBe(5);
  expect(simulator.history.pushes.map(({ stream, answer }) => [stream, answer])).toEqual([
    [1, "withheld"],
    [5, "sent"],
  ]);
});

test("reset, twice, before and after the request was processed", async () => {
  const { simulator, connect } = await start(
    { when: { request: 1 }, do: { reset: { times: 2 } } },
    { when: { request: 2 }, do: { reset: { code: "cancel", request: "processed" } } },
  );
  const sender = await connect();
  sender.push([1, 3]);
  await sender.until(() => sender.ofType(rstStream).length === 3);
  expect(sender.ofType(rstStream).map(({ streamId, payload }) => [streamId, payload[3]])).toEqual([
    [1, 7],
    [1, 7],
    [3, 8],
  ]);
  expect(simulator.history.pushes.map(({ stream }) => stream)).toEqual([3]);
});

test("GOAWAY with any last stream, code and debug data, several times; those above are not acted on", async () => {
  const { simulator, clock, connect } = await start(
    { when: { request: { to: 3 } }, do: { answer: { delayMs: 10 } } },
    {
      when: { request: 4 },
      do: [
        "silence",
        { goaway: { last: 2, code: "internalError", debug: { reason: "Shutdown" }, times: 2 } },
      ],
    },
  );
  const sender = await connect();
  sender.push([1, 3, 5, 7]);
  await sender.until(() => sender.ofType(goaway).length === 2);
  expect(sender.ofType(goaway)[0]?.payload.toString("latin1")).toBe(
    '\0\0\0\x03\0\0\0\x02{"reason":"Shutdown"}',
  );
  clock.advance(10);
  await sender.until(() => sender.ofType(headers).length === 2);
  await settle(sender);
  expect(simulator.history.pushes.map(({ stream }) => stream)).toEqual([1, 3]);
});

test("GOAWAY in two phases, on time", async () => {
  const { clock, connect } = await start(
    { on: "time", atMs: 100, do: { goaway: { last: "all" } } },
    { on: "time", atMs: 200, do: [{ goaway: { last: "this" } }, "close"] },
  );
  const sender = await connect();
  sender.push([1]);
  await sender.until(() => sender.ofType(headers).length === 1);
  clock.advance(100);
  await sender.until(() => sender.ofType(goaway).length === 1);
  sender.push([3]);
  await sender.until(() => sender.ofType(headers).length === 2);
  clock.advance(100);
  await sender.untilClosed();
  expect(sender.ofType(goaway).map(({ payload }) => payload.readUInt32BE(0))).toEqual([0x7fff_ffff, 3]);
});

test("SETTINGS at any time, window updates that overflow, a flood of PINGs, and any bytes", async () => {
  const { connect } = await start({
    when: { request: 2 },
    do: [
      {
        settings: {
          ...{ maxConcurrentStreams: 0, initialWindowSize: 1, headerTableSize: 0 },
          ...{ maxFrameSize: 16_385, maxHeaderListSize: 1 },
        },
      },
      { window: { increment: 0x7fff_ffff } },
      { window: { stream: "this", increment: 0 } },
      { ping: { count: 50 } },
      { bytes: { hex: "000001 be 00 00000005 aa" } },
    ],
  });
  const sender = await connect();
  sender.push([1, 3]);
  await sender.until(() => sender.ofType(0xbe).length === 1);
  expect(streamLimitIn(sender.ofType(settings).at(-1))).toBe(0);
  expect(
    sender.ofType(windowUpdate).map(({ streamId, payload }) => [streamId, payload.readUInt32BE(0)]),
  ).toEqual([
    [0, 0x7fff_ffff],
    [3, 0],
  ]);
  expect(sender.ofType(ping)).toHaveLength(50);
  expect(sender.ofType(0xbe)[0]).toMatchObject({ streamId: 5, payload: Buffer.from([0xaa]) });
  sender.frame(settings, flag.ack, 0);
  sender.push([5]);
  await sender.until(() => sender.ofType(rstStream).length === 1);
});

test.each(["fin", "fin-without-close-notify", "rst", "half"] as const)(
  "close: %s, after the answer",
  async (how) => {
    const { connect } = await start({ do: { close: { how } } });
    const sender = await connect();
    sender.push([1]);
    await sender.untilClosed();
    // A reset may overtake the answer.
    if (how !== "rst") expect(sender.ofType(headers)).toHaveLength(1);
  },
);

test("stall: a black hole, for ever or for a while", async () => {
  const { simulator, clock, connect } = await start({
    when: { connection: 1, request: 1 },
    do: { stall: { forMs: 1000 } },
  });
  const sender = await connect();
  sender.push([1]);
  await simulator.history.waitFor({ count: 1 });
  sender.push([3]);
  const other = await connect();
  other.push([1]);
  await other.until(() => other.ofType(headers).length === 1);
  expect(simulator.history.count({ connection: 1 })).toBe(1);
  expect(sender.ofType(headers)).toEqual([]);
  clock.advance(1000);
  await sender.until(() => sender.ofType(headers).length === 2);
});

test("late SETTINGS", async () => {
  const { simulator, clock, connect } = await start({
    name: "late",
    on: "open",
    do: { stall: { what: "writes", forMs: 300 } },
  });
  const sender = await connect();
  // Our handshake may be over before the server's.
  await expect.poll(() => simulator.scenarioCounts).toEqual({ late: 1 });
  expect(sender.frames).toEqual([]);
  clock.advance(300);
  await sender.until(() => sender.ofType(settings).length > 0);
});

test("withhold: SETTINGS, acknowledgements, window updates", async () => {
  const { connect } = await start({
    on: "open",
    do: {
      withhold: { what: ["settings", "settings-acknowledgement", "ping-acknowledgement", "window-update"] },
    },
  });
  const sender = await connect();
  sender.frame(ping, 0, 0, Buffer.alloc(8));
  for (let id = 1; id < 60; id += 2) sender.push([id], {}, "x".repeat(2000));
  await sender.until(() => sender.ofType(headers).length === 30);
  expect(new Set(sender.frames.map(({ type }) => type))).toEqual(new Set([headers]));
});

test("withhold for a while: what was withheld comes late, and answers flow meanwhile", async () => {
  const what = ["settings", "settings-acknowledgement", "ping-acknowledgement"] as const;
  const { clock, connect } = await start({ on: "open", do: { withhold: { what, forMs: 1000 } } });
  const sender = await connect();
  sender.frame(ping, 0, 0, Buffer.from("12345678"));
  sender.push([1]);
  await sender.until(() => sender.ofType(headers).length === 1);
  expect(sender.frames.map(({ type }) => type)).toEqual([headers]);
  clock.advance(1000);
  await sender.until(() => sender.ofType(ping).length === 1);
  expect(sender.frames.map(({ type, flags }) => [type, flags & flag.ack])).toEqual([
    [headers, flag.endStream],
    [settings, 0],
    [settings, flag.ack],
    [ping, flag.ack],
  ]);
  expect(sender.ofType(ping)[0]?.payload.toString()).toBe("12345678");
  await settle(sender);
});

test("stall: a slow reader takes nothing for a while, and writes on", async () => {
  const { simulator, clock, connect } = await start({
    when: { request: 1 },
    do: [{ stall: { what: "reads", forMs: 1000 } }, { ping: {} }],
  });
  const sender = await connect();
  sender.push([1]);
  await sender.until(() => sender.ofType(ping).length === 1);
  sender.push([3]);
  const other = await connect();
  other.push([1]);
  await other.until(() => other.ofType(headers).length === 1);
  expect(simulator.history.count({ connection: 1 })).toBe(1);
  clock.advance(1000);
  await sender.until(() => sender.ofType(headers).length === 2);
});

test("what a scenario did is told: of each connection its rules, with time and stream", async () => {
  const { simulator, clock, connect } = await start(
    { name: "begin", on: "open", do: { ping: {} } },
    { name: "second", when: { request: 2 }, do: "silence" },
    { name: "later", on: "time", atMs: 50, do: "close" },
  );
  const startedMs = clock.now();
  const sender = await connect();
  sender.push([1, 3]);
  await sender.until(() => sender.ofType(headers).length === 1);
  clock.advance(50);
  await sender.untilClosed();
  await expect.poll(() => simulator.connections.find(1)?.closedAtMs).toBeDefined();
  expect(simulator.connections.find(1)?.applied).toEqual([
    { rule: "begin", atMs: startedMs, stream: undefined },
    { rule: "second", atMs: startedMs, stream: 3 },
    { rule: "later", atMs: startedMs + 50, stream: undefined },
  ]);
});

test("segment: everything in writes of one byte", async () => {
  const { connect } = await start({ on: "open", do: { segment: { bytes: 1 } } });
  const sender = await connect();
  sender.push([1]);
  await sender.until(() => sender.ofType(headers).length === 1);
  expect(sender.chunks).toBeGreaterThan(60);
});

test("refuse and hang, by connection", async () => {
  const { simulator, connect } = await start(
    { name: "refused", on: "connect", when: { connection: 1 }, do: "refuse" },
    { name: "hung", on: "connect", when: { connection: 2 }, do: "hang" },
  );
  await expect(connect()).rejects.toThrow();
  const hanging = connect();
  hanging.catch(() => {});
  const third = await connect();
  third.push([1]);
  await third.until(() => third.ofType(headers).length === 1);
  expect(simulator.scenarioCounts).toEqual({ refused: 1, hung: 1 });
});

test.each([
  ["expired", /expired/],
  ["wrong-host", /altnames|does not match/],
  ["other-authority", /self-signed|unable to verify|issuer/],
] as const)("TLS: a certificate that is %s", async (variant, message) => {
  const { connect } = await start({ on: "connect", do: { tls: { variant } } });
  await expect(connect()).rejects.toThrow(message);
});

test("TLS: no ALPN, and a client certificate that is required", async () => {
  const { simulator, connect } = await start(
    { on: "connect", when: { connection: 1 }, do: { tls: { variant: "no-alpn" } } },
    { on: "connect", do: { tls: { variant: "client-certificate-required" } } },
  );
  expect((await connect()).socket.alpnProtocol).toBe(false);
  const bare = await RawSender.connect({
    port: simulator.port,
    ca: simulator.ca,
    tls: { maxVersion: "TLSv1.2" },
  }).catch((error: Error) => error);
  if (!(bare instanceof Error)) await bare.untilClosed();
  const sender = await connect();
  sender.push([1]);
  await sender.until(() => sender.ofType(headers).length === 1);
});

test.each(["taken", "refused"] as const)(
  "TLS: a new handshake in the midst, %s by the client",
  async (how) => {
    const { simulator } = await start(
      { on: "connect", do: { tls: { variant: "tls-1.2" } } },
      { when: { request: 1 }, do: "renegotiate" },
    );
    const { cert, key } = simulator.credentials.certificate;
    const tls = how === "refused" ? { secureOptions: constants.SSL_OP_NO_RENEGOTIATION } : {};
    const sender = await RawSender.open({ port: simulator.port, ca: simulator.ca, cert, key, tls });
    closers.push(() => sender.destroy());
    let handshakes = 0;
    sender.socket.on("keylog", () => {
      handshakes += 1;
    });
    sender.push([1]);
    if (how === "refused") await sender.untilClosed();
    else {
      await expect.poll(() => handshakes).toBe(1);
      sender.push([3]);
      await sender.until(() => sender.ofType(headers).length === 2);
    }
    expect(statusesOf(sender)[0]).toBe("200");
  },
);

test("a scenario changes while connections are open, and ends", async () => {
  const { simulator, connect } = await start({ do: { answer: { reason: "Shutdown" } } });
  const sender = await connect();
  sender.push([1]);
  await sender.until(() => sender.ofType(headers).length === 1);
  simulator.setScenario({ rules: [{ do: { answer: { reason: "ServiceUnavailable" } } }] });
  sender.push([3]);
  await sender.until(() => sender.ofType(headers).length === 2);
  simulator.setScenario(undefined);
  sender.push([5]);
  await sender.until(() => sender.ofType(headers).length === 3);
  expect(statusesOf(sender)).toEqual(["503", "503", "200"]);
  expect(() => simulator.setScenario({ rules: 5 as never })).toThrow(/scenario: \/rules/);
});

test("first tries are refused, second ones taken: our client delivers all, each once", async () => {
  const simulator: Simulator = await startSimulator({
    scenario: { rules: [{ when: { attempt: 1 }, do: "reset" }] },
  });
  closers.push(() => simulator.close());
  const client = new ApnsClient({
    ...{ endpoint: simulator.endpoint, ca: simulator.ca, topic: simulator.topic },
    credentials: simulator.credentials.token,
    retry: { baseDelayMs: 1 },
  });
  closers.push(() => client.close());
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, (_, ordinal) =>
      client.send({ deviceToken: ordinal.toString(16).padStart(8, "0"), payload: { aps: {} } }),
    ),
  );
  expect(outcomes.filter(({ kind }) => kind !== "accepted")).toEqual([]);
  expect([...simulator.history.countByDeviceToken().values()]).toEqual(new Array(200).fill(1));
});
