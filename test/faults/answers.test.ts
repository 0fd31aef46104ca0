/** Rows 55, 60, 64, 65 and 67 to 74 of docs/faults.md: what APNs says, and what is made of it. */
import { ApnsError, type RejectionReason, rejectionReasons } from "@carillon/apns";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { firstTime, quick, start, turns } from "../support/faults.ts";
import type { PeerRequest } from "../support/raw-peer.ts";
import { countKinds, countProcessed, deviceToken, notification, sendAtOnce } from "../support/sending.ts";

describe("provider tokens", () => {
  test("row 55: a thousand answers of ExpiredProviderToken, one by one, cost one new provider token", async () => {
    let expired: string | undefined;
    const { peer, client } = await start({
      onRequest: (request) => {
        const authorization = request.headers.get("authorization");
        expired ??= authorization;
        if (authorization !== expired) request.connection.answer(request);
        else setImmediate(() => request.connection.answer(request, 403, { reason: "ExpiredProviderToken" }));
      },
    });
    const outcomes = await sendAtOnce(client, 1000);
    expect(countKinds(outcomes)).toEqual({ accepted: 1000 });
    expect(Math.max(...outcomes.map(({ attempts }) => attempts))).toBeLessThanOrEqual(2);
    expect([peer.providerTokens.size, countProcessed(peer)]).toEqual([2, { 1: 1000 }]);
  });

  test("row 55: a server that calls every provider token expired is told twice, and the owner once", async () => {
    const events: string[] = [];
    const { peer, client } = await start(
      { onRequest: (request) => request.connection.answer(request, 403, { reason: "ExpiredProviderToken" }) },
      { onEvent: (event) => event.kind === "credential-refused" && events.push(event.reason) },
    );
    const outcomes = await sendAtOnce(client, 200);
    expect(countKinds(outcomes)).toEqual({ rejected: 200 });
    expect(Math.max(...outcomes.map(({ attempts }) => attempts))).toBeLessThanOrEqual(2);
    expect([peer.providerTokens.size, events]).toEqual([2, ["ExpiredProviderToken"]]);
    expect(peer.connections.length).toBeLessThanOrEqual(3);
  });

  test("row 60: a notification that took two tries is one accepted notification of two attempts", async () => {
    const isFirst = firstTime();
    const { client } = await start(
      {
        onRequest: (request) =>
          isFirst(request)
            ? request.connection.answer(request, 503, { reason: "ServiceUnavailable" })
            : request.connection.answer(request),
      },
      quick,
    );
    const outcomes = await sendAtOnce(client, 100);
    expect(countKinds(outcomes)).toEqual({ accepted: 100 });
    expect(outcomes.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(200);
  });
});

test("row 64: a connection that says 500 to everything from the hundredth request on is left, at little cost", async () => {
  const { peer, client } = await start(
    {
      onConnection: (connection) => connection.settings([[3, 10]]),
      onRequest: (request) => {
        const { connection } = request;
        const isBad = connection.ordinal === 1 && connection.requests > 100;
        if (isBad) connection.answer(request, 500, { reason: "InternalServerError" });
        else connection.answer(request);
      },
    },
    { ...quick, maxConnections: 1 },
  );
  expect(countKinds(await sendAtOnce(client, 1000))).toEqual({ accepted: 1000 });
  expect(peer.requests).toBeLessThanOrEqual(1050);
  expect(countProcessed(peer)).toEqual({ 1: 1000 });
});

describe("row 65: Retry-After", () => {
  const date = (inMs: number): string => new Date(1_800_000_000_000 + inMs).toUTCString();

  test.each([
    ["2", 2000],
    [date(7000), 7000],
  ])("%s is waited for, and not a moment less", async (retryAfter, waitMs) => {
    const clock = new FakeClock();
    const isFirst = firstTime();
    const { peer, client } = await start(
      {
        onRequest: (request) =>
          isFirst(request)
            ? request.connection.answer(request, 503, { reason: "ServiceUnavailable" }, [
                "retry-after",
                retryAfter,
              ])
            : request.connection.answer(request),
      },
      { clock },
    );
    const sending = sendAtOnce(client, 20);
    while (client.snapshot().delayed < 20) await turns(1);
    clock.advance(waitMs - 1);
    await turns();
    expect(peer.requests).toBe(20);
    clock.advance(1);
    expect(countKinds(await sending)).toEqual({ accepted: 20 });
  });

  test.each([["-5"], ["soon"], [date(-60_000)], [""]])(
    "%j counts as none: the usual wait",
    async (retryAfter) => {
      const clock = new FakeClock();
      const isFirst = firstTime();
      const { peer, client } = await start(
        {
          onRequest: (request) =>
            isFirst(request)
              ? request.connection.answer(request, 503, { reason: "Shutdown" }, ["retry-after", retryAfter])
              : request.connection.answer(request),
        },
        { clock },
      );
      const sending = sendAtOnce(client, 20);
      while (client.snapshot().delayed < 20) await turns(1);
      clock.advance(499);
      await turns();
      expect(peer.requests).toBe(20);
      clock.advance(501);
      expect(countKinds(await sending)).toEqual({ accepted: 20 });
      // Shutdown is about the connection: the second try is on another one.
      expect(peer.connections[0]?.requests).toBe(20);
    },
  );

  test("a wait beyond the deadline is the caller's to make: the answer comes back at once, with the wait", async () => {
    const { client } = await start({
      onRequest: (request) =>
        request.connection.answer(request, 503, { reason: "ServiceUnavailable" }, [
          "retry-after",
          "1000000000",
        ]),
    });
    expect(await client.send(notification(1))).toMatchObject({
      kind: "rejected",
      reason: "ServiceUnavailable",
      retryAfterMs: 86_400_000,
    });
  });
});

test("row 67: nothing is sent after its expiration: not after a wait for a stream, not after a retry", async () => {
  const clock = new FakeClock();
  const { peer, client } = await start(
    {
      onRequest: (request) =>
        request.connection.answer(request, 503, { reason: "ServiceUnavailable" }, ["retry-after", "40"]),
    },
    { clock, deadlineMs: 600_000 },
  );
  const expiration = Math.floor(clock.now() / 1000) + 30;
  const retried = sendAtOnce(client, 20, { expiration });
  while (client.snapshot().delayed < 20) await turns(1);
  clock.advance(60_000);
  const outcomes = await retried;
  expect(countKinds(outcomes)).toEqual({ unprocessed: 20 });
  expect(outcomes[0]).toMatchObject({ detail: "its expiration has passed" });
  const [late] = await sendAtOnce(client, 1, { expiration });
  expect(late).toMatchObject({ kind: "unprocessed", detail: "its expiration has passed", attempts: 0 });
  expect(peer.requests).toBe(20);
});

test.each(["at-least-once", "at-most-once"] as const)(
  "row 68: after a lost answer %s keeps its word, and a second try carries the same apns-id and collapse id",
  async (delivery) => {
    const seen: string[] = [];
    const { peer, client } = await start({
      onRequest: (request) => {
        seen.push(`${request.headers.get("apns-id")} ${request.headers.get("apns-collapse-id")}`);
        if (request.connection.ordinal > 1) return request.connection.answer(request);
        peer.process(request);
        request.connection.resetTcp();
      },
    });
    const outcome = await client.send(notification(1, { delivery, collapseId: "score" }));
    const twice = delivery === "at-least-once";
    expect(outcome.kind).toBe(twice ? "accepted" : "indeterminate");
    expect(countProcessed(peer)).toEqual({ [twice ? 2 : 1]: 1 });
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toBe(`${outcome.apnsId} score`);
  },
);

test("row 69: one request of a thousand that times out leaves 999 results and one unknown", async () => {
  const clock = new FakeClock();
  const { client } = await start(
    {
      onRequest: (request) => request.deviceToken !== deviceToken(500) && request.connection.answer(request),
    },
    { clock },
  );
  const results = new Map<number, string>();
  const sending = Array.from({ length: 1000 }, (_, each) =>
    client
      .send(notification(each, { delivery: "at-most-once" }))
      .then((outcome) => results.set(each, outcome.kind)),
  );
  while (results.size < 999) await turns(1);
  clock.advance(25_000);
  await Promise.all(sending);
  expect([results.get(499), results.get(500), results.get(501)]).toEqual([
    "accepted",
    "indeterminate",
    "accepted",
  ]);
});

test("row 70: a server that dies between reading and answering has accepted nothing", async () => {
  const { client } = await start({ onRequest: ({ connection }) => connection.tls.destroy() }, quick);
  const outcomes = await sendAtOnce(client, 50, { delivery: "at-most-once" });
  expect(countKinds(outcomes)).toEqual({ indeterminate: 50 });
});

test.each([
  ["empty", "", ""],
  ["HTML", "<html>Bad Request</html>", "<html>Bad Request</html>"],
  ["cut off", "{", "{"],
  ["long", "x".repeat(16_000), "x".repeat(200)],
  ["a trap", '{"__proto__":{"reason":"BadTopic"}}', '{"__proto__":{"reason":"BadTopic"}}'],
  ["a reason nobody knows", '{"reason":"TooCold"}', "TooCold"],
])("row 71: an error body that is %s is an answer like others", async (_, body, reason) => {
  const { client } = await start({ onRequest: (request) => request.connection.answer(request, 400, body) });
  expect(await client.send(notification(1))).toMatchObject({ kind: "unrecognized", status: 400, reason });
});

test("row 72: TooManyRequests for one device token delays what goes to it, by one probe at a time, and nothing else", async () => {
  const clock = new FakeClock();
  const slow = deviceToken(1);
  const toSlow: PeerRequest[] = [];
  const { peer, client } = await start(
    {
      onRequest: (request) => {
        if (request.deviceToken !== slow) return request.connection.answer(request);
        toSlow.push(request);
        if (toSlow.length <= 2)
          request.connection.answer(request, 429, { reason: "TooManyRequests" }, ["retry-after", "5"]);
        else request.connection.answer(request);
      },
    },
    { clock },
  );
  const first = client.send(notification(1));
  while (client.snapshot().delayed < 1) await turns(1);
  const others = sendAtOnce(client, 1000, {}, 2);
  const later = Array.from({ length: 10 }, () => client.send(notification(1)));
  expect(countKinds(await others)).toEqual({ accepted: 1000 });
  expect([toSlow.length, client.snapshot().delayed]).toEqual([1, 11]);
  clock.advance(4999);
  await turns();
  expect(toSlow).toHaveLength(1);
  clock.advance(1);
  // The probe is told to wait again, and all wait with it.
  await peer.until(() => toSlow.length === 2, "the first probe");
  while (client.snapshot().delayed < 11) await turns(1);
  clock.advance(5000);
  expect(countKinds(await Promise.all([first, ...later]))).toEqual({ accepted: 11 });
  expect(client.snapshot()).toMatchObject({ queued: 0, delayed: 0, inFlight: 0 });
});

test("row 72: jobs that wait for their device token end at their own deadline, or when they are withdrawn", async () => {
  const clock = new FakeClock();
  const { client } = await start(
    {
      onRequest: (request) =>
        request.connection.answer(request, 429, { reason: "TooManyRequests" }, ["retry-after", "50"]),
    },
    { clock, deadlineMs: 60_000 },
  );
  const first = client.send(notification(1));
  while (client.snapshot().delayed < 1) await turns(1);
  clock.advance(20_000);
  const abort = new AbortController();
  const withdrawn = client.send(notification(1), { signal: abort.signal });
  const waiting = client.send(notification(1));
  abort.abort();
  expect(await withdrawn).toMatchObject({ kind: "unprocessed", detail: "the caller gave up" });
  clock.advance(30_000);
  while (client.snapshot().delayed > 1) await turns(1);
  expect(await first).toMatchObject({ kind: "rejected", reason: "TooManyRequests", attempts: 2 });
  clock.advance(30_000);
  expect(await waiting).toMatchObject({
    kind: "unprocessed",
    attempts: 0,
    detail: expect.stringMatching(/device token/),
  });
});

test("row 73: every reason that Apple documents comes back as itself, with its status and the attempts it took", async () => {
  const reasons = Object.keys(rejectionReasons) as RejectionReason[];
  const { client } = await start(
    {
      onRequest: (request) => {
        const reason = reasons[Number.parseInt(request.deviceToken, 16)] as RejectionReason;
        request.connection.answer(request, rejectionReasons[reason].status, { reason });
      },
    },
    { retry: { attempts: 1 } },
  );
  for (const [at, reason] of reasons.entries()) {
    const { status } = rejectionReasons[reason];
    expect(await client.send(notification(at))).toMatchObject({
      kind: "rejected",
      reason,
      status,
      attempts: 1,
    });
  }
});

test("row 74: what APNs would refuse is refused here, counted in bytes, before anything is sent", async () => {
  const { peer, client } = await start();
  // Four bytes a character: 1,019 of them and 20 around them are 4,096.
  const payloadOf = (bytes: number) =>
    `{"aps":{"alert":"${"𝄞".repeat(1018)}${"x".repeat(bytes - 20 - 4072)}"}}`;
  expect(Buffer.byteLength(payloadOf(4096))).toBe(4096);
  expect((await client.send(notification(1, { payload: payloadOf(4096) }))).kind).toBe("accepted");
  const refused: Partial<Parameters<typeof client.send>[0]>[] = [
    { payload: payloadOf(4097) },
    { collapseId: "c".repeat(65) },
    { pushType: "voip", topic: "com.example.demo" },
    { pushType: "background", priority: 10, payload: { aps: { "content-available": 1 } } },
    { deviceToken: "../../etc" },
    { apnsId: "not a uuid" },
  ];
  for (const extra of refused) {
    await expect(client.send(notification(1, extra))).rejects.toBeInstanceOf(ApnsError);
  }
  expect((await client.send(notification(1, { collapseId: "c".repeat(64) }))).kind).toBe("accepted");
  expect(peer.requests).toBe(2);
});

test("one send may have a budget of tries of its own; the others keep the client's", async () => {
  const { client } = await start(
    { onRequest: (request) => request.connection.answer(request, 503, { reason: "ServiceUnavailable" }) },
    { retry: { attempts: 3, baseDelayMs: 1, maxDelayMs: 1 } },
  );
  const outcomes = await Promise.all([
    client.send(notification(1), { attempts: 1 }),
    client.send(notification(2)),
    client.send(notification(3), { attempts: 5 }),
  ]);
  expect(outcomes.map(({ attempts }) => attempts)).toEqual([1, 3, 5]);
  for (const attempts of [0, 101, 1.5, Number.NaN])
    await expect(client.send(notification(4), { attempts })).rejects.toMatchObject({ code: "bad-option" });
});
