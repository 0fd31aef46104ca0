/** Rows 15 to 18 and 21 to 25 of docs/faults.md: connections that end in every way, at every moment. */
import { createServer, type Socket } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openClient, quick, start, startPeer, stopAfterTest, turns } from "../support/faults.ts";
import { type PeerConnection, type PeerRequest, RawPeer } from "../support/raw-peer.ts";
import { countKinds, countProcessed, notification, sendAtOnce } from "../support/sending.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);

beforeAll(() => void process.on("uncaughtException", note).on("unhandledRejection", note));
afterAll(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
  expect(uncaught).toEqual([]);
});

test.each<[string, (connection: PeerConnection) => void]>([
  ["with close_notify", ({ tls }) => tls.end()],
  ["without close_notify", ({ tcp }) => tcp.end()],
  ["with a TCP reset", (connection) => connection.resetTcp()],
])(
  "row 15: a connection that ends %s settles what it carried as unknown and nothing else",
  async (_, end) => {
    const held: PeerRequest[] = [];
    const { peer, client } = await start({
      onConnection: (connection) => connection.settings([[3, 500]]),
      onRequest: (request) => {
        if (request.connection.ordinal > 1) return request.connection.answer(request);
        held.push(request);
        if (held.length === 500) end(request.connection);
      },
    });
    expect(countKinds(await sendAtOnce(client, 1000, { delivery: "at-most-once" }))).toEqual({
      accepted: 500,
      indeterminate: 500,
    });
    expect(client.snapshot()).toMatchObject({ inFlight: 0, queued: 0, delayed: 0 });
    expect(countProcessed(peer)).toEqual({ 1: 500 });
  },
);

test("row 16: after a reset nothing stays under way, and what may have been taken is never called unprocessed", async () => {
  // The first try is taken and its connection reset; then nobody listens any more until the deadline.
  const peer = await startPeer({
    onRequest: (request) => {
      peer.process(request);
      void peer.stopListening();
      request.connection.resetTcp();
    },
  });
  const client = openClient(peer, { ...quick, deadlineMs: 800 });
  const outcome = await client.send(notification(0, { delivery: "at-least-once" }));
  expect(outcome).toMatchObject({ kind: "indeterminate", cause: "socket-closed" });
  expect(client.snapshot()).toMatchObject({ inFlight: 0, queued: 0, delayed: 0 });
});

test("row 17: 10,000 jobs wait while nobody listens, few attempts are made, and all go out once afterwards", async () => {
  const gone = await RawPeer.start();
  const { ca, endpoint, port } = gone;
  await gone.close();
  let failures = 0;
  let seenThree = (): void => undefined;
  const threeFailures = new Promise<void>((resolve) => {
    seenThree = resolve;
  });
  const client = openClient(
    { ca, endpoint },
    {
      onEvent: ({ kind }) => {
        if (kind !== "connection-ended") return;
        failures += 1;
        if (failures === 3) seenThree();
      },
    },
  );
  const sending = sendAtOnce(client, 10_000);
  await threeFailures;
  const peer = await RawPeer.start({}, port);
  stopAfterTest(() => peer.close());
  expect(countKinds(await sending)).toEqual({ accepted: 10_000 });
  expect(countProcessed(peer)).toEqual({ 1: 10_000 });
  expect(failures).toBeLessThan(10);
});

test("row 18: connections killed at random leave every send settled once, and the books in order", async () => {
  const fault = fc.constantFrom(
    "answer",
    "answer",
    "answer",
    "refuse",
    "cancel",
    "goaway",
    "reset",
    "end",
    "limit",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 20, maxLength: 60 }), async (faults) => {
      let step = 0;
      const peer = await RawPeer.start({
        onRequest: (request) => {
          const { connection, stream } = request;
          const each = step < faults.length ? faults[step] : "answer";
          step += 1;
          if (each === "refuse") connection.reset(stream, 7);
          else if (each === "cancel") connection.reset(stream, 8);
          else if (each === "goaway") connection.goaway(Math.max(0, stream - 4));
          else if (each === "reset") connection.resetTcp();
          else if (each === "end") connection.tls.end();
          else {
            if (each === "limit") connection.settings([[3, 2]]);
            connection.answer(request);
          }
        },
      });
      const client = openClient(peer, { ...quick, deadlineMs: 20_000, requestTimeoutMs: 500 });
      let settled = 0;
      const sending = Array.from({ length: 60 }, (_, each) =>
        client.send(notification(each)).then((outcome) => {
          settled += 1;
          const { queued, delayed, inFlight } = client.snapshot();
          expect(queued + delayed + inFlight).toBeLessThanOrEqual(60 - settled + 1);
          return outcome;
        }),
      );
      const outcomes = await Promise.all(sending);
      expect(client.snapshot()).toMatchObject({ queued: 0, delayed: 0, inFlight: 0 });
      for (const { kind } of outcomes) expect(["accepted", "indeterminate"]).toContain(kind);
      await client.close({ deadlineMs: 0 });
      await peer.close();
    }),
    { numRuns: 6 },
  );
}, 60_000);

test("row 21: a chain under another root is taken where the root is known, and refused in clear words where it is not", async () => {
  const [known, unknown] = await Promise.all([makeServerCertificate(), makeServerCertificate()]);
  const peer = await startPeer({
    onRequest: (request) => {
      request.connection.answer(request);
      request.connection.goaway(request.stream);
    },
  });
  const ends: string[] = [];
  const client = openClient(peer, {
    ca: [peer.ca, known.ca],
    deadlineMs: 5000,
    onEvent: (event) => event.kind === "connection-ended" && ends.push(event.cause),
  });
  expect((await client.send(notification(0))).kind).toBe("accepted");
  peer.useCertificate(known);
  expect((await client.send(notification(1))).kind).toBe("accepted");
  peer.useCertificate(unknown);
  const outcome = await client.send(notification(2));
  expect(outcome).toMatchObject({ kind: "unprocessed", cause: "not-written" });
  expect("detail" in outcome && outcome.detail).toMatch(/certificate/);
  expect([peer.requests, ends.at(-1)]).toEqual([2, "verification"]);
});

test("row 22: closing cancels a connection that is being opened, and gives back what waits for it", async () => {
  const held: Socket[] = [];
  const server = createServer((socket) => held.push(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const peer = await startPeer();
  const { port } = server.address() as { port: number };
  const client = openClient(peer, { endpoint: `https://localhost:${port}` });
  const sending = sendAtOnce(client, 100);
  while (held.length === 0) await turns(1);
  const hasEnded = new Promise((resolve) =>
    held[0]
      ?.once("close", resolve)
      .on("error", () => undefined)
      .resume(),
  );
  await client.close({ deadlineMs: 50 });
  expect(countKinds(await sending)).toEqual({ unprocessed: 100 });
  await hasEnded;
  await new Promise((resolve) => server.close(resolve));
});

test("row 22: closing settles what is under way under a deadline, and what was withdrawn keeps nobody waiting", async () => {
  const held: PeerRequest[] = [];
  const { peer, client } = await start({
    onConnection: (connection) => connection.settings([[3, 10]]),
    onRequest: (request) => void held.push(request),
  });
  const abort = new AbortController();
  const kept = sendAtOnce(client, 10);
  await peer.until(() => held.length === 10, "ten requests");
  const withdrawn = Array.from({ length: 20 }, (_, each) =>
    client.send(notification(10 + each), { signal: abort.signal }),
  );
  const closed = client.close({ deadlineMs: 3_600_000 });
  abort.abort();
  expect(countKinds(await Promise.all(withdrawn))).toEqual({ unprocessed: 20 });
  for (const request of held) request.connection.answer(request);
  expect(countKinds(await kept)).toEqual({ accepted: 10 });
  await closed;
  await client.close();
});

describe("rows 23 and 24", () => {
  const faults: Readonly<Record<string, (connection: PeerConnection) => void>> = {
    "a TCP reset": (connection) => connection.resetTcp(),
    "a clean end": ({ tls }) => tls.end(),
    garbage: (connection) => connection.write(Buffer.alloc(64, 0xff)),
    "HTTP/1.1 text": (connection) => connection.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")),
    "GOAWAY with an error": (connection) => connection.goaway(0, 2, "boom"),
  };
  const settings = (connection: PeerConnection): void => connection.settings([[3, 1000]]);
  /** When the fault strikes on the first connection. */
  const moments = [
    "before SETTINGS",
    "with SETTINGS",
    "at HEADERS",
    "before the answer",
    "in the answer",
    "after it",
  ];

  test.each(moments)(
    "row 24: every fault %s is met without an uncaught error, and the send is settled",
    async (moment) => {
      for (const [name, strike] of Object.entries(faults)) {
        const peer = await RawPeer.start({
          onConnection: (connection) => {
            if (connection.ordinal > 1) return settings(connection);
            if (moment === "before SETTINGS") return strike(connection);
            settings(connection);
            if (moment === "with SETTINGS") strike(connection);
            if (moment === "at HEADERS") connection.tls.once("data", () => strike(connection));
          },
          onRequest: (request) => {
            const { connection, stream } = request;
            if (connection.ordinal > 1) return connection.answer(request);
            if (moment === "before the answer") strike(connection);
            else if (moment === "in the answer") {
              connection.raw(1, 0, stream, connection.block([":status", "200"]).subarray(0, 1));
              strike(connection);
            } else {
              connection.answer(request);
              strike(connection);
            }
          },
        });
        const client = openClient(peer, quick);
        expect((await client.send(notification(0))).kind, name).toBe("accepted");
        expect((await client.send(notification(1))).kind, name).toBe("accepted");
        await client.close({ deadlineMs: 0 });
        await peer.close();
      }
    },
  );

  test("row 23: three hundred resets in the middle of writing end no process and lose nothing", async () => {
    const { peer, client } = await start(
      {
        // One at a time, so that the first answer has been read when the second request is cut off.
        onConnection: (connection) => connection.settings([[3, 1]]),
        onRequest: (request) => {
          const { connection } = request;
          if (connection.ordinal <= 300 && connection.requests === 2) connection.resetTcp();
          else connection.answer(request);
        },
      },
      { ...quick, retry: { ...quick.retry, attempts: 100 } },
    );
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warn);
    for (let round = 0; peer.connections.length <= 300; round += 1) {
      const outcomes = await sendAtOnce(client, 20, {}, round * 20);
      expect(countKinds(outcomes)).toEqual({ accepted: 20 });
      expect(round).toBeLessThan(400);
    }
    process.off("warning", warn);
    expect(warnings).toEqual([]);
  });
});

test("row 25: sends in the same turn in which the server's socket ends go out over another connection", async () => {
  const { peer, client } = await start({}, quick);
  await client.send(notification(0));
  const outcomes = [client.send(notification(1))];
  peer.connections[0]?.tcp.destroy();
  outcomes.push(client.send(notification(2)));
  await Promise.resolve();
  outcomes.push(client.send(notification(3)));
  await turns(1);
  outcomes.push(client.send(notification(4)));
  expect(countKinds(await Promise.all(outcomes))).toEqual({ accepted: 4 });
});
