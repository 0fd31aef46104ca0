/** What the owner of a client is told beside the outcomes, and how sends are given up. */
import type { ClientEvent } from "@carillon/apns";
import { expect, test } from "vitest";
import { quick, start } from "../support/faults.ts";
import type { PeerRequest } from "../support/raw-peer.ts";
import { countKinds, notification, sendAtOnce } from "../support/sending.ts";

const resetFrame = 3;

test("connections that open, take their leave and end are told, with reasons", async () => {
  const events: ClientEvent[] = [];
  const { peer, client } = await start({}, { onEvent: (event) => events.push(event) });
  await client.send(notification(1));
  peer.connections[0]?.goaway(1, 0, '{"reason":"IdleTimeout"}');
  await peer.until(() => peer.connections[0]?.closed === true, "the end of the connection");
  await client.send(notification(2));
  await client.close();
  expect(events).toEqual([
    { kind: "connection-opened", number: 1, remoteAddress: "127.0.0.1", streamLimit: 1000 },
    { kind: "goaway", code: 0, lastStreamId: 1, reason: '{"reason":"IdleTimeout"}' },
    expect.objectContaining({ kind: "connection-ended", cause: "retired", answers: 1 }),
    expect.objectContaining({ kind: "connection-opened" }),
    expect.objectContaining({ kind: "connection-ended", cause: "retired", detail: "the client was closed" }),
  ]);
});

test("a refused credential is told once, and again after something was accepted", async () => {
  let isRevoked = true;
  const events: ClientEvent[] = [];
  const { client } = await start(
    {
      onRequest: (request) =>
        isRevoked
          ? request.connection.answer(request, 403, { reason: "InvalidProviderToken" })
          : request.connection.answer(request),
    },
    { onEvent: (event) => event.kind === "credential-refused" && events.push(event) },
  );
  expect(countKinds(await sendAtOnce(client, 100))).toEqual({ rejected: 100 });
  expect(events).toEqual([{ kind: "credential-refused", status: 403, reason: "InvalidProviderToken" }]);
  isRevoked = false;
  await client.send(notification(1));
  isRevoked = true;
  await client.send(notification(2));
  expect(events).toHaveLength(2);
});

test("a listener that throws harms nothing and is named in the log", async () => {
  const warnings: string[] = [];
  const { client } = await start(
    {},
    {
      onEvent: () => {
        throw new Error("not today");
      },
      logger: { info: () => undefined, warn: (text) => warnings.push(text) },
    },
  );
  expect((await client.send(notification(1))).kind).toBe("accepted");
  expect(warnings).toEqual(["onEvent threw: not today"]);
});

test("a signal that has fired, fires in the queue, in flight or in a wait gives up exactly that send", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start(
    {
      onConnection: (connection) => connection.settings([[3, 1]]),
      onRequest: (request) => {
        if (Number.parseInt(request.deviceToken, 16) !== 3) held.push(request);
        else request.connection.answer(request, 503, { reason: "ServiceUnavailable" }, ["retry-after", "30"]);
      },
    },
    { ...quick, maxConnections: 1 },
  );
  const inWait = new AbortController();
  const waiting = client.send(notification(3), { signal: inWait.signal });
  while (client.snapshot().delayed === 0) await new Promise(setImmediate);
  const inFlight = new AbortController();
  const sent = client.send(notification(1), { signal: inFlight.signal });
  await peer.until(() => held.length === 1, "the request");
  const inQueue = new AbortController();
  const queued = client.send(notification(2), { signal: inQueue.signal });
  const next = client.send(notification(4));

  expect(await client.send(notification(5), { signal: AbortSignal.abort() })).toMatchObject({
    kind: "unprocessed",
  });
  inQueue.abort();
  expect(await queued).toMatchObject({ kind: "unprocessed", cause: "not-written", attempts: 0 });
  inWait.abort();
  expect(await waiting).toMatchObject({ kind: "unprocessed", attempts: 1 });
  inFlight.abort();
  expect(await sent).toMatchObject({ kind: "indeterminate", detail: "the caller gave up" });
  await peer.until(() => held.length === 2, "the next request in the freed stream");
  held[1]?.connection.answer(held[1]);
  expect((await next).kind).toBe("accepted");
  expect(peer.connections[0]?.frames.filter(({ type }) => type === resetFrame)).toHaveLength(1);
  expect(client.snapshot()).toMatchObject({ queued: 0, delayed: 0, inFlight: 0 });
});
