import type { Outcome } from "@carillon/apns";
import { expect, test } from "vitest";
import { accepted, draft, FakeSender, openBench, rest, wrongKey } from "../delivery/bench.test-support.ts";
import { Outcomes } from "./outcomes.ts";

type Sent = Parameters<typeof accepted>[0];

function gone(sinceMs?: number): (sent: Sent) => Outcome {
  const since = sinceMs === undefined ? {} : { goneSinceMs: sinceMs };
  return ({ apnsId }) => ({
    kind: "rejected",
    apnsId,
    attempts: 1,
    status: 410,
    reason: "Unregistered",
    ...since,
  });
}

function bad({ apnsId }: Sent): Outcome {
  return { kind: "rejected", apnsId, attempts: 1, status: 400, reason: "BadDeviceToken" };
}

/** A delivery whose outcomes are told. */
async function open(reply: FakeSender["reply"] = () => undefined, massRemoval: "hold" | "pause" = "hold") {
  const sender = new FakeSender(reply);
  const bench = await openBench({
    senderFor: () => sender,
    tellerFor: (app, environment) => outcomes.tellerFor(app, environment),
  });
  const logger = { info: () => undefined, warn: () => undefined };
  const pause = (reason: string): void => void bench.delivery.pause("demo", reason);
  const outcomes: Outcomes = new Outcomes({
    ...{ store: bench.store, clock: bench.clock, logger },
    pauseFor: () => (massRemoval === "pause" ? pause : undefined),
  });
  const told = async (...types: string[]) =>
    (await outcomes.log.read({ limit: 1_000, ...(types.length > 0 && { types: types as never[] }) })).items;
  return { ...bench, sender, outcomes, told };
}

test("an ending is told with its reason, what that means and who must act", async () => {
  const { delivery, told } = await open(
    (sent) => ({ ...bad(sent), status: 400, reason: "BadTopic" }) as Outcome,
  );
  const [id] = await delivery.submit("demo", [draft({ reference: "order 7" })]);
  await rest();
  const [event] = await told();
  expect(event).toMatchObject({ app: "demo", type: "notification.rejected" });
  expect(event?.data).toMatchObject({
    ...{
      id,
      reference: "order 7",
      environment: "sandbox",
      reason: "BadTopic",
      status: 400,
      fault: "request",
    },
    ...{ means: expect.stringMatching(/\.$/), remedy: expect.stringMatching(/\.$/) },
  });
});

test("ten thousand equal failures are one incident", async () => {
  const { delivery, outcomes, clock } = await open(
    (sent) => ({ ...bad(sent), reason: "BadTopic" }) as Outcome,
  );
  let last: string | undefined;
  for (let batch = 0; batch < 10; batch += 1) {
    const ids = await delivery.submit("demo", [draft({ devices: 1_000 })]);
    last = ids.at(-1);
    await rest(100);
  }
  expect(outcomes.incidents.of("demo")).toEqual([
    {
      ...{ reason: "BadTopic", environment: "sandbox", count: 10_000, sample: last },
      ...{ firstAtMs: clock.now(), lastAtMs: clock.now() },
    },
  ]);
});

test("a device that is gone is told once, and stands in the feedback", async () => {
  const { delivery, outcomes, told } = await open(gone(1_699_999_000_000));
  const drafts = [draft()];
  for (let times = 0; times < 3; times += 1) await delivery.submit("demo", drafts);
  await rest();
  expect(await told("token.gone", "token.suspect")).toMatchObject([{ type: "token.gone" }]);
  const page = await outcomes.feedback.list("demo", 0, 10);
  expect(page.items).toMatchObject([
    { token: drafts[0]?.deviceTokens[0], verdict: "gone", since: "2023-11-14T21:56:40.000Z", answers: 3 },
  ]);
  expect(await outcomes.feedback.list("demo", Number(page.cursor), 10)).toEqual({
    items: [],
    cursor: page.cursor,
  });
});

test("row 62: a device that registered again during the send stays", async () => {
  const { delivery, outcomes, clock, sender, told } = await open();
  const [first] = [draft({ registeredAtMs: clock.now() - 9_000 })];
  await delivery.submit("demo", [first as ReturnType<typeof draft>]);
  await rest();
  // It leaves, comes back, and the sender says so before the answer of the first send is here.
  await delivery.submit("demo", [
    { ...(first as ReturnType<typeof draft>), registeredAtMs: clock.now() - 2_000 },
  ]);
  sender.answer(gone(clock.now() - 5_000));
  await rest();
  expect(sender.sent).toHaveLength(2);
  expect(await told("token.gone", "token.suspect")).toEqual([]);
  expect((await outcomes.feedback.list("demo", 0, 10)).items).toEqual([]);
});

test("a verdict is taken back by a later registration, a later accepted push, or by hand", async () => {
  const { delivery, outcomes, clock, sender, told } = await open(gone(1_699_999_000_000));
  const drafts = [draft(), draft(), draft()];
  const [one = "", two = "", three = ""] = drafts.map(({ deviceTokens }) => deviceTokens[0]);
  await delivery.submit("demo", drafts);
  await rest();
  outcomes.tellerFor("demo", "sandbox").registered(one, 1_699_998_000_000);
  await clock.pass(200);
  expect((await outcomes.feedback.list("demo", 0, 10)).items).toHaveLength(3);
  outcomes.tellerFor("demo", "sandbox").registered(one, clock.now());
  sender.reply = accepted;
  await delivery.submit("demo", drafts.slice(1, 2));
  await clock.pass(200);
  expect(await outcomes.feedback.restore("demo", three)).toBe(true);
  expect(await outcomes.feedback.restore("demo", three)).toBe(false);
  const restored = await told("token.restored");
  expect(restored.map(({ data }) => [data.token, data.cause])).toEqual([
    [one, "registered"],
    [two, "accepted"],
    [three, "request"],
  ]);
});

test("of a thousand that are accepted at once each one's verdict is taken back, and none is passed on what was just accepted", async () => {
  const { delivery, outcomes, clock, told } = await open(gone(1_699_999_000_000));
  const suspects = [draft(), draft(), draft(), draft()];
  await delivery.submit("demo", suspects);
  await rest();
  const tokens = Array.from({ length: 1_300 }, (_, at) => (0xbee0000 + at).toString(16).padStart(64, "0"));
  for (const [index, at] of [0, 511, 512, 1_299].entries())
    tokens[at] = suspects[index]?.deviceTokens[0] ?? "";
  const teller = outcomes.tellerFor("demo", "sandbox");
  for (const token of tokens) teller.accepted(token, clock.now(), true);
  const outcome: Outcome = { ...bad({ apnsId: "" } as Sent), reason: "Unregistered" } as Outcome;
  const since = { goneSinceMs: clock.now() - 1_000 };
  const told410 = { ...outcome, status: 410, ...since } as Outcome;
  const [late = ""] = tokens.slice(-2);
  expect(
    teller.ended({ id: "", status: "rejected", outcome: told410, deviceToken: late }),
  ).not.toHaveProperty("verdict");
  await clock.pass(200);
  const restored = (await told("token.restored")).map(({ data }) => data.token);
  expect(restored.sort()).toEqual(suspects.map(({ deviceTokens }) => deviceTokens[0]).sort());
});

test("verdicts of an earlier life are taken back too", async () => {
  const first = await open(gone(1_699_999_000_000));
  const drafts = [draft()];
  await first.delivery.submit("demo", drafts);
  await rest();
  const logger = { info: () => undefined, warn: () => undefined };
  const second = new Outcomes({ store: first.store, clock: first.clock, logger });
  await second.load(["demo"]);
  second.tellerFor("demo", "sandbox").accepted(drafts[0]?.deviceTokens[0] ?? "", first.clock.now(), true);
  await first.clock.pass(200);
  expect((await second.feedback.list("demo", 0, 10)).items).toEqual([]);
});

test("row 63: 10,000 device tokens of the other environment: none is gone, and an alarm within 100 answers", async () => {
  const { delivery, outcomes, sender, told } = await open(bad);
  let alarmedAfter: number | undefined;
  for (let batch = 0; batch < 100; batch += 1) {
    await delivery.submit("demo", [draft({ devices: 100 })]);
    await rest(30);
    if (alarmedAfter === undefined && (await told("environment.suspect")).length > 0)
      alarmedAfter = sender.sent.length;
  }
  expect(sender.sent).toHaveLength(10_000);
  expect(alarmedAfter).toBeLessThanOrEqual(100);
  const alarms = await told("environment.suspect");
  expect(alarms).toHaveLength(1);
  expect(alarms[0]?.data).toMatchObject({
    environment: "sandbox",
    reason: "BadDeviceToken",
    bad: 40,
    of: 40,
    sending: "goes-on",
  });
  expect(await told("token.gone")).toEqual([]);
  // What was suspected before the alarm is taken back.
  expect((await outcomes.feedback.list("demo", 0, 100)).items).toEqual([]);
});

test("row 63: an app that wants so is paused then, over a new start too, and the rest of its queue waits", async () => {
  const bench = await open(bad, "pause");
  const { delivery, outcomes, sender, told } = bench;
  for (let batch = 0; batch < 10; batch += 1) {
    await delivery.submit("demo", [draft({ devices: 100 })]);
    await rest(30);
  }
  expect(sender.sent).toHaveLength(100);
  const [alarm, ...more] = await told("environment.suspect");
  expect([alarm?.data.sending, more]).toEqual(["pauses", []]);
  const reason = "40 of the latest 40 device tokens turned bad in sandbox: BadDeviceToken";
  expect(delivery.status("demo")).toMatchObject({ pause: { reason }, queued: 900 });
  expect((await outcomes.feedback.list("demo", 0, 100)).items).toEqual([]);
  expect((await bench.restart()).status("demo").pause).toMatchObject({ reason });
  await rest(100);
  expect(sender.sent).toHaveLength(100);
});

/** An app that resolves environments: the sandbox knows no device token. */
async function openResolving(production: FakeSender["reply"]) {
  const senders = { sandbox: new FakeSender(bad), production: new FakeSender(production) };
  const bench = await openBench({
    senderFor: (_app, environment) => senders[environment],
    resolvesEnvironment: () => true,
    tellerFor: (app, environment) => outcomes.tellerFor(app, environment),
  });
  const pauses: string[] = [];
  const outcomes: Outcomes = new Outcomes({
    ...{ store: bench.store, clock: bench.clock, logger: { info: () => undefined, warn: () => undefined } },
    pauseFor: () => (reason) => void pauses.push(reason),
  });
  const told = async (...types: string[]) =>
    (await outcomes.log.read({ limit: 1_000, types: types as never[] })).items;
  const submit = async (devices: number) => {
    const wanted = draft({ devices, environmentChoice: "open" });
    await bench.delivery.submit("demo", [wanted]);
    await bench.clock.pass(200);
    return wanted;
  };
  return { ...bench, outcomes, told, submit, pauses };
}

test("what neither environment knows is told as the first one would have been, and in masses there is an alarm", async () => {
  const { outcomes, told, submit, pauses } = await openResolving(bad);
  const { deviceTokens } = await submit(3);
  const verdicts = async () =>
    (await outcomes.feedback.list("demo", 0, 100)).items.map(({ token, verdict, environment }) => [
      ...[token, verdict, environment],
    ]);
  expect(await verdicts()).toEqual(deviceTokens.map((token) => [token, "suspect", "sandbox"]));
  const [rejection] = await told("notification.rejected");
  expect(rejection?.data).toMatchObject({ environment: "sandbox", reason: "BadDeviceToken", status: 400 });
  await submit(100);
  expect(await told("environment.suspect")).toMatchObject([{ data: { environment: "sandbox" } }]);
  expect(pauses).toHaveLength(1);
  expect(await verdicts()).toEqual([]);
});

test("device tokens that the other environment knows raise no alarm, pause nothing and have no verdict", async () => {
  const { outcomes, told, submit, pauses, delivery } = await openResolving((sent) =>
    // One in fifty is bad everywhere.
    Number.parseInt(sent.deviceToken.slice(-8), 16) % 50 === 0 ? bad(sent) : accepted(sent),
  );
  for (let times = 0; times < 30; times += 1) await submit(100);
  expect(delivery.health).toMatchObject({ queued: 0 });
  expect(await told("environment.suspect", "token.gone")).toEqual([]);
  expect(pauses).toEqual([]);
  const { items } = await outcomes.feedback.list("demo", 0, 1_000);
  expect(items).toHaveLength(60);
  const runs = await told("notification.accepted");
  expect(new Set(runs.map(({ data }) => data.environment))).toEqual(new Set(["production"]));
});

test("a mass of 410 is held back as well, and verdicts are passed again once it is calm", async () => {
  const { delivery, outcomes, sender } = await open(gone(1_699_999_000_000));
  await delivery.submit("demo", [draft({ devices: 500 })]);
  await rest(100);
  expect((await outcomes.feedback.list("demo", 0, 1_000)).items).toEqual([]);
  sender.reply = accepted;
  await delivery.submit("demo", [draft({ devices: 500 })]);
  await rest(100);
  sender.reply = gone(1_699_999_000_000);
  await delivery.submit("demo", [draft()]);
  await rest();
  expect((await outcomes.feedback.list("demo", 0, 1_000)).items).toMatchObject([{ verdict: "gone" }]);
});

test("a route that is parked by its key, and released, is told of once each", async () => {
  const { delivery, clock, sender, told } = await open(wrongKey);
  await delivery.submit("demo", [draft(), draft()]);
  await clock.pass(30_000);
  expect(await told("route.parked", "route.released")).toMatchObject([
    { type: "route.parked", data: { reason: "InvalidProviderToken", fault: "credential" } },
  ]);
  sender.reply = accepted;
  await clock.pass(120_000);
  expect((await told("route.parked", "route.released")).map(({ type }) => type)).toEqual([
    "route.parked",
    "route.released",
  ]);
});

test("Apple's troubles are told when they begin and when they are over", async () => {
  const { outcomes, told, clock } = await open();
  const teller = outcomes.tellerFor("demo", "sandbox");
  const trouble: Outcome = {
    kind: "rejected",
    apnsId: "",
    attempts: 1,
    status: 503,
    reason: "ServiceUnavailable",
  };
  const states = async () => (await told("apple.degraded")).map(({ data }) => data.state);
  const accept = (isFirstAttempt: boolean): void => {
    for (let at = 0; at < 300; at += 1)
      teller.accepted(at.toString(16).padStart(64, "0"), clock.now(), isFirstAttempt);
  };
  accept(true);
  // The same few devices, again and again.
  for (let at = 0; at < 3_000; at += 1) teller.retrying(trouble, at % 100 === 0);
  await rest();
  expect(await states()).toEqual([]);
  for (let at = 0; at < 300; at += 1) teller.retrying(trouble, true);
  await rest();
  expect(await states()).toEqual(["degraded"]);
  // What waited meanwhile is enough to see that it is over.
  accept(false);
  await rest();
  expect(await states()).toEqual(["degraded", "recovered"]);
});

test("nothing is told before it is on disk", async () => {
  const { delivery, held, told, sender } = await open();
  await delivery.submit("demo", [draft(), draft()]);
  await rest();
  const write = held.hold("settle");
  sender.answer(accepted, 1);
  sender.answer(bad, 1);
  await rest();
  expect(await told()).toEqual([]);
  write();
  await rest();
  expect((await told()).map(({ type }) => type)).toEqual([
    "notification.accepted",
    "notification.rejected",
    "token.suspect",
  ]);
});
