import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../../../../test/support/fake-clock.ts";
import { StoreFullError } from "../../store/index.ts";
import { type ReceivedCall, TestReceiver } from "./receiver.test-support.ts";
import { defaultCallLimits } from "./receiver.ts";
import { defaultSchedule } from "./retry-schedule.ts";
import { WebhookRefusal } from "./webhook-refusal.ts";
import { numbersOf, openTestWebhooks, type TestOptions, type TestWebhooks } from "./webhooks.test-support.ts";

let receiver: TestReceiver;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  receiver = await listen();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(...[options]: Parameters<typeof TestReceiver.start>): Promise<TestReceiver> {
  const made = await TestReceiver.start(options);
  cleanUps.push(() => made.close());
  return made;
}

async function open(options?: TestOptions): Promise<TestWebhooks> {
  const subject = await openTestWebhooks(options);
  cleanUps.push(async () => {
    await subject.webhooks.stop(0);
    await subject.store.close();
  });
  return subject;
}

/** Resolves when this holds; looks again after every turn of the loop, under the test's deadline. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise<void>((resolve) => setImmediate(resolve));
}

const idOf = ({ headers }: ReceivedCall) => headers["webhook-id"];
const standingOf = ({ webhooks }: TestWebhooks) => webhooks.list()[0]?.standing;

test("what happens from now on is delivered in order, in batches, and nothing twice", async () => {
  const subject = await open();
  subject.events.appendMany(3, () => ({ n: -1 }));
  await subject.webhooks.create({ url: receiver.url });
  for (let n = 0; n < 200; n++) {
    subject.events.append("notification.rejected", { n });
    if (n % 7 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await until(() => numbersOf(receiver).flat().length === 200);
  expect(numbersOf(receiver).flat()).toEqual(Array.from({ length: 200 }, (_, n) => n));
  expect(receiver.calls.length).toBeLessThan(100);
  expect(new Set(receiver.calls.map(idOf)).size).toBe(receiver.calls.length);
});

test("a page is what GET /v1/events gives: cursor, at, app, type, data", async () => {
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("token.gone", { deviceToken: "ab" });
  const [call] = await receiver.received(1);
  expect(JSON.parse(call?.text ?? "")).toEqual({
    items: [
      {
        cursor: "1",
        at: "2026-01-01T00:00:00.000Z",
        app: "demo",
        type: "token.gone",
        data: { deviceToken: "ab" },
      },
    ],
  });
  expect(call?.headers).toMatchObject({ "content-type": "application/json", "user-agent": "Carillon/0.0.0" });
});

test("an endpoint hears of its app and its types, and its place moves over the rest", async () => {
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url, app: "demo", types: ["token.gone"] });
  subject.events.append("token.gone", { n: 1 }, "other");
  subject.events.append("token.suspect", { n: 2 });
  subject.events.append("token.gone", { n: 3 });
  subject.events.append("token.suspect", { n: 4 });
  await until(() => subject.webhooks.list()[0]?.cursor === "4");
  expect(numbersOf(receiver)).toEqual([[3]]);
});

test("a failure is tried again with the same id and the same bytes, and what follows waits", async () => {
  receiver.answer = (response, _call, index) => void response.writeHead(index < 3 ? 500 : 200).end();
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("notification.rejected", { n: 0 });
  await receiver.received(1);
  subject.events.append("notification.rejected", { n: 1 });
  await until(() => numbersOf(receiver).flat().includes(1));
  expect(numbersOf(receiver)).toEqual([[0], [0], [0], [0], [1]]);
  expect(new Set(receiver.calls.slice(0, 4).map(idOf)).size).toBe(1);
  expect(new Set(receiver.calls.map(idOf)).size).toBe(2);
  await until(() => standingOf(subject)?.kind === "well");
});

test("after a crash the repeat carries the same id and the same bytes, and nothing is missing", async () => {
  const held = await listen({ answer: () => undefined });
  const subject = await open({ limits: { batchBytes: 2_000 } });
  await subject.webhooks.create({ url: held.url });
  subject.events.appendMany(100);
  await held.received(1);
  // More comes while the call hangs: the repeat must not grow by it.
  subject.events.appendMany(10, (n) => ({ n: 100 + n }));
  held.answer = (response) => void response.writeHead(200).end();
  await subject.restart();
  await until(() => numbersOf(held).flat().at(-1) === 109);
  const [first, repeat, ...rest] = held.calls;
  expect(repeat?.text).toBe(first?.text);
  expect(repeat && idOf(repeat)).toBe(first && idOf(first));
  expect(new Set(rest.map(idOf)).has(first && idOf(first))).toBe(false);
  expect(numbersOf(held).slice(1).flat()).toEqual(Array.from({ length: 110 }, (_, n) => n));
});

test("a crash between the receiver's answer and the store repeats one batch under its id", async () => {
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url });
  receiver.answer = (response) => {
    // Answered, and dead before anything could be stored about it.
    void subject.restart();
    receiver.answer = (next) => void next.writeHead(200).end();
    response.writeHead(200).end();
  };
  subject.events.append("notification.rejected", { n: 0 });
  const calls = await receiver.received(2);
  expect(calls[1]?.text).toBe(calls[0]?.text);
  expect(new Set(calls.map(idOf)).size).toBe(1);
  subject.events.append("notification.rejected", { n: 1 });
  await until(() => numbersOf(receiver).flat().includes(1));
});

test("410 disables at once, with an event, and says so; enabling goes on where it stopped", async () => {
  receiver.answer = (response) => void response.writeHead(410).end();
  const subject = await open();
  const { webhook } = await subject.webhooks.create({ url: receiver.url, app: "demo" });
  subject.events.append("notification.rejected", { n: 0 });
  await until(() => standingOf(subject)?.kind === "disabled");
  expect(standingOf(subject)).toMatchObject({ cause: "gone" });
  const { events } = await subject.store.readEvents({ after: 0, types: ["webhook.disabled"], limit: 10 });
  expect(events).toMatchObject([
    { app: "demo", type: "webhook.disabled", data: JSON.stringify({ webhook: webhook.id, cause: "gone" }) },
  ]);
  subject.events.append("notification.rejected", { n: 1 });
  await subject.restart();
  expect(receiver.calls).toHaveLength(1);
  receiver.answer = (response) => void response.writeHead(200).end();
  await subject.webhooks.update(webhook.id, { enabled: true });
  await until(() => numbersOf(receiver).flat().includes(1));
  expect(numbersOf(receiver).slice(1).flat()).toEqual([0, 1]);
});

test("after days of failure it is disabled, with an event", async () => {
  receiver.answer = (response) => void response.writeHead(500).end();
  const schedule = { ...defaultSchedule, pausesMs: [1], longPauseMs: 1, disableAfterMs: 0, leastTries: 5 };
  const subject = await open({ schedule });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("notification.rejected");
  await until(() => standingOf(subject)?.kind === "disabled");
  expect(receiver.calls).toHaveLength(5);
  const { events } = await subject.store.readEvents({ after: 0, types: ["webhook.disabled"], limit: 10 });
  expect(events).toMatchObject([{ app: "*", data: expect.stringContaining("failing") }]);
});

test("the pause after a failure outlives a restart", async () => {
  receiver.answer = (response) => void response.writeHead(503, { "retry-after": "600" }).end();
  const clock = new FakeClock();
  const subject = await open({ clock, schedule: defaultSchedule });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("notification.rejected", { n: 0 });
  await until(() => standingOf(subject)?.kind === "failing");
  receiver.answer = (response) => void response.writeHead(200).end();
  await subject.restart();
  clock.advance(599_000);
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(receiver.calls).toHaveLength(1);
  clock.advance(70_000);
  await receiver.received(2);
});

test("an endpoint that hangs delays no other", async () => {
  const hung = await listen({ answer: () => undefined });
  const subject = await open();
  await subject.webhooks.create({ url: hung.url });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("notification.rejected", { n: 0 });
  await hung.received(1);
  subject.events.append("notification.rejected", { n: 1 });
  await until(() => numbersOf(receiver).flat().includes(1));
  expect(hung.calls).toHaveLength(1);
});

test("an endpoint has one call under way at most", async () => {
  let underWay = 0;
  let most = 0;
  receiver.answer = (response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    setImmediate(() => {
      underWay -= 1;
      response.writeHead(200).end();
    });
  };
  const subject = await open({ limits: { batchBytes: 300 } });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(50);
  await until(() => numbersOf(receiver).flat().length === 50);
  expect([most, receiver.calls.length > 10]).toEqual([1, true]);
});

test("batches keep to their size, and one event alone may be larger", async () => {
  const subject = await open({ limits: { batchBytes: 1_000 } });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(20, (n) => ({ n, text: "x".repeat(n === 10 ? 5_000 : 50) }));
  await until(() => numbersOf(receiver).flat().length === 20);
  const sizes = receiver.calls.map(({ text }) => text.length);
  expect(sizes.filter((size) => size > 1_020)).toHaveLength(1);
  expect(numbersOf(receiver).flat()).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test("a receiver that finds a body too large gets half of it from then on", async () => {
  receiver.answer = (response, { text }) => void response.writeHead(text.length > 1_000 ? 413 : 200).end();
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(100);
  await until(() => subject.webhooks.list()[0]?.cursor === "100");
  const taken = receiver.calls.filter(({ text }) => text.length <= 1_000);
  expect(
    taken.flatMap(({ text }) => JSON.parse(text).items.map((item: { data: { n: number } }) => item.data.n)),
  ).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(receiver.calls.length - taken.length).toBeLessThan(8);
});

test("a receiver that is behind and quick gets larger pages, in order, until it has caught up", async () => {
  const subject = await open({ limits: { batchBytes: 2_000, mostBatchBytes: 8_000 } });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(500);
  await until(() => subject.webhooks.list()[0]?.cursor === "500");
  const sizes = receiver.calls.map(({ text }) => text.length);
  expect(sizes[0]).toBeLessThan(2_100);
  expect(Math.max(...sizes)).toBeGreaterThan(7_000);
  expect(Math.max(...sizes)).toBeLessThan(8_200);
  expect(numbersOf(receiver).flat()).toEqual(Array.from({ length: 500 }, (_, n) => n));
  const before = receiver.calls.length;
  subject.events.appendMany(100);
  await until(() => subject.webhooks.list()[0]?.cursor === "600");
  expect(receiver.calls[before]?.text.length).toBeLessThan(2_100);
});

test("a receiver that was down gets all that it missed, in the order of each app", async () => {
  receiver.answer = (response) => void response.writeHead(503).end();
  const subject = await open({ limits: { batchBytes: 2_000, mostBatchBytes: 8_000 } });
  await subject.webhooks.create({ url: receiver.url });
  const apps = ["one", "two", "three"];
  for (let n = 0; n < 300; n++)
    for (const app of apps) subject.events.append("notification.rejected", { n }, app);
  await receiver.received(5);
  await subject.restart();
  const taken: { readonly app: string; readonly data: { readonly n: number } }[] = [];
  // It is not quite well yet.
  receiver.answer = (response, { text }, index) => {
    if (index % 3 !== 0) taken.push(...JSON.parse(text).items);
    response.writeHead(index % 3 === 0 ? 503 : 200).end();
  };
  await until(() => subject.webhooks.list()[0]?.cursor === "900");
  for (const app of apps)
    expect(taken.filter((event) => event.app === app).map(({ data }) => data.n)).toEqual(
      Array.from({ length: 300 }, (_, n) => n),
    );
});

test("a page above the usual size that fails ten times is cut anew, and the receiver gets no larger ones", async () => {
  receiver.answer = (response, { text }) => void response.writeHead(text.length > 3_000 ? 500 : 200).end();
  const subject = await open({ limits: { batchBytes: 2_000, mostBatchBytes: 8_000 } });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(500);
  await until(() => subject.webhooks.list()[0]?.cursor === "500");
  const refused = receiver.calls.filter(({ text }) => text.length > 3_000);
  expect(refused).toHaveLength(10);
  expect(new Set(refused.map(idOf)).size).toBe(1);
  const taken = receiver.calls.filter(({ text }) => text.length <= 3_000);
  const numbers = taken.flatMap(({ text }) =>
    JSON.parse(text).items.map(({ data }: { data: { n: number } }) => data.n),
  );
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => n));
});

test("the next page is read while the receiver is at work on the one before", async () => {
  let finish = (): void => undefined;
  receiver.answer = (response) => {
    receiver.answer = (next) => void next.writeHead(200).end();
    finish = () => void response.writeHead(200).end();
  };
  const subject = await open({ limits: { batchBytes: 200_000 } });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(6_000);
  await receiver.received(1);
  // Two looks at 1,000 events each give one page of that size.
  await until(() => subject.events.reads >= 4);
  finish();
  await until(() => subject.webhooks.list()[0]?.cursor === "6000");
  expect(numbersOf(receiver).flat()).toEqual(Array.from({ length: 6_000 }, (_, n) => n));
});

test("a stop while a message is being stored as in hand loses nothing of it", async () => {
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url });
  const change = subject.store.changeWebhook;
  const stopped = new Promise<void>((resolve) => {
    subject.store.changeWebhook = async (...args) => {
      subject.store.changeWebhook = change;
      resolve(subject.webhooks.stop(0));
      return change(...args);
    };
  });
  subject.events.append("token.gone", { n: 0 });
  await stopped;
  expect((await subject.store.listWebhooks())[0]?.progress).toContain('"cursor":"0"');
  expect(receiver.calls).toHaveLength(0);
  await subject.restart();
  await receiver.received(1);
  expect(numbersOf(receiver)).toEqual([[0]]);
});

test("events that were forgotten before they could be delivered are told in the list, and the rest is delivered", async () => {
  const subject = await open();
  const { webhook } = await subject.webhooks.create({ url: receiver.url });
  await subject.webhooks.update(webhook.id, { enabled: false });
  subject.events.appendMany(10);
  subject.events.forget(4);
  await subject.webhooks.update(webhook.id, { enabled: true });
  await until(() => numbersOf(receiver).flat().length === 6);
  expect(numbersOf(receiver).flat()).toEqual([4, 5, 6, 7, 8, 9]);
  await until(async () => (await subject.webhooks.deliveries(webhook.id, 10)).length === 2);
  expect(await subject.webhooks.deliveries(webhook.id, 10)).toMatchObject([
    { kind: "delivery", events: 6, isDelivered: true },
    { kind: "skipped", isDelivered: false, error: expect.stringContaining("forgotten") },
  ]);
});

test("a replay goes on behind any cursor, under ids of its own", async () => {
  const subject = await open();
  const { webhook } = await subject.webhooks.create({ url: receiver.url });
  subject.events.appendMany(5);
  await until(() => subject.webhooks.find(webhook.id).cursor === "5");
  const before = new Set(receiver.calls.map(idOf));
  const count = receiver.calls.length;
  await subject.webhooks.replay(webhook.id, "2");
  await until(() => numbersOf(receiver).slice(count).flat().length === 3);
  await subject.webhooks.replay(webhook.id);
  await until(() => numbersOf(receiver).slice(count).flat().length === 8);
  expect(numbersOf(receiver).slice(count).flat()).toEqual([2, 3, 4, 0, 1, 2, 3, 4]);
  expect(receiver.calls.slice(count).some((call) => before.has(idOf(call)))).toBe(false);
  await expect(subject.webhooks.replay(webhook.id, "77")).rejects.toThrow(WebhookRefusal);
  await expect(subject.webhooks.replay("wh_nobody", "2")).rejects.toThrow("no webhook of this id");
});

test("a ping is a signed page without events, whatever the deliveries do, and stands in the list", async () => {
  const subject = await open();
  const { webhook } = await subject.webhooks.create({ url: receiver.url });
  await subject.webhooks.update(webhook.id, { enabled: false });
  expect(await subject.webhooks.ping(webhook.id)).toMatchObject({
    kind: "ping",
    isDelivered: true,
    status: 204,
    events: 0,
  });
  receiver.answer = (response) => void response.writeHead(401).end();
  expect(await subject.webhooks.ping(webhook.id)).toMatchObject({
    isDelivered: false,
    status: 401,
    error: expect.stringContaining("401"),
  });
  expect(receiver.calls.map(({ text }) => text)).toEqual(['{"items":[]}', '{"items":[]}']);
  expect(await subject.webhooks.deliveries(webhook.id, 10)).toMatchObject([{ status: 401 }, { status: 204 }]);
});

test("both secrets sign after a rotation, until the time that it said, and one before them ends at once", async () => {
  const clock = new FakeClock();
  const subject = await open({ clock });
  const { webhook } = await subject.webhooks.create({ url: receiver.url });
  const signatures = async () => {
    await subject.webhooks.ping(webhook.id);
    return String(receiver.calls.at(-1)?.headers["webhook-signature"]).split(" ").length;
  };
  expect(await signatures()).toBe(1);
  const rotated = await subject.webhooks.rotate(webhook.id, 60_000);
  expect(rotated.webhook.previousSecretUntilMs).toBe(clock.now() + 60_000);
  expect(await signatures()).toBe(2);
  await subject.webhooks.rotate(webhook.id, 60_000);
  expect(await signatures()).toBe(2);
  clock.advance(60_001);
  expect(await signatures()).toBe(1);
  await subject.webhooks.rotate(webhook.id, 0);
  expect(await signatures()).toBe(1);
});

test("secrets are told once and never again", async () => {
  const subject = await open();
  const { webhook, secret } = await subject.webhooks.create({ url: receiver.url });
  const rotated = await subject.webhooks.rotate(webhook.id, 60_000);
  const told = JSON.stringify([subject.webhooks.list(), subject.webhooks.find(webhook.id), webhook]);
  expect(told).not.toContain("whsec_");
  expect(new Set([secret, rotated.secret]).size).toBe(2);
});

test("a change of address or filter holds from the next call on; what was delivered is not sent again", async () => {
  const other = await listen();
  const subject = await open();
  const { webhook } = await subject.webhooks.create({ url: receiver.url });
  subject.events.append("token.gone", { n: 0 });
  await until(() => subject.webhooks.find(webhook.id).cursor === "1");
  await subject.webhooks.update(webhook.id, { url: other.url, types: ["token.suspect"] });
  subject.events.append("token.gone", { n: 1 });
  subject.events.append("token.suspect", { n: 2 });
  await until(() => numbersOf(other).flat().length === 1);
  await subject.webhooks.update(webhook.id, { types: null });
  subject.events.append("token.gone", { n: 3 });
  await until(() => numbersOf(other).flat().length === 2);
  expect([numbersOf(receiver), numbersOf(other)]).toEqual([[[0]], [[2], [3]]]);
});

test("a deleted endpoint hears of nothing more", async () => {
  const subject = await open();
  const { webhook } = await subject.webhooks.create({ url: receiver.url });
  await subject.webhooks.create({ url: (await listen()).url });
  await subject.webhooks.delete(webhook.id);
  subject.events.append("token.gone", { n: 0 });
  await until(() => subject.webhooks.list()[0]?.cursor === "1");
  await subject.restart();
  expect(subject.webhooks.list()).toHaveLength(1);
  expect(receiver.calls).toHaveLength(0);
  expect(() => subject.webhooks.find(webhook.id)).toThrow(WebhookRefusal);
});

test("an address that may not be used is refused when it is given", async () => {
  const subject = await open({ receivers: {} });
  for (const url of ["http://hooks.example.com/", "https://127.0.0.1/", "https://0x7f.1/", "nonsense"])
    await expect(subject.webhooks.create({ url })).rejects.toMatchObject({ kind: "invalid", field: "url" });
  const { webhook } = await subject.webhooks.create({ url: "https://hooks.example.com/" });
  await expect(subject.webhooks.update(webhook.id, { url: "https://10.0.0.1/" })).rejects.toMatchObject({
    field: "url",
  });
  expect(subject.webhooks.find(webhook.id).url).toBe("https://hooks.example.com/");
});

test("there are a hundred endpoints at most", async () => {
  const subject = await open({ limits: { webhooks: 2 } });
  await subject.webhooks.create({ url: receiver.url });
  await subject.webhooks.create({ url: receiver.url });
  await expect(subject.webhooks.create({ url: receiver.url })).rejects.toMatchObject({ kind: "too-many" });
});

test("while the disk is full nothing is sent that is not stored, and deliveries go on afterwards", async () => {
  const clock = new FakeClock();
  const subject = await open({ clock });
  await subject.webhooks.create({ url: receiver.url });
  let isFull = true;
  const change = subject.store.changeWebhook;
  let refused = 0;
  subject.store.changeWebhook = async (...args) => {
    if (!isFull) return change(...args);
    refused += 1;
    throw new StoreFullError("no room");
  };
  subject.events.append("token.gone", { n: 0 });
  await until(() => refused === 1);
  clock.advance(10_000);
  await until(() => refused === 2);
  expect(receiver.calls).toHaveLength(0);
  isFull = false;
  clock.advance(10_000);
  await receiver.received(1);
});

test("a stop waits for the call under way, and notes that it was taken", async () => {
  let finish = (): void => undefined;
  receiver.answer = (response) => {
    finish = () => void response.writeHead(200).end();
  };
  const subject = await open();
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("token.gone", { n: 0 });
  await receiver.received(1);
  const stopped = subject.webhooks.stop(60_000);
  finish();
  await stopped;
  expect((await subject.store.listWebhooks())[0]?.progress).toContain('"cursor":"1"');
});

test("a stop does not wait longer than it may", async () => {
  receiver.answer = () => undefined;
  const subject = await open({ callLimits: { ...defaultCallLimits, deadlineMs: 600_000 } });
  await subject.webhooks.create({ url: receiver.url });
  subject.events.append("token.gone", { n: 0 });
  await receiver.received(1);
  await subject.webhooks.stop(10);
  expect((await subject.store.listWebhooks())[0]?.progress).toContain('"cursor":"0"');
});
