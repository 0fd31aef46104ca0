/**
 * The fourteen faults with which other clients were measured (docs/faults.md has their results beside ours). 200
 * notifications are handed over at once, one device token each; the peer counts how often it acted on each token.
 */
import type { ApnsClient } from "@carillon/apns";
import { afterEach, describe, expect, test } from "vitest";
import { type PeerRequest, type PeerScript, RawPeer } from "../support/raw-peer.ts";
import {
  clientFor,
  countKinds,
  countProcessed,
  deviceToken,
  notification,
  sendAtOnce,
} from "../support/sending.ts";

const all = 200;
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(script: PeerScript, options: Parameters<typeof clientFor>[1] = {}) {
  const peer = await RawPeer.start(script);
  const client: ApnsClient = clientFor(peer, options);
  cleanUps.push(
    () => peer.close(),
    () => client.close({ deadlineMs: 0 }),
  );
  return { peer, client };
}

/** True the first time that a device token is asked about. */
function firstTime(): (request: PeerRequest) => boolean {
  const seen = new Set<string>();
  return ({ deviceToken: token }) => !seen.has(token) && seen.add(token).has(token);
}

describe("R1 to R6: nothing is lost when the server limits or leaves", () => {
  test("R1: a healthy server gets 200 over one connection", async () => {
    const { peer, client } = await start({});
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(countProcessed(peer)).toEqual({ 1: all });
    expect(peer.connections).toHaveLength(1);
  });

  test("R2: 10,000 handed over at once are all accepted", async () => {
    const { peer, client } = await start({});
    expect(countKinds(await sendAtOnce(client, 10_000))).toEqual({ accepted: 10_000 });
    expect(countProcessed(peer)).toEqual({ 1: 10_000 });
  });

  test("R3: GOAWAY in mid-flight: what is above its last stream goes out again, each once", async () => {
    const held: PeerRequest[] = [];
    const { peer, client } = await start({
      onConnection: (connection) => connection.settings([[3, 100]]),
      onRequest: (request) => {
        if (request.connection.ordinal > 1) return request.connection.answer(request);
        held.push(request);
        if (held.length < 100) return;
        const median = held[49]?.stream ?? 0;
        request.connection.goaway(median);
        for (const each of held) if (each.stream <= median) each.connection.answer(each);
      },
    });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(countProcessed(peer)).toEqual({ 1: all });
  });

  test("R4: REFUSED_STREAM on every first try: each is sent again and processed once", async () => {
    const isFirst = firstTime();
    const { peer, client } = await start({
      onRequest: (request) =>
        isFirst(request) ? request.connection.reset(request.stream, 7) : request.connection.answer(request),
    });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(countProcessed(peer)).toEqual({ 1: all });
  });

  test("R5: a stream limit of 1 from the start fails nothing and is never exceeded", async () => {
    const { peer, client } = await start({ onConnection: (connection) => connection.settings([[3, 1]]) });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(Math.max(...peer.connections.map((each) => each.mostOpen))).toBe(1);
  });

  test("R6: a limit lowered to 1 in mid-flight fails nothing", async () => {
    const held: PeerRequest[] = [];
    const { peer, client } = await start({
      onConnection: (connection) => connection.settings([[3, 100]]),
      onRequest: (request) => {
        if (peer.requests > 100) return request.connection.answer(request);
        held.push(request);
        if (peer.requests < 100) return;
        for (const connection of peer.connections) connection.settings([[3, 1]]);
        for (const each of held.splice(0)) each.connection.answer(each);
      },
    });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(countProcessed(peer)).toEqual({ 1: all });
  });
});

describe("R7 to R10: answers that ask for another try get one", () => {
  test("R7: ExpiredProviderToken to all in flight costs exactly one new provider token", async () => {
    let expired: string | undefined;
    const { peer, client } = await start({
      onRequest: (request) => {
        const authorization = request.headers.get("authorization");
        expired ??= authorization;
        if (authorization === expired)
          request.connection.answer(request, 403, { reason: "ExpiredProviderToken" });
        else request.connection.answer(request);
      },
    });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(peer.providerTokens.size).toBe(2);
    expect(countProcessed(peer)).toEqual({ 1: all });
  });

  test.each([
    ["R8: 503", 503, "ServiceUnavailable"],
    ["R9: 429", 429, "TooManyRequests"],
  ])("%s with Retry-After: 2 is tried again, and not before two seconds", async (_, status, reason) => {
    const refusedAt = new Map<string, number>();
    const waits: number[] = [];
    const { peer, client } = await start({
      onRequest: (request) => {
        const before = refusedAt.get(request.deviceToken);
        if (before !== undefined) {
          waits.push(performance.now() - before);
          return request.connection.answer(request);
        }
        refusedAt.set(request.deviceToken, performance.now());
        request.connection.answer(request, status, { reason }, ["retry-after", "2"]);
      },
    });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(countProcessed(peer)).toEqual({ 1: all });
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(2000);
  });

  test("R10: 500 on the first try: tried again on another connection", async () => {
    const isFirst = firstTime();
    const { peer, client } = await start({
      onRequest: (request) =>
        isFirst(request)
          ? request.connection.answer(request, 500, { reason: "InternalServerError" })
          : request.connection.answer(request),
    });
    expect(countKinds(await sendAtOnce(client, all))).toEqual({ accepted: all });
    expect(countProcessed(peer)).toEqual({ 1: all });
    expect(peer.connections.length).toBeGreaterThan(1);
  });
});

describe("R11 to R14: silence is reported as silence", () => {
  function resetHalfProcessed(): PeerScript {
    const held: PeerRequest[] = [];
    return {
      onRequest: (request) => {
        if (request.connection.ordinal > 1) return request.connection.answer(request);
        held.push(request);
        if (held.length < all) return;
        for (const each of held.slice(0, all / 2)) request.connection.peer.process(each);
        request.connection.resetTcp();
      },
    };
  }

  test("R11: a reset with all in flight is indeterminate for at-most-once, and nothing is sent twice", async () => {
    const { peer, client } = await start(resetHalfProcessed());
    const outcomes = await sendAtOnce(client, all, { delivery: "at-most-once" });
    expect(countKinds(outcomes)).toEqual({ indeterminate: all });
    expect(countProcessed(peer)).toEqual({ 1: all / 2 });
  });

  test("R11: with at-least-once all are sent again, under the same apns-id", async () => {
    const { peer, client } = await start(resetHalfProcessed());
    expect(countKinds(await sendAtOnce(client, all, { delivery: "at-least-once" }))).toEqual({
      accepted: all,
    });
    expect(countProcessed(peer)).toEqual({ 1: all / 2, 2: all / 2 });
    for (const ids of peer.apnsIds.values()) expect(new Set(ids).size).toBe(1);
  });

  test("R12: a peer that answers nothing is noticed within 10 s, and the next send works within 1 s", async () => {
    const { peer, client } = await start({
      onRequest: (request) => {
        if (request.connection.ordinal > 1) request.connection.answer(request);
        else request.connection.blackHole();
      },
    });
    const started = performance.now();
    const outcomes = await sendAtOnce(client, 50, { delivery: "at-most-once" });
    expect(performance.now() - started).toBeLessThan(10_500);
    const { accepted = 0, indeterminate = 0 } = countKinds(outcomes);
    expect(accepted + indeterminate).toBe(50);
    expect(indeterminate).toBeGreaterThan(0);
    const healed = performance.now();
    expect((await client.send(notification(all))).kind).toBe("accepted");
    expect(performance.now() - healed).toBeLessThan(1_500);
    expect(peer.connections.length).toBeGreaterThan(1);
  });

  test("R13: an HTML body with status 400 is an answer, not a crash", async () => {
    const { client } = await start({
      onRequest: (request) => request.connection.answer(request, 400, "<html>Bad Request</html>"),
    });
    const outcomes = await sendAtOnce(client, all);
    expect(countKinds(outcomes)).toEqual({ unrecognized: all });
    expect(outcomes[0]).toMatchObject({ status: 400 });
  });

  test("R14: every further try carries the same apns-id", async () => {
    const isFirst = firstTime();
    const { peer, client } = await start({
      onRequest: (request) =>
        isFirst(request) ? request.connection.reset(request.stream, 7) : request.connection.answer(request),
    });
    await sendAtOnce(client, all);
    expect(peer.apnsIds.size).toBe(all);
    for (let each = 0; each < all; each += 1) {
      const ids = peer.apnsIds.get(deviceToken(each)) ?? [];
      expect(ids.length).toBeGreaterThan(1);
      expect(new Set(ids).size).toBe(1);
    }
  });
});
