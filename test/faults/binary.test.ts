/** Rows 75 to 83: the retired binary protocol, from a sender's side, against the simulator's gateway. */
import type { Outcome } from "@carillon/apns";
import { BinaryClient, type BinaryClientOptions, readFeedback } from "@carillon/apns/binary";
import { type Simulator, type SimulatorOptions, startSimulator, VirtualClock } from "@carillon/simulator";
import { afterEach, expect, test } from "vitest";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const tokenOf = (ordinal: number): string => ordinal.toString(16).padStart(64, "0");
const badTokenOf = (ordinal: number): string => `dead${ordinal.toString(16).padStart(60, "0")}`;
const payload = { aps: { alert: "Hello" } };
const refuseDead = { when: { deviceToken: "dead*" }, do: { answer: { reason: "BadDeviceToken" } } } as const;

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ binaryPort: 0, feedbackPort: 0, ...options });
  closers.push(() => simulator.close());
  return simulator;
}

function connect(simulator: Simulator, more: Partial<BinaryClientOptions> = {}): BinaryClient {
  const { binaryPort: port, ca, credentials } = simulator;
  const client = new BinaryClient({
    ...{ host: "localhost", port, ca, credentials: credentials.certificate },
    ...more,
  });
  closers.push(() => client.close());
  return client;
}

/** 1,000 sends, bad ones at these ordinals. */
function sendAll(client: BinaryClient, count: number, bad: readonly number[]): Promise<Outcome[]> {
  return Promise.all(
    Array.from({ length: count }, (_, at) => {
      const deviceToken = bad.includes(at + 1) ? badTokenOf(at + 1) : tokenOf(at + 1);
      return client.send({ deviceToken, payload });
    }),
  );
}

const kindsOf = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ kind }) => kind);

/** How often each good device token was taken. */
function timesTaken(simulator: Simulator): number[] {
  return [...simulator.history.countByDeviceToken({ status: 200 }).values()];
}

test("row 75: bad tokens at 3, 500 and 999 are named, and all that came behind them arrives all the same", async () => {
  const simulator = await start({ scenario: { rules: refuseDead } });
  const outcomes = await sendAll(connect(simulator), 1000, [3, 500, 999]);
  const rejected = outcomes.flatMap(({ kind }, at) => (kind === "rejected" ? [at + 1] : []));
  expect(rejected).toEqual([3, 500, 999]);
  expect(outcomes[2]).toMatchObject({
    ...{ reason: "BadDeviceToken", status: 400, detail: "status 8: invalid token", attempts: 1 },
  });
  expect(kindsOf(outcomes).filter((kind) => kind === "accepted")).toHaveLength(997);
  expect(timesTaken(simulator)).toEqual(new Array(997).fill(1));
});

test("row 76: nothing before the failed one is sent again, nothing behind it more than once at a time", async () => {
  const simulator = await start({ scenario: { rules: refuseDead } });
  const outcomes = await sendAll(
    connect(simulator, { connections: 3, windowSize: 50 }),
    600,
    [1, 2, 300, 600],
  );
  expect(kindsOf(outcomes).filter((kind) => kind === "rejected")).toHaveLength(4);
  expect(timesTaken(simulator)).toEqual(new Array(596).fill(1));
  expect(simulator.history.count({ reason: "BadDeviceToken" })).toBe(4);
});

test.each([0, 4_000_000_000])(
  "row 77: an error for identifier %d, which nobody has, is an honest doubt, and sending goes on",
  async (identifier) => {
    const rule = { times: 1, when: { request: 2 }, do: [{ errorResponse: { status: 8, identifier } }] };
    const simulator = await start({ scenario: { rules: rule } });
    const client = connect(simulator);
    const outcomes = await sendAll(client, 3, []);
    expect(outcomes).toMatchObject(
      new Array(3).fill({
        kind: "indeterminate",
        cause: "protocol",
        detail: expect.stringContaining("status 8"),
      }),
    );
    expect(await client.send({ deviceToken: tokenOf(9), payload })).toMatchObject({ kind: "accepted" });
  },
);

test("row 78: shutdown names the last one that was sent on: it is not sent again, and those behind it are", async () => {
  const shutdown = { errorResponse: { status: 10, identifier: "last" } } as const;
  const simulator = await start({ scenario: { rules: { times: 1, when: { request: 40 }, do: shutdown } } });
  const outcomes = await sendAll(connect(simulator), 100, []);
  expect(kindsOf(outcomes)).toEqual(new Array(100).fill("accepted"));
  expect(outcomes.map(({ attempts }) => attempts)).toEqual([
    ...new Array(40).fill(1),
    ...new Array(60).fill(2),
  ]);
  expect(timesTaken(simulator)).toEqual(new Array(100).fill(1));
});

test("row 78: a shutdown that names nobody is a doubt, and is not repeated for ever", async () => {
  const shutdown = { errorResponse: { status: 10, identifier: 0 } } as const;
  const simulator = await start({ scenario: { rules: { do: [{ silence: {} }, shutdown] } } });
  const outcomes = await sendAll(connect(simulator), 2, []);
  expect(outcomes).toMatchObject(new Array(2).fill({ kind: "indeterminate", attempts: 1 }));
  expect(simulator.history.total).toBe(0);
});

test.each(["fin", "rst"] as const)(
  "row 79: of a burst into a connection that ends (%s) nothing is called failed, and nothing is sent twice",
  async (how) => {
    const rule = { times: 1, when: { request: 100 }, do: { close: { how } } } as const;
    const simulator = await start({ scenario: { rules: rule } });
    const outcomes = await sendAll(connect(simulator, { windowSize: 2000 }), 2000, []);
    // What was written is in doubt, taken or not. What was not yet written goes out on the next connection.
    const doubtful = outcomes.findLastIndex(({ kind }) => kind === "indeterminate") + 1;
    expect(doubtful).toBeGreaterThanOrEqual(100);
    expect(kindsOf(outcomes)).toEqual(
      outcomes.map((_, at) => (at < doubtful ? "indeterminate" : "accepted")),
    );
    const taken = simulator.history.countByDeviceToken({ status: 200 });
    expect([...taken.values()]).toEqual(new Array(100 + 2000 - doubtful).fill(1));
  },
);

test("row 80: an error that is late by 30 s is read, and what came behind it is sent again then", async () => {
  const clock = new VirtualClock();
  const late = { answer: { reason: "BadDeviceToken", delayMs: 30_000 } } as const;
  const simulator = await start({ clock, scenario: { rules: { when: { deviceToken: "dead*" }, do: late } } });
  const client = connect(simulator, { answerTimeoutMs: 600_000 });
  const sent = sendAll(client, 5, [3]);
  await simulator.history.waitFor({ count: 3 });
  clock.advance(30_000);
  expect(kindsOf(await sent)).toEqual(["accepted", "accepted", "rejected", "accepted", "accepted"]);
  expect(timesTaken(simulator)).toEqual([1, 1, 1, 1]);
});

test("row 80: a gateway that never answers leaves a doubt when the time is up, and the next send goes on", async () => {
  const rule = { times: 1, when: { request: 1 }, do: "stall" } as const;
  const simulator = await start({ scenario: { rules: rule } });
  const client = connect(simulator, { answerTimeoutMs: 50 });
  expect(await sendAll(client, 3, [])).toMatchObject(
    new Array(3).fill({ kind: "indeterminate", cause: "timeout" }),
  );
  expect(await client.send({ deviceToken: tokenOf(9), payload })).toMatchObject({ kind: "accepted" });
});

test("row 80: an error that comes byte by byte is read as one", async () => {
  const simulator = await start({
    scenario: { rules: [{ on: "open", do: { segment: { bytes: 1 } } }, refuseDead] },
  });
  const outcomes = await sendAll(connect(simulator), 3, [2]);
  expect(kindsOf(outcomes)).toEqual(["accepted", "rejected", "accepted"]);
});

test("row 81: one bad notification fails alone, whatever is wrong with it", async () => {
  const simulator = await start();
  const client = connect(simulator);
  const sends = [tokenOf(1), tokenOf(2), tokenOf(3), tokenOf(4), tokenOf(5)].map((deviceToken, at) =>
    client.send({ deviceToken, payload: at === 2 ? "x".repeat(3000) : payload }),
  );
  const outcomes = await Promise.all(sends);
  expect(kindsOf(outcomes)).toEqual(["accepted", "accepted", "rejected", "accepted", "accepted"]);
  expect(outcomes[2]).toMatchObject({ reason: "PayloadTooLarge", status: 413 });
  expect(timesTaken(simulator)).toEqual([1, 1, 1, 1]);
});

test("row 82: feedback is told with its time, once; the second reader gets nothing; a broken reading says so", async () => {
  const simulator = await start();
  const client = connect(simulator);
  simulator.devices.unregister(tokenOf(2), 1_700_000_000_999);
  expect(kindsOf(await sendAll(client, 3, []))).toEqual(["accepted", "accepted", "accepted"]);
  const { feedbackPort: port, ca, credentials } = simulator;
  const options = { host: "localhost", port: port!, ca, credentials: credentials.certificate };
  const told: unknown[] = [];
  expect(await readFeedback(options, (device) => void told.push(device))).toEqual({
    kind: "complete",
    devices: 1,
  });
  expect(told).toEqual([{ deviceToken: tokenOf(2), goneSinceMs: 1_700_000_000_000 }]);
  expect(await readFeedback(options, () => void told.push("again"))).toEqual({
    kind: "complete",
    devices: 0,
  });
  const when = { protocol: "feedback" } as const;
  simulator.setScenario({
    rules: [
      { on: "open", when, do: { stall: { what: "writes" } } },
      { on: "time", atMs: 20, when, do: { close: { how: "rst" } } },
    ],
  });
  expect(await readFeedback(options, () => {})).toMatchObject({ kind: "broken-off", devices: 0 });
  const stranger = { ...options, ca: [] };
  expect(await readFeedback(stranger, () => {})).toMatchObject({
    ...{ kind: "unreachable", detail: expect.stringMatching(/self-signed certificate|unable to/) },
  });
});

test("row 83: identifiers are the connection's own, whatever else is sent on others at the same time", async () => {
  const simulator = await start({ scenario: { rules: refuseDead } });
  const one = connect(simulator);
  const other = connect(simulator);
  const [first, second] = await Promise.all([sendAll(one, 20, [7]), sendAll(other, 20, [13])]);
  expect(kindsOf(first!).indexOf("rejected")).toBe(6);
  expect(kindsOf(second!).indexOf("rejected")).toBe(12);
  const identifiers = simulator.history
    .find({ protocol: "binary" })
    .map(({ headers }) => Number(headers["binary-identifier"]));
  expect(Math.min(...identifiers)).toBe(1);
});

/** Lets a client's time pass until the simulator took so many. */
async function passUntil(clock: VirtualClock, simulator: Simulator, total: number): Promise<void> {
  for (let turns = 0; simulator.history.total < total && turns < 1_000_000; turns += 1) {
    clock.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(simulator.history.total).toBe(total);
}

test("silence is reported as what it is; an error names one, and those before it are proved", async () => {
  const clock = new VirtualClock();
  const simulator = await start({ scenario: { rules: refuseDead } });
  const client = connect(simulator, { clock, confirmation: "silence", silenceMs: 300_000 });
  const first = sendAll(client, 2, []);
  await passUntil(clock, simulator, 2);
  clock.advance(300_000);
  expect(await first).toMatchObject(new Array(2).fill({ kind: "indeterminate", cause: "timeout" }));
  const second = sendAll(client, 3, [2]);
  await passUntil(clock, simulator, 5);
  clock.advance(300_000);
  expect(kindsOf(await second)).toEqual(["accepted", "rejected", "indeterminate"]);
  // Kept open: one connection, and a second one behind the error.
  expect(simulator.connections.all).toHaveLength(2);
});

test("an idle connection may have died in silence: nothing is written on it any more", async () => {
  const clock = new VirtualClock();
  const simulator = await start();
  const client = connect(simulator, { clock, confirmation: "silence", silenceMs: 300_000 });
  const send = async (total: number): Promise<void> => {
    const sent = client.send({ deviceToken: tokenOf(total), payload });
    await passUntil(clock, simulator, total);
    clock.advance(300_000);
    await sent;
  };
  await send(1);
  await send(2);
  expect(simulator.connections.all).toHaveLength(1);
  clock.advance(600_000);
  await send(3);
  expect(simulator.connections.all).toHaveLength(2);
});

test("a certificate that is not believed is named, and nothing was written", async () => {
  const simulator = await start();
  const { binaryPort: port, credentials } = simulator;
  const client = new BinaryClient({
    ...{ host: "localhost", port, credentials: credentials.certificate, connectAttempts: 1 },
  });
  closers.push(() => client.close());
  expect(await client.send({ deviceToken: tokenOf(1), payload })).toMatchObject({
    ...{ kind: "unprocessed", cause: "not-written", attempts: 0 },
    detail: expect.stringMatching(/self-signed certificate|unable to/),
  });
});

test("closing settles what was sent first, and afterwards nothing is taken", async () => {
  const simulator = await start();
  const client = connect(simulator);
  const sent = sendAll(client, 10, []);
  await client.close();
  expect(kindsOf(await sent)).toEqual(new Array(10).fill("accepted"));
  await expect(client.send({ deviceToken: tokenOf(1), payload })).rejects.toMatchObject({ code: "closed" });
});
