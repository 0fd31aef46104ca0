/** Rows 28 to 38 and 42 of docs/faults.md: what a server allows is kept to, and what waits for it is bounded. */
import { expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { quick, start, turns } from "../support/faults.ts";
import type { PeerConnection, PeerRequest } from "../support/raw-peer.ts";
import { countKinds, countProcessed, notification, sendAtOnce } from "../support/sending.ts";

const settingsFrame = 4;
const maxConcurrentStreams = 3;

test.each([1, 10, 1000])(
  "row 28: a limit of %i that comes late is never exceeded, and nothing is opened before it",
  async (limit) => {
    const { peer, client } = await start(
      {
        onConnection: (connection) => {
          connection.acknowledges = false;
        },
      },
      { maxConnections: 1 },
    );
    const sending = sendAtOnce(client, 500);
    await peer.until(() => (peer.connections[0]?.frames.length ?? 0) >= 2, "the client's SETTINGS");
    await turns(50);
    expect(peer.requests).toBe(0);
    peer.connections[0]?.settings([[maxConcurrentStreams, limit]]);
    expect(countKinds(await sending)).toEqual({ accepted: 500 });
    expect(Math.max(...peer.connections.map(({ mostOpen }) => mostOpen))).toBeLessThanOrEqual(limit);
    expect(countProcessed(peer)).toEqual({ 1: 500 });
  },
);

test("row 29: a limit that falls to 1 after a rejection and rises after an accepted push is followed every time", async () => {
  const limits = new Map<PeerConnection, number>();
  const violations: string[] = [];
  const lower = (connection: PeerConnection, limit: number): void => {
    if (limits.get(connection) === limit) return;
    limits.set(connection, limit);
    connection.settings([[maxConcurrentStreams, limit]]);
  };
  const { peer, client } = await start(
    {
      onConnection: (connection) => lower(connection, 50),
      onRequest: (request) => {
        const { connection } = request;
        const acknowledged = connection.frames.filter(
          ({ type, flags }) => type === settingsFrame && flags === 1,
        );
        if (limits.get(connection) === 1 && acknowledged.length === settingsSent && connection.open.size > 1)
          violations.push(`${connection.open.size} open`);
        setImmediate(() => {
          const isBad = Number.parseInt(request.deviceToken, 16) % 20 === 0;
          if (isBad) connection.answer(request, 400, { reason: "BadDeviceToken" });
          else connection.answer(request);
          const before = limits.get(connection);
          lower(connection, isBad ? 1 : 50);
          if (before !== limits.get(connection)) settingsSent += 1;
        });
      },
    },
    { maxConnections: 1 },
  );
  let settingsSent = 1;
  expect(countKinds(await sendAtOnce(client, 1000))).toEqual({ accepted: 950, rejected: 50 });
  expect(violations).toEqual([]);
  expect(countProcessed(peer)).toEqual({ 1: 950 });
});

test("row 30: a connection with a limit of 0 is passed by, and used once it may be", async () => {
  const { peer, client } = await start({
    onConnection: (connection) =>
      connection.settings([[maxConcurrentStreams, connection.ordinal === 1 ? 0 : 100]]),
  });
  expect(countKinds(await sendAtOnce(client, 200))).toEqual({ accepted: 200 });
  const [first, second] = peer.connections;
  expect([first?.requests, second?.requests]).toEqual([0, 200]);
  first?.settings([[maxConcurrentStreams, 100]]);
  second?.goaway(0x7fff_ffff);
  await peer.until(() => second?.closed === true, "the end of the second connection");
  expect(countKinds(await sendAtOnce(client, 100, {}, 200))).toEqual({ accepted: 100 });
  expect([first?.requests, peer.connections.length]).toEqual([100, 2]);
});

test("row 30: a server that allows no stream at all is tried at the pace of failures", async () => {
  const clock = new FakeClock();
  let tell = (): void => {};
  const opened = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const { peer, client } = await start(
    { onConnection: (connection) => connection.settings([[maxConcurrentStreams, 0]]) },
    {
      clock,
      random: () => 0.5,
      deadlineMs: 12_000,
      onEvent: ({ kind }) => {
        if (kind === "connection-opened") tell();
      },
    },
  );
  const sending = sendAtOnce(client, 20);
  await opened;
  for (let passed = 0; passed < 10_000; passed += 100) {
    await turns();
    clock.advance(100);
  }
  await peer.until(() => peer.connections.length > 1, "a second connection");
  expect(peer.connections.length).toBeLessThan(10);
  clock.advance(3000);
  expect(countKinds(await sending)).toEqual({ unprocessed: 20 });
});

test("row 31: REFUSED_STREAM followed by a second reset of the same stream is one refusal and one retry", async () => {
  const tries = new Map<string, number>();
  const { peer, client } = await start({
    onRequest: (request) => {
      const { connection, stream, deviceToken } = request;
      tries.set(deviceToken, (tries.get(deviceToken) ?? 0) + 1);
      if (tries.get(deviceToken) !== 1) return connection.answer(request);
      connection.reset(stream, 7);
      connection.reset(stream, 5);
    },
  });
  expect(countKinds(await sendAtOnce(client, 200))).toEqual({ accepted: 200 });
  expect([...tries.values()].every((count) => count === 2)).toBe(true);
  expect(countProcessed(peer)).toEqual({ 1: 200 });
});

test("row 32: a connection whose stream ids run out is replaced, and nothing is lost", async () => {
  const { peer, client } = await start({}, { firstStreamId: 0x7fff_ffff - 98 });
  expect(countKinds(await sendAtOnce(client, 200))).toEqual({ accepted: 200 });
  expect(countProcessed(peer)).toEqual({ 1: 200 });
  expect(peer.connections.map(({ requests }) => requests)).toEqual([50, 50, 50, 50]);
  await peer.until(() => peer.connections.every(({ closed }) => closed), "the end of used-up connections");
});

test("row 33: however requests end, their streams are freed", async () => {
  const { peer, client } = await start(
    {
      onConnection: (connection) => connection.settings([[maxConcurrentStreams, 20]]),
      onRequest: (request) => {
        const { connection, stream } = request;
        switch (peer.requests % 10) {
          case 1:
            return connection.reset(stream, 8);
          case 2:
            return connection.reset(stream, 7);
          case 3:
            return connection.answer(request, 400, { reason: "BadDeviceToken" });
          default:
            return connection.answer(request);
        }
      },
    },
    { ...quick, maxConnections: 1 },
  );
  const outcomes = await sendAtOnce(client, 5000, { delivery: "at-most-once" });
  expect(outcomes).toHaveLength(5000);
  await turns();
  expect(client.snapshot().connections.map(({ openStreams }) => openStreams)).toEqual([0]);
});

test("rows 34 and 35: 15,000 handed over at once go through one connection, without one error", async () => {
  const { peer, client } = await start({}, { maxConnections: 1 });
  expect(countKinds(await sendAtOnce(client, 15_000))).toEqual({ accepted: 15_000 });
  expect(countProcessed(peer)).toEqual({ 1: 15_000 });
  expect(peer.connections).toHaveLength(1);
});

test("row 37: a thousand sends that share an AbortSignal add one listener, and leave none", async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warn);
  const { client } = await start();
  const { signal } = new AbortController();
  let listeners = 0;
  let most = 0;
  const count = (by: number) => {
    listeners += by;
    most = Math.max(most, listeners);
  };
  const { addEventListener: add, removeEventListener: remove } = AbortSignal.prototype;
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count(1);
    add.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count(-1);
    remove.apply(signal, args);
  };
  const sending = Array.from({ length: 1000 }, (_, each) => client.send(notification(each), { signal }));
  expect(countKinds(await Promise.all(sending))).toEqual({ accepted: 1000 });
  process.off("warning", warn);
  expect([most, listeners, warnings]).toEqual([1, 0, []]);
});

test("row 38: more than may be outstanding is told so at once, and the rest is not disturbed", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start(
    { onRequest: (request) => void held.push(request) },
    { maxOutstanding: 100 },
  );
  const sending = sendAtOnce(client, 150);
  await peer.until(() => held.length === 100, "the hundred");
  const refused = await Promise.all(
    Array.from({ length: 50 }, (_, each) => client.send(notification(150 + each))),
  );
  expect(countKinds(refused)).toEqual({ unprocessed: 50 });
  expect(refused[0]).toMatchObject({
    attempts: 0,
    detail: expect.stringMatching(/100 sends are outstanding/),
  });
  for (const request of held) request.connection.answer(request);
  expect(countKinds(await sending)).toEqual({ accepted: 100, unprocessed: 50 });
});

test("row 42: the connection's window is used to the last whole payload, and what is given back goes out at once", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start(
    {
      onConnection: (connection) => {
        connection.givesCredit = false;
        connection.settings([[maxConcurrentStreams, 1000]]);
      },
      onRequest: (request) => void held.push(request),
    },
    { maxConnections: 1 },
  );
  const payload = Buffer.from(JSON.stringify({ aps: { alert: "x".repeat(4070) } }));
  const sending = Array.from({ length: 100 }, (_, each) => client.send(notification(each, { payload })));
  const inWindow = Math.floor(65_535 / payload.length);
  await peer.until(() => held.length === inWindow, "a window full");
  for (let next = inWindow + 1; next <= 100; next += 1) {
    peer.connections[0]?.windowUpdate(0, payload.length);
    await peer.until(() => held.length === next, "one more for one more payload of window");
  }
  for (const request of held) request.connection.answer(request);
  expect(countKinds(await Promise.all(sending))).toEqual({ accepted: 100 });
});
