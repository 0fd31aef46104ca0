import { type ApnsClientOptions, type Clock, type Logger, type Outcome, systemClock } from "@carillon/apns";
import { afterEach, expect, test } from "vitest";
import { type PeerRequest, RawPeer } from "../support/raw-peer.ts";
import { clientFor, notification } from "../support/sending.ts";

const stopping: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
});

/** A client whose clock is `aheadMs` ahead of the peer's, and what it logs. */
async function start(
  aheadMs: number,
  answer: (request: PeerRequest) => void,
  options: Partial<ApnsClientOptions> = {},
) {
  const logged: string[] = [];
  const logger: Logger = { info: () => undefined, warn: (message) => logged.push(message) };
  const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const peer = await RawPeer.start({ onRequest: answer });
  const client = clientFor(peer, { clock, logger, ...options });
  stopping.push(
    () => peer.close(),
    () => client.close({ deadlineMs: 0 }),
  );
  return { peer, client, logged };
}

const detailOf = (outcome: Outcome) => (outcome.kind === "rejected" ? outcome.detail : undefined);

test("every request bears the word bearer and the one provider token", async () => {
  const { peer, client } = await start(0, (request) => request.connection.answer(request));
  await Promise.all([client.send(notification(1)), client.send(notification(2))]);
  expect([...peer.providerTokens]).toEqual([expect.stringMatching(/^bearer [\w-]+\.[\w-]+\.[\w-]+$/)]);
});

test("without a date, a token called expired right after it was made tells of the clock", async () => {
  const { client } = await start(0, (request) =>
    request.connection.answer(request, 403, { reason: "ExpiredProviderToken" }),
  );
  expect(detailOf(await client.send(notification(1)))).toMatch(/at least 60 minutes behind/);
  expect(client.snapshot().clockSkewMs).toBeUndefined();
});

test("a clock that is right is no news", async () => {
  const { client, logged } = await start(0, (request) =>
    request.connection.answer(request, 400, { reason: "BadDeviceToken" }, ["date", new Date().toUTCString()]),
  );
  expect(detailOf(await client.send(notification(1)))).toBeUndefined();
  expect(client.snapshot().clockSkewMs).toBeUndefined();
  expect(logged).toEqual([]);
});

test("an unknown push type is sent and logged once, whatever the number of pushes", async () => {
  const { peer, client, logged } = await start(0, (request) => request.connection.answer(request));
  for (const each of [1, 2, 3]) await client.send(notification(each, { pushType: "future" }));
  expect(peer.processed.size).toBe(3);
  expect(logged).toEqual([expect.stringContaining("push type future")]);
});
