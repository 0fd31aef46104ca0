import { expect, test } from "vitest";
import { MessageSource } from "./message-source.ts";
import type { WebhookProgress } from "./webhook.ts";
import { MemoryEvents } from "./webhooks.test-support.ts";

const start: WebhookProgress = { cursor: "0", replays: 0, standing: { kind: "well" } };

function open(count: number, bytes = 1_000) {
  const events = new MemoryEvents();
  events.appendMany(count);
  const source = new MessageSource({ id: "wh_1", replays: 0, events, filter: {}, bytes: () => bytes });
  return { events, source };
}

/** Comes when everything that is under way has come to rest. */
const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

test("messages follow each other without a gap, whether they were made ahead or not", async () => {
  const { source } = open(100);
  const numbers: number[] = [];
  for (let turn = 0; ; turn += 1) {
    const message = await source.next(start);
    if (message === undefined) break;
    for (const { data } of JSON.parse(message.body.toString()).items) numbers.push(data.n);
    if (turn % 3 !== 0) source.prepare();
    if (turn % 2 === 0) await rest();
  }
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(source.passed).toBe("100");
});

test("what is made ahead is not passed, and is given without looking again", async () => {
  const { events, source } = open(1_000, 60_000);
  await source.next(start);
  source.prepare();
  await rest();
  expect(source.passed).toBeUndefined();
  const reads = events.reads;
  expect((await source.next(start))?.events).toBeGreaterThan(0);
  expect(events.reads).toBe(reads);
});

test("what was in hand has the same bytes and the same id again, however large pages are by now", async () => {
  const { events, source } = open(100);
  const message = await source.next(start);
  const { id = "", events: count = 0 } = message ?? {};
  const again = new MessageSource({ id: "wh_1", replays: 0, events, filter: {}, bytes: () => 9_999 });
  const inHand = { id, events: count };
  expect(await again.next({ ...start, inHand })).toEqual({ ...message, isFull: false });
  source.prepare();
  source.forget();
  expect(await source.next({ ...start, inHand })).toEqual(message);
});

test("the same bytes have another id at another endpoint, and in a replay", async () => {
  const { events, source } = open(1);
  const others = [
    { id: "wh_2", replays: 0 },
    { id: "wh_1", replays: 1 },
  ].map((each) => new MessageSource({ ...each, events, filter: {}, bytes: () => 1_000 }));
  const messages = await Promise.all([source, ...others].map((each) => each.next(start)));
  expect(new Set(messages.map((message) => message?.body.toString())).size).toBe(1);
  expect(new Set(messages.map((message) => message?.id)).size).toBe(3);
});

test("what goes wrong ahead of time is told to whoever asks, and asking anew after that works", async () => {
  const { events, source } = open(10, 100);
  await source.next(start);
  events.appendMany(2_000);
  events.forget(500);
  for (let at = 0; at < 9; at += 1) await source.next(start);
  source.prepare();
  await rest();
  await expect(source.next(start)).rejects.toThrow("older than what is kept");
  source.forget();
  expect((await source.next({ ...start, cursor: "500" }))?.until).toBe("501");
});
