import { type Outcome, type PreparedNotification, prepareNotification } from "@carillon/apns";
import { expect, test } from "vitest";
import { start } from "../support/faults.ts";
import { countProcessed, deviceToken, notification, topic } from "../support/sending.ts";

function prepared(ordinal: number): PreparedNotification {
  const result = prepareNotification(notification(ordinal), { topic });
  if (result.kind === "refused") throw new Error(JSON.stringify(result.problems));
  return result.notification;
}

/** Collects outcomes until there are so many. */
function collect(count: number) {
  const outcomes: [Outcome, PreparedNotification][] = [];
  let tellAll = (): void => {};
  const all = new Promise<void>((resolve) => {
    tellAll = resolve;
  });
  const settled = (outcome: Outcome, given: PreparedNotification): void => {
    outcomes.push([outcome, given]);
    if (outcomes.length === count) tellAll();
  };
  return { settled, outcomes, all };
}

test("prepared notifications are sent as they are, and each comes back with its own outcome, once", async () => {
  const headers: ReadonlyMap<string, string>[] = [];
  const { peer, client } = await start({
    onRequest: (request) => {
      headers.push(request.headers);
      request.connection.answer(request);
    },
  });
  const given = Array.from({ length: 500 }, (_, ordinal) => prepared(ordinal));
  const { settled, outcomes, all } = collect(given.length);
  for (const each of given) client.sendPrepared(each, settled);
  await all;
  await client.close();
  expect(outcomes).toHaveLength(500);
  expect(new Set(outcomes.map(([, each]) => each))).toEqual(new Set(given));
  for (const [outcome, { apnsId }] of outcomes)
    expect(outcome).toEqual({ kind: "accepted", apnsId, attempts: 1 });
  expect(countProcessed(peer)).toEqual({ 1: 500 });
  expect(peer.apnsIds.get(deviceToken(7))).toEqual([given[7]?.apnsId]);
  expect(headers[0]?.get("apns-topic")).toBe(topic);
  expect(headers[0]?.get("apns-push-type")).toBe("alert");
});

test("they go the same way as others: what a connection lost is sent again with the same id", async () => {
  const { peer, client } = await start({
    onRequest: ({ connection, stream, ...rest }) => {
      if (connection.ordinal > 1) connection.answer({ connection, stream, ...rest });
      else connection.resetTcp();
    },
  });
  const { settled, outcomes, all } = collect(1);
  client.sendPrepared(prepared(1), settled);
  await all;
  expect(outcomes[0]?.[0]).toMatchObject({ kind: "accepted", attempts: 2 });
  expect(new Set(peer.apnsIds.get(deviceToken(1))).size).toBe(1);
});

test("one that is settled may be followed by another at once", async () => {
  const { peer, client } = await start();
  let left = 1_000;
  await new Promise<void>((resolve) => {
    const next = (): void => {
      left -= 1;
      if (left >= 0) client.sendPrepared(prepared(left), next);
      else resolve();
    };
    next();
  });
  expect(countProcessed(peer)).toEqual({ 1: 1_000 });
});

test("more than may be outstanding, and all after close, come back as not written", async () => {
  const { client } = await start({ onRequest: () => {} }, { maxOutstanding: 2 });
  const { settled, outcomes } = collect(4);
  for (let ordinal = 0; ordinal < 3; ordinal += 1) client.sendPrepared(prepared(ordinal), settled);
  expect(outcomes.map(([outcome]) => outcome)).toEqual([
    expect.objectContaining({ kind: "unprocessed", cause: "not-written", attempts: 0 }),
  ]);
  await client.close({ deadlineMs: 0 });
  client.sendPrepared(prepared(3), settled);
  expect(outcomes.at(-1)).toEqual([
    expect.objectContaining({ kind: "unprocessed", cause: "not-written", detail: "the client was closed" }),
    expect.objectContaining({ deviceToken: deviceToken(3) }),
  ]);
  expect(outcomes).toHaveLength(4);
});
