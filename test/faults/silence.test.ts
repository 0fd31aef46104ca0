/** Rows 9 to 14 and 39 to 41 of docs/faults.md: a peer that says nothing, too late, or not to everybody. */
import { expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { openClient, quick, start, startPeer, stopAfterTest, turns } from "../support/faults.ts";
import type { PeerRequest } from "../support/raw-peer.ts";
import { countKinds, countProcessed, notification, sendAtOnce } from "../support/sending.ts";

const resetFrame = 3;

test("row 9: a black hole is noticed within 10 s, what was in it is unknown, and the next send is on a new connection", async () => {
  const clock = new FakeClock();
  const { peer, client } = await start(
    {
      onRequest: (request) => {
        if (peer.requests === 1 || request.connection.ordinal > 1) return request.connection.answer(request);
        if (peer.requests === 51) request.connection.blackHole();
      },
    },
    { clock },
  );
  await client.send(notification(51));
  const sending = sendAtOnce(client, 50, { delivery: "at-most-once" });
  await peer.until(() => peer.requests === 51, "all requests");
  clock.advance(10_000);
  expect(countKinds(await sending)).toEqual({ indeterminate: 50 });
  expect((await client.send(notification(50))).kind).toBe("accepted");
  expect(peer.connections).toHaveLength(2);
});

test("row 10: a peer that answers PING and no request is given up after one timeout; later sends succeed", async () => {
  const clock = new FakeClock();
  const { peer, client } = await start(
    { onRequest: (request) => request.connection.ordinal > 1 && request.connection.answer(request) },
    { clock, requestTimeoutMs: 1000, pingAfterMs: 5000 },
  );
  const lost = client.send(notification(0, { delivery: "at-most-once" }));
  await peer.until(() => peer.requests === 1, "the request");
  clock.advance(2000);
  expect(await lost).toMatchObject({ kind: "indeterminate", cause: "timeout" });
  for (let each = 1; each <= 12; each += 1)
    expect((await client.send(notification(each))).kind).toBe("accepted");
  expect(peer.connections).toHaveLength(2);
});

test("row 11: the socket to a dead peer is closed with the verdict, not after a graceful end that never comes", async () => {
  const peer = await startPeer({ onRequest: (request) => request.connection.answer(request) });
  const proxy = await FaultProxy.start(peer.port);
  stopAfterTest(() => proxy.close());
  const client = openClient(peer, { ...quick, endpoint: proxy.endpoint });
  await client.send(notification(0));
  const [flow] = proxy.flows;
  proxy.silence();
  const closed = new Promise<void>((resolve) => flow?.client.once("close", () => resolve()));
  expect((await client.send(notification(1))).kind).toBe("accepted");
  await closed;
  expect(client.snapshot().connections).toHaveLength(1);
});

test("row 12: late PINGs end nothing while answers flow, and only one is under way at a time", async () => {
  const clock = new FakeClock();
  const pings: Buffer[] = [];
  const held: PeerRequest[] = [];
  const { peer, client } = await start(
    {
      onPing: (_connection, opaque) => void pings.push(opaque),
      onRequest: (request) => {
        if (peer.requests === 1) held.push(request);
        else request.connection.answer(request);
      },
    },
    { clock, pingAfterMs: 1000, pingTimeoutMs: 1000, requestTimeoutMs: 600_000, deadlineMs: 3_600_000 },
  );
  const slow = client.send(notification(0));
  await peer.until(() => held.length === 1, "the slow request");
  for (let round = 1; round <= 60; round += 1) {
    clock.advance(1400);
    await peer.until(() => pings.length === round, "a PING");
    expect((await client.send(notification(round))).kind).toBe("accepted");
    clock.advance(600);
    held[0]?.connection.ping(pings[round - 1] as Buffer, 1);
    await turns();
  }
  held[0]?.connection.answer(held[0]);
  expect((await slow).kind).toBe("accepted");
  expect(peer.connections).toHaveLength(1);
});

test("row 13: an idle connection gets one PING an interval, a busy one none", async () => {
  const clock = new FakeClock();
  const { peer, client } = await start({}, { clock, idlePingMs: 60_000 });
  for (let each = 0; each < 100; each += 1) {
    await client.send(notification(each));
    clock.advance(2000);
  }
  expect(peer.pings).toBe(0);
  for (let interval = 1; interval <= 10; interval += 1) {
    clock.advance(62_000);
    await peer.until(() => peer.pings === interval, "the PING of this interval");
    await turns();
  }
  expect([peer.pings, peer.connections.length]).toEqual([10, 1]);
});

test("row 14: a path that was forgotten while idle costs the next send a moment, not its life", async () => {
  const peer = await startPeer();
  const proxy = await FaultProxy.start(peer.port);
  stopAfterTest(() => proxy.close());
  const client = openClient(peer, { ...quick, endpoint: proxy.endpoint });
  await client.send(notification(0));
  proxy.silence();
  expect(countKinds(await sendAtOnce(client, 20, {}, 1))).toEqual({ accepted: 20 });
  expect(countProcessed(peer)).toEqual({ 1: 21 });
});

test("row 39: requests that are never answered end unknown at their deadline; the others do not wait for them", async () => {
  const clock = new FakeClock();
  const { peer, client } = await start(
    { onRequest: (request) => peer.requests % 100 !== 0 && request.connection.answer(request) },
    { clock },
  );
  const settled = new Set<number>();
  const sending = Array.from({ length: 1000 }, (_, each) =>
    client.send(notification(each, { delivery: "at-most-once" })).then((outcome) => {
      settled.add(each);
      return outcome;
    }),
  );
  await peer.until(() => peer.requests === 1000, "all requests");
  while (settled.size < 990) await turns(1);
  clock.advance(25_000);
  expect(countKinds(await Promise.all(sending))).toEqual({ accepted: 990, indeterminate: 10 });
});

test("row 40: a request that timed out frees its stream: a thousand of them do not block the next", async () => {
  const clock = new FakeClock();
  const { peer, client } = await start(
    {
      onConnection: (connection) => connection.settings([[3, 100]]),
      onRequest: (request) =>
        (peer.requests > 1000 || peer.requests % 100 === 0) && request.connection.answer(request),
    },
    { clock, requestTimeoutMs: 1000, pingAfterMs: 600_000, deadlineMs: 3_600_000, maxConnections: 1 },
  );
  const lost = sendAtOnce(client, 1000, { delivery: "at-most-once" });
  for (let wave = 1; wave <= 10; wave += 1) {
    await peer.until(() => peer.requests >= wave * 100, "a wave of 100");
    await turns();
    clock.advance(1300);
  }
  expect(countKinds(await lost)).toEqual({ accepted: 10, indeterminate: 990 });
  expect((await client.send(notification(1000))).kind).toBe("accepted");
  const resets = peer.connections.flatMap(({ frames }) => frames.filter(({ type }) => type === resetFrame));
  expect([resets.length, peer.connections.length]).toEqual([990, 1]);
});

test("row 41: an answer that comes after its timeout harms nobody", async () => {
  const clock = new FakeClock();
  const held: PeerRequest[] = [];
  const { peer, client } = await start(
    {
      onRequest: (request) => {
        if (peer.requests % 2 === 1) held.push(request);
        else request.connection.answer(request);
      },
    },
    { clock, requestTimeoutMs: 2000 },
  );
  const sending = sendAtOnce(client, 100, { delivery: "at-most-once" });
  await peer.until(() => peer.requests === 100, "all requests");
  await turns(50);
  clock.advance(2500);
  for (const request of held) request.connection.answer(request, 410, { reason: "Unregistered" });
  expect(countKinds(await sending)).toEqual({ accepted: 50, indeterminate: 50 });
  peer.script = {};
  expect(countKinds(await sendAtOnce(client, 100, {}, 100))).toEqual({ accepted: 100 });
  expect(client.snapshot()).toMatchObject({ inFlight: 0, queued: 0, delayed: 0 });
});
