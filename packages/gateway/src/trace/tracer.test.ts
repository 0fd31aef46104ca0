import type { Outcome } from "@carillon/apns";
import { expect, test } from "vitest";
import {
  accepted,
  badToken,
  draft,
  FakeSender,
  noAnswer,
  openBench,
  rest,
  unavailable,
  wrongKey,
} from "../delivery/bench.test-support.ts";
import type { DurableDelivery } from "../delivery/durable-delivery.ts";
import { Outcomes, type Webhook, type WebhookAttempt } from "../outcomes/index.ts";
import type { Trace } from "./trace.ts";
import { Tracer } from "./tracer.ts";

const token = "ab".repeat(32);
const own = "01234567-89ab-4def-8123-456789abcdef";

type Sent = Parameters<typeof accepted>[0];
type BenchOptions = Parameters<typeof openBench>[0];

function gone({ apnsId }: Sent): Outcome {
  const connection = { number: 3, remoteAddress: "17.188.1.2" };
  const answer = { status: 410, reason: "Unregistered", goneSinceMs: 1_700_000_000_000 } as const;
  return { kind: "rejected", apnsId, attempts: 1, connection, ...answer };
}

/** A delivery whose outcomes are told, and who tells the way of one notification. */
async function open(reply: FakeSender["reply"] = accepted, options: BenchOptions = {}) {
  const sender = new FakeSender(reply);
  const bench = await openBench({
    senderFor: () => sender,
    tellerFor: (app, environment) => outcomes.tellerFor(app, environment),
    ...options,
  });
  const { clock, delivery, store } = bench;
  const logger = { info: () => undefined, warn: () => undefined };
  const outcomes: Outcomes = new Outcomes({ store, clock, logger });
  const webhooks: Webhook[] = [];
  const calls: WebhookAttempt[] = [];
  const tracerOf = (delivery: DurableDelivery): Tracer =>
    new Tracer({
      ...{ delivery, outcomes },
      webhooks: { list: () => webhooks, deliveries: async () => calls },
      now: () => clock.now(),
      rateOf: (app) => options.rateOf?.(app),
      connectionOf: () => undefined,
    });
  return {
    ...{ ...bench, sender, outcomes, webhooks, calls },
    /** Of one to `token`. */
    async submit(fields: Parameters<typeof draft>[0] = {}): Promise<string> {
      const [id = ""] = await delivery.submit("demo", [draft({ deviceTokens: [token], ...fields })]);
      await rest();
      return id;
    },
    async trace(id: string, of = delivery): Promise<Trace> {
      const trace = await tracerOf(of).trace("demo", id);
      if (trace === undefined) throw new Error("unknown");
      expect(JSON.stringify([trace.summary, trace.steps, trace.checks, trace.notes])).not.toContain(token);
      const times = trace.steps.flatMap(({ at }) => at ?? []);
      expect(times).toEqual([...times].sort());
      return trace;
    },
    unknown: (id: string) => tracerOf(delivery).trace("demo", id),
  };
}

const kinds = ({ steps }: Trace) => steps.map(({ kind }) => kind);
const texts = ({ steps }: Trace) => steps.map(({ text }) => text);

test("accepted: that Apple has it is no proof that it rang, and what to check is told", async () => {
  const { submit, trace, clock } = await open();
  const id = await submit({ reference: "order 7", apnsId: own });
  const told = await trace(own);
  const at = new Date(clock.now()).toISOString();
  expect(told).toMatchObject({
    ...{ id, apnsId: own, reference: "order 7", deviceToken: token, status: "accepted", notes: [] },
    steps: [
      { kind: "stored", at },
      { kind: "attempt", at, outcome: "accepted", text: "Sent; Apple answered 200 and has it." },
      { kind: "ended", at, status: "accepted" },
      { kind: "event", at, cursor: "1", type: "notification.accepted" },
    ],
  });
  expect(told.summary).toMatch(/^Apple has it\. That does not mean that it rang/);
  expect(told.checks.map(({ about }) => about)).toContain("settings");
});

test("a second environment: the attempt says where it went, and so does what to check", async () => {
  const replies = [badToken, accepted];
  const { submit, trace, clock } = await open((sent) => replies.shift()?.(sent), {
    resolvesEnvironment: () => true,
  });
  const id = await submit({ environmentChoice: "open" });
  await clock.pass(1_000);
  const told = await trace(id);
  expect(texts(told).filter((text) => text.startsWith("Sent"))).toEqual([
    expect.stringMatching(/^Sent; Apple answered 400 BadDeviceToken\./),
    "Sent to production this time; Apple answered 200 and has it.",
  ]);
  expect(told.checks.map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^It went to production, where TestFlight or the App Store gets/),
  );
});

test("what a killed gateway held may have been sent, and is told so while it waits", async () => {
  const { submit, delivery, restart, trace } = await open(() => undefined);
  const id = await submit();
  await delivery.pause("demo");
  const told = await trace(id, await restart());
  expect(texts(told).at(-1)).toMatch(
    /The gateway was killed while it held this one, so that Apple may have it/,
  );
});

test("rejected with 410: Apple's words, what they mean, and the verdict on the device token", async () => {
  const { submit, trace, clock } = await open(gone);
  const id = await submit();
  await clock.pass(60_000);
  await submit();
  const told = await trace(id);
  expect(kinds(told)).toEqual(["stored", "attempt", "ended", "event", "verdict", "event"]);
  expect(told.steps[1]).toMatchObject({
    ...{ outcome: "rejected", status: 410, reason: "Unregistered", connection: { number: 3 } },
    explanation: { fault: "device-token" },
    text: expect.stringMatching(
      /^Sent over connection 3 to 17\.188\.1\.2; Apple answered 410 Unregistered; the device token is gone since 2023-\S+Z\. .* Who must act: whoever keeps the device tokens\.$/,
    ),
  });
  expect(told.steps[4]).toMatchObject({
    verdict: "gone",
    since: "2023-11-14T22:13:20.000Z",
    text: expect.stringContaining("gone by this answer"),
  });
  expect(told.summary).toContain("It did not ring, and will not: Unregistered.");
  expect(told.checks).toEqual([]);
});

test("a verdict that was taken back is told as such, and so is one that was there before", async () => {
  const { submit, trace, clock, outcomes } = await open(gone);
  const id = await submit();
  await clock.pass(10_000);
  const later = await submit();
  expect((await trace(later)).steps[0]).toMatchObject({
    kind: "verdict",
    text: expect.stringContaining("by the answer to another notification"),
  });
  await outcomes.feedback.restore("demo", token);
  expect((await trace(id)).steps.filter(({ kind }) => kind === "verdict")).toMatchObject([
    { verdict: "gone" },
    { verdict: "restored", cause: "request", text: expect.stringContaining("by hand") },
  ]);
  const registered = await submit({ registeredAtMs: clock.now() });
  expect((await trace(registered)).notes).toEqual([
    expect.stringMatching(/^Nothing is held against its device token/),
  ]);
});

test("tried again after 503, and accepted: each attempt in its place", async () => {
  const { submit, trace, clock, sender } = await open(unavailable);
  const id = await submit();
  const waiting = await trace(id);
  expect(kinds(waiting)).toEqual(["stored", "attempt", "retry"]);
  expect(waiting.steps[2]?.text).toBe("Attempt 2 follows then at the earliest, under the same apns-id.");
  expect(waiting.summary).toMatch(
    /^It has not rung yet: 1 attempt did not succeed, and it is tried again\. /,
  );
  sender.reply = accepted;
  await clock.pass(10_000);
  const told = await trace(id);
  expect(kinds(told)).toEqual(["stored", "attempt", "attempt", "ended", "event"]);
  expect(told.steps[1]).toMatchObject({ status: 503, reason: "ServiceUnavailable" });
  expect(told.summary).toMatch(/^Apple has it, after 2 attempts\./);
});

test("a parked route: since when, why, and who must act; afterwards the log tells of it", async () => {
  const { submit, trace, clock, sender } = await open(wrongKey);
  const id = await submit();
  const parkedAt = new Date(clock.now()).toISOString();
  await clock.pass(3_600_000);
  const waiting = await trace(id);
  expect(waiting.steps.at(-1)).toMatchObject({
    ...{ kind: "waiting", waitsFor: "connection", at: parkedAt, reason: "InvalidProviderToken" },
    explanation: { fault: "credential" },
    text: expect.stringContaining("Who must act: whoever holds the app's key or certificate."),
  });
  expect(waiting.summary).toMatch(/^It has not rung yet\. The way to Apple \(sandbox\) is at a stop since /);
  sender.reply = accepted;
  await clock.pass(120_000);
  const told = await trace(id);
  expect(kinds(told).slice(0, 3).sort()).toEqual(["route", "stored", "waited"]);
  expect(texts(told).join(" ")).toMatch(/It waited 1 h (?:\d+ \w+ )?before .* came to a stop: Inv/);
  expect(told.status).toBe("accepted");
});

test("a paused app: since when, why, and how to go on; another rate, and a queue", async () => {
  const { submit, trace, delivery, sender, clock } = await open(() => undefined, { rateOf: () => 1 });
  await delivery.pause("demo", "wrong texts");
  const id = await submit();
  const pausedAt = new Date(clock.now()).toISOString();
  expect((await trace(id)).steps[1]).toMatchObject({
    ...{ kind: "waiting", waitsFor: "pause", at: pausedAt },
    text: `The app is paused since ${pausedAt}: wrong texts. Nothing of it is sent until carillon apps resume demo.`,
  });
  await delivery.resume("demo");
  await rest();
  expect(sender.open).toHaveLength(1);
  expect((await trace(id)).steps[1]).toMatchObject({
    waitsFor: "rate",
    text: expect.stringMatching(
      /^The app sends at most 1 a second .* 1 notification of the app is not final, 1 of/,
    ),
  });
});

test("scheduled: until when", async () => {
  const { submit, trace, clock } = await open();
  const dueAtMs = clock.now() + 60_000;
  const told = await trace(await submit({ dueAtMs }));
  expect(kinds(told)).toEqual(["stored", "scheduled"]);
  expect(told.steps[1]).toMatchObject({ until: new Date(dueAtMs).toISOString() });
  expect(told.summary).toContain(new Date(dueAtMs).toISOString());
  await clock.pass(61_000);
  expect(kinds(await trace(told.id))).toEqual(["stored", "scheduled", "attempt", "ended", "event"]);
});

test("cancelled, expired, and unknown: how it ended and which event told it", async () => {
  const { submit, trace, delivery, clock, sender } = await open(noAnswer);
  await delivery.pause("demo");
  const cancelled = await submit();
  await delivery.cancel("demo", cancelled);
  expect((await trace(cancelled)).steps.slice(1)).toMatchObject([
    { kind: "ended", status: "cancelled", text: "Cancelled before it was sent; it never will be." },
    { kind: "event", type: "notification.cancelled" },
  ]);
  const expired = await submit({ expirationSeconds: clock.now() / 1_000 + 60 });
  const unknown = await submit({ delivery: "at-most-once" });
  await clock.pass(100_000);
  await delivery.resume("demo");
  await rest();
  expect(sender.sent).toHaveLength(1);
  const late = await trace(expired);
  expect(late.steps.at(-2)).toMatchObject({ status: "expired", explanation: { fault: "pace" } });
  expect(late.summary).toContain("its time was over before Apple took it");
  const doubtful = await trace(unknown);
  expect(doubtful.steps.slice(-2)).toMatchObject([{ status: "unknown" }, { type: "notification.unknown" }]);
  expect(doubtful.summary).toMatch(/^Whether it rang nobody knows: timeout\. /);
  expect(doubtful.checks).not.toEqual([]);
});

test("expired while it was tried again: the event of its end is found behind the last attempt", async () => {
  const { submit, trace, clock, delivery } = await open(unavailable);
  const id = await submit({ expirationSeconds: clock.now() / 1_000 + 3_600 });
  await delivery.pause("demo");
  await clock.pass(4_000_000);
  await delivery.resume("demo");
  await clock.pass(1_000);
  const told = await trace(id);
  expect(told.steps.at(-1)).toMatchObject({ kind: "event", type: "notification.expired" });
});

test("given up after many attempts: with Apple's last word", async () => {
  const { submit, trace, clock } = await open(unavailable, {
    budget: { firstDelayMs: 1, longestDelayMs: 1, longestRetryAfterMs: 1, maxAttempts: 3, maxAgeMs: 1e9 },
  });
  const id = await submit();
  await clock.pass(10_000);
  expect((await trace(id)).steps.at(-2)?.text).toBe(
    "Given up after 3 attempts, with Apple's last word: ServiceUnavailable.",
  );
});

test("webhooks: who took its end, who has not yet and why, and who hears of nothing like it", async () => {
  const { submit, trace, webhooks, calls, clock } = await open(gone);
  const id = await submit();
  const createdAtMs = clock.now() - 1;
  const hook = (name: string, fields: Partial<Webhook>): Webhook => ({
    ...{ id: name, url: `https://${name}.example.com/x?key=secret`, createdAtMs, standing: { kind: "well" } },
    ...fields,
  });
  const failing = {
    kind: "failing",
    sinceMs: clock.now(),
    tries: 2,
    nextTryAtMs: clock.now() + 5_000,
  } as const;
  const disabled = { kind: "disabled", cause: "gone", atMs: clock.now() - 9_000 } as const;
  webhooks.push(
    hook("taker", { cursor: "1", types: ["notification.rejected"] }),
    hook("failer", { cursor: "0", standing: failing, types: ["notification.rejected"] }),
    hook("gone", { cursor: "0", standing: disabled, types: ["notification.rejected"] }),
    hook("other", { app: "other" }),
  );
  calls.push({ kind: "delivery", atMs: 1, isDelivered: false, error: "nobody listens there" });
  const told = await trace(id);
  const hooks = ["webhook", "webhook", "webhook"];
  expect(kinds(told)).toEqual(["stored", "attempt", "ended", "event", ...hooks, "verdict", "event"]);
  const [rejected, verdict] = told.steps.filter(({ kind }) => kind === "event");
  expect(rejected?.text).toBe("Told in the event log as notification.rejected, cursor 1.");
  expect(verdict?.text).toContain("None of the 4 webhooks hears of such events of this app.");
  const posted = told.steps.flatMap((step) => (step.kind === "webhook" ? [step] : []));
  expect(posted.map(({ webhook, delivery }) => [webhook, delivery])).toEqual([
    ["taker", "taken"],
    ["failer", "failing"],
    ["gone", "disabled"],
  ]);
  expect(posted[1]).toMatchObject({
    nextTryAt: new Date(clock.now() + 5_000).toISOString(),
    ...{ error: "nobody listens there", cursor: "1" },
    text: expect.stringMatching(
      /^The webhook failer \(failer\.example\.com\) has not taken .* 2 calls failed .* nobody listens there\.$/,
    ),
  });
  expect(JSON.stringify(told)).not.toContain("secret");
});

test("without its payload and with a log that was forgotten it says what is missing", async () => {
  const { submit, trace, clock, store, unknown } = await open(accepted, {
    retention: { bodiesMs: 1_000, recordsMs: 1e9, requestKeysMs: 1_000, verdictsMs: 1_000 },
  });
  const id = await submit();
  await clock.pass(100_000);
  await store.appendEvents([{ app: "demo", type: "token.gone", data: "{}" }], clock.now());
  await store.purgeEvents({ beforeMs: clock.now(), keepBytes: 1e9, limit: 10 });
  const told = await trace(id);
  expect(told).not.toHaveProperty("deviceToken");
  expect(told.notes).toEqual([
    expect.stringMatching(/^Its payload/),
    expect.stringMatching(/^The event log has no/),
  ]);
  expect(told.checks.map(({ about }) => about)).toEqual(["device", "settings", "app", "app"]);
  expect(await unknown("nonsense")).toBeUndefined();
});
