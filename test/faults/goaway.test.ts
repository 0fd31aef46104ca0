/** Rows 1 to 8, 26 and 27 of docs/faults.md: a server takes its leave, and nothing is lost, doubled or kept for ever. */
import { expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { firstTime, quick, start } from "../support/faults.ts";
import type { PeerRequest } from "../support/raw-peer.ts";
import { countKinds, countProcessed, notification, sendAtOnce } from "../support/sending.ts";

const goawayFrame = 7;
const anyStream = 0x7fff_ffff;
/** With it a request that is wrongly held for unknown is not sent again, and shows. */
const once = { delivery: "at-most-once" } as const;

test("row 1: GOAWAY on an idle connection whose TCP stays open: the next 1,000 go over a new one", async () => {
  const { peer, client } = await start();
  await client.send(notification(0));
  const [first] = peer.connections;
  first?.goaway(1);
  await peer.until(
    () => first?.frames.some(({ type }) => type === goawayFrame) === true,
    "the client's GOAWAY",
  );
  expect(countKinds(await sendAtOnce(client, 1000, {}, 1))).toEqual({ accepted: 1000 });
  expect([first?.requests, peer.connections.length]).toEqual([1, 2]);
});

test("row 2: streams up to the last id are answered on the old connection, those above go out again, each once", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start({
    onRequest: (request) => {
      if (request.connection.ordinal > 1) return request.connection.answer(request);
      held.push(request);
      if (held.length === 500) request.connection.goaway(held[249]?.stream ?? 0);
    },
  });
  const sending = sendAtOnce(client, 500, once);
  await peer.until(() => peer.requests === 750, "the upper half on a second connection");
  for (const request of held.slice(0, 250)) request.connection.answer(request);
  expect(countKinds(await sending)).toEqual({ accepted: 500 });
  expect(countProcessed(peer)).toEqual({ 1: 500 });
});

test("row 3: a shutdown in two phases loses nothing in the gap", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start({
    onRequest: (request) => {
      if (request.connection.ordinal > 1) return request.connection.answer(request);
      held.push(request);
      if (held.length === 500) request.connection.goaway(anyStream);
    },
  });
  const sending = sendAtOnce(client, 500, once);
  const [first] = await peer.until(() => held.length === 500, "all requests").then(() => peer.connections);
  await peer.until(
    () => first?.frames.some(({ type }) => type === goawayFrame) === true,
    "the client's GOAWAY",
  );
  first?.goaway(held[299]?.stream ?? 0);
  for (const request of held.slice(0, 300)) request.connection.answer(request);
  first?.tls.end();
  expect(countKinds(await sending)).toEqual({ accepted: 500 });
  expect(countProcessed(peer)).toEqual({ 1: 500 });
});

test("row 4: after GOAWAY a new connection carries on at once, while the old one still owes answers", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start({
    onRequest: (request) => {
      if (request.connection.ordinal > 1) return request.connection.answer(request);
      held.push(request);
    },
  });
  const owed = sendAtOnce(client, 10);
  await peer.until(() => held.length === 10, "the first ten");
  held[0]?.connection.goaway(held[9]?.stream ?? 0);
  expect(countKinds(await sendAtOnce(client, 1000, {}, 10))).toEqual({ accepted: 1000 });
  expect(held[0]?.connection.closed).toBe(false);
  for (const request of held) request.connection.answer(request);
  expect(countKinds(await owed)).toEqual({ accepted: 10 });
  await peer.until(() => held[0]?.connection.closed === true, "the old connection's end");
});

test("row 5: what waits behind a stream limit of 10 is not touched by GOAWAY", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start({
    onConnection: (connection) => connection.settings([[3, connection.ordinal === 1 ? 10 : 1000]]),
    onRequest: (request) => {
      if (request.connection.ordinal > 1) return request.connection.answer(request);
      held.push(request);
      if (held.length < 10) return;
      request.connection.goaway(request.stream);
      for (const each of held) each.connection.answer(each);
    },
  });
  expect(countKinds(await sendAtOnce(client, 1000, once))).toEqual({ accepted: 1000 });
  expect(countProcessed(peer)).toEqual({ 1: 1000 });
  expect(peer.connections.map((each) => each.requests)).toEqual([10, 990]);
});

test("row 6: GOAWAY(0) on every connection makes no storm of connections, and fails nothing", async () => {
  const { peer, client } = await start({
    onRequest: (request) => {
      if (request.connection.ordinal > 4) request.connection.answer(request);
      else if (!request.connection.closed) request.connection.goaway(0);
    },
  });
  expect(countKinds(await sendAtOnce(client, 200, once))).toEqual({ accepted: 200 });
  expect(countProcessed(peer)).toEqual({ 1: 200 });
  // How the attempts lie in time is the promise of reconnection.test.ts.
  expect(peer.connections).toHaveLength(5);
});

test("row 7: a hundred connections that took their leave while idle leave nothing behind", async () => {
  const { peer, client } = await start({
    onRequest: (request) => {
      request.connection.answer(request);
      request.connection.goaway(request.stream);
    },
  });
  for (let round = 0; round < 100; round += 1) {
    expect((await client.send(notification(round))).kind).toBe("accepted");
    await peer.until(() => peer.connections.at(-1)?.closed === true, "the end of an idle connection");
  }
  expect(peer.connections).toHaveLength(100);
  expect(client.snapshot().connections.filter(({ phase }) => phase !== "closed").length).toBeLessThanOrEqual(
    2,
  );
});

test("row 8: a connection that drains is sent no PING, however long the answers take", async () => {
  const held: PeerRequest[] = [];
  const clock = new FakeClock();
  const { peer, client } = await start(
    { onRequest: (request) => void held.push(request), onPing: () => undefined },
    { clock, pingAfterMs: 1000, pingTimeoutMs: 1000 },
  );
  const sending = sendAtOnce(client, 50);
  await peer.until(() => held.length === 50, "all requests");
  const [first] = peer.connections;
  first?.goaway(held[49]?.stream ?? 0);
  await peer.until(
    () => first?.frames.some(({ type }) => type === goawayFrame) === true,
    "the client's GOAWAY",
  );
  clock.advance(9000);
  for (const request of held) request.connection.answer(request);
  expect(countKinds(await sending)).toEqual({ accepted: 50 });
  expect([peer.pings, peer.connections.length]).toEqual([0, 1]);
});

test("row 26: the client's own GOAWAY names stream 0 as the last, since a server opens none", async () => {
  const { peer, client } = await start();
  await sendAtOnce(client, 5);
  await client.close();
  const [connection] = peer.connections;
  await peer.until(() => connection?.closed === true, "the end of the connection");
  const goaways = connection?.frames.filter(({ type }) => type === goawayFrame) ?? [];
  expect(goaways.map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)])).toEqual([[0, 0]]);
});

test("row 27: a connection that the client retires ends with GOAWAY first, and then TCP", async () => {
  const isFirst = firstTime();
  const { peer, client } = await start(
    {
      onRequest: (request) =>
        isFirst(request)
          ? request.connection.answer(request, 500, { reason: "InternalServerError" })
          : request.connection.answer(request),
    },
    quick,
  );
  expect((await client.send(notification(1))).kind).toBe("accepted");
  await peer.until(() => peer.connections[0]?.closed === true, "the retired connection's end");
  expect(peer.connections[0]?.frames.at(-1)?.type).toBe(goawayFrame);
});
