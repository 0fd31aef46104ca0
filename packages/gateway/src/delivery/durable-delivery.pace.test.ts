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
  unreachable,
  wrongKey,
} from "./bench.test-support.ts";
import { defaults } from "./open-delivery.ts";

test("an app's rate holds for all its routes and lanes together, evenly, and slows no other app", async () => {
  const limited = new FakeSender(accepted);
  const free = new FakeSender(accepted);
  const { delivery, clock } = await openBench({
    senderFor: (app) => (app === "limited" ? limited : free),
    rateOf: (app) => (app === "limited" ? 100 : undefined),
  });
  for (const environment of ["sandbox", "production"] as const)
    for (const lane of ["urgent", "normal", "bulk"] as const)
      await delivery.submit("limited", [draft({ devices: 500, environment, lane })]);
  await delivery.submit("free", [draft({ devices: 2_000 })]);
  await rest(400);
  expect(free.sent).toHaveLength(2_000);
  expect(limited.sent).toHaveLength(6);
  let before = 6;
  for (let second = 0; second < 20; second += 1) {
    await clock.pass(1_000);
    const sent = limited.sent.length - before;
    before = limited.sent.length;
    expect(sent).toBeGreaterThanOrEqual(98);
    expect(sent).toBeLessThanOrEqual(102);
  }
});

test("what has expired costs nothing of the rate", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openBench({ senderFor: () => sender, rateOf: () => 1 });
  await delivery.submit("demo", [
    draft({ devices: 50, expirationSeconds: clock.now() / 1_000 - 1 }),
    draft({ devices: 1 }),
  ]);
  await rest();
  expect(sender.sent).toHaveLength(1);
  expect(delivery.health).toMatchObject({ queued: 0 });
});

test("a clock that jumps by an hour, either way, changes nothing about a rate", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openBench({ senderFor: () => sender, rateOf: () => 100 });
  await delivery.submit("demo", [draft({ devices: 2_000 })]);
  for (const jumpMs of [3_600_000, -3_600_000]) {
    const before = sender.sent.length;
    clock.jump(jumpMs);
    await clock.pass(5_000);
    expect(sender.sent.length - before).toBeGreaterThanOrEqual(490);
    expect(sender.sent.length - before).toBeLessThanOrEqual(510);
  }
});

test("a new route begins with 64 in flight, and has all it may after five round trips", async () => {
  const sender = new FakeSender();
  const { delivery } = await openBench({ senderFor: () => sender });
  for (let batch = 0; batch < 10; batch += 1) await delivery.submit("demo", [draft({ devices: 1_000 })]);
  await rest();
  expect(sender.open).toHaveLength(64);
  for (let roundTrip = 0; roundTrip < 5; roundTrip += 1) {
    sender.answer(accepted);
    await rest();
  }
  expect(sender.open).toHaveLength(2_000);
});

test("a route that is well again after a fault begins carefully", async () => {
  const sender = new FakeSender(accepted);
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  for (let batch = 0; batch < 5; batch += 1) await delivery.submit("demo", [draft({ devices: 1_000 })]);
  await rest(400);
  expect(delivery.health.queued).toBe(0);
  sender.reply = unreachable;
  for (let batch = 0; batch < 5; batch += 1) await delivery.submit("demo", [draft({ devices: 1_000 })]);
  await clock.pass(10_000);
  sender.reply = () => undefined;
  await clock.pass(1_000);
  expect(sender.open).toHaveLength(1);
  sender.answer(accepted);
  await rest();
  expect(sender.open).toHaveLength(64);
});

test("while Apple refuses everything for its own sake one goes out now and then, and all is delivered after it", async () => {
  const sender = new FakeSender(unavailable);
  const budget = { ...defaults.budget, firstDelayMs: 1_000, longestDelayMs: 20_000 };
  const { delivery, clock, log } = await openBench({ senderFor: () => sender, budget });
  for (let batch = 0; batch < 4; batch += 1) await delivery.submit("demo", [draft({ devices: 500 })]);
  await clock.pass(5_000);
  const before = sender.sent.length;
  expect(log).toContain("route paused; its notifications stay queued");
  expect(delivery.waitingFor("demo", "sandbox")).toBe("ServiceUnavailable");
  await clock.pass(60_000);
  expect(sender.sent.length - before).toBeGreaterThan(60);
  expect(sender.sent.length - before).toBeLessThan(200);
  sender.reply = accepted;
  await clock.pass(60_000);
  expect(delivery.health).toMatchObject({ queued: 0, inFlight: 0 });
});

test("row 72: one device token that always gets 503 slows none of the others", async () => {
  const sender = new FakeSender();
  const { delivery } = await openBench({ senderFor: () => sender });
  const [first = ""] = await delivery.submit("demo", [draft()]);
  sender.reply = (each) => (each.apnsId === first ? unavailable(each) : accepted(each));
  for (let batch = 0; batch < 20; batch += 1) {
    await delivery.submit("demo", [draft({ devices: 500 })]);
    await rest(100);
    expect(delivery.health.queued).toBe(1);
  }
  expect(delivery.waitingFor("demo", "sandbox")).toBeUndefined();
});

test("payloads in flight are bounded over all routes, and a few that are stuck let others send", async () => {
  const silent = new FakeSender();
  const others = new FakeSender(accepted);
  const routeLimits = { ...defaults.routeLimits, maxInFlightBytesInAll: 100_000 };
  const { delivery } = await openBench({
    senderFor: (app) => (app.startsWith("silent") ? silent : others),
    routeLimits,
  });
  const payload = Buffer.alloc(4_000, "x");
  await delivery.submit("silent-1", [draft({ devices: 60, payload })]);
  await delivery.submit("silent-2", [draft({ devices: 60, payload })]);
  await rest();
  // 100 kB, and what the second has of its own.
  expect(silent.sent.length * 4_000).toBeLessThan(100_000 + 65_536 + 2 * 4_000);
  await delivery.submit("well", [draft({ devices: 200, payload })]);
  await rest(400);
  expect(others.sent).toHaveLength(200);
});

test("when nearly all device tokens of a route are bad, the reason says so; a single dead one is called by its name", async () => {
  const wrong = new FakeSender(badToken);
  const right = new FakeSender((each) => (each.deviceToken.endsWith("0") ? badToken(each) : accepted(each)));
  const { delivery, log } = await openBench({ senderFor: (app) => (app === "wrong" ? wrong : right) });
  const ids = await delivery.submit("wrong", [draft({ devices: 30 })]);
  await delivery.submit("right", [draft({ devices: 30 })]);
  const [dead = ""] = await delivery.submit("right", [draft({ deviceTokens: ["0".repeat(64)] })]);
  await rest(100);
  const reasonOf = async (app: string, id: string) => (await delivery.find(app, id))?.reason;
  expect(await reasonOf("wrong", ids[8] ?? "")).toBe("BadDeviceToken");
  expect(await reasonOf("wrong", ids[29] ?? "")).toBe("environment-suspect: BadDeviceToken");
  const record = await delivery.find("wrong", ids[29] ?? "");
  expect(record?.attempts).toMatchObject([{ outcome: "rejected", reason: "BadDeviceToken" }]);
  expect(await reasonOf("right", dead)).toBe("BadDeviceToken");
  expect(log).toEqual(["nearly all device tokens are bad: environment or topic may be wrong"]);
});

test("row 87: of 50 apps one has a refused key and one a huge backlog, and the others get equal shares, from disk too", async () => {
  const sent = new Map<string, number>();
  let all = 0;
  let half: number[] = [];
  const note = (app: string): void => {
    sent.set(app, (sent.get(app) ?? 0) + 1);
    all += 1;
    if (all === 25_000) half = [...sent.values()];
  };
  const wrong = new FakeSender(wrongKey);
  const senders = new Map<string, FakeSender>();
  const senderFor = (app: string): FakeSender => {
    let sender = senders.get(app);
    if (sender === undefined) {
      sender = new FakeSender((each) => {
        note(app);
        return accepted(each);
      });
      senders.set(app, sender);
    }
    return sender;
  };
  const { delivery } = await openBench({
    senderFor: (app) => (app === "wrong" ? wrong : senderFor(app)),
    // Not a tenth of what waits.
    memory: { maxResidentBytes: 400_000, maxAppBytes: 200_000, maxLaneBytes: 100_000 },
  });
  const others = Array.from({ length: 48 }, (_, index) => `app-${index}`);
  const apps = ["huge", "wrong", ...others];
  await Promise.all(apps.map((app) => delivery.pause(app)));
  for (let batch = 0; batch < 20; batch += 1) await delivery.submit("huge", [draft({ devices: 1_000 })]);
  for (const app of [...others, "wrong"])
    for (let batch = 0; batch < 4; batch += 1) await delivery.submit(app, [draft({ devices: 250 })]);
  await Promise.all(apps.map((app) => delivery.resume(app)));
  await expect.poll(() => all, { timeout: 60_000, interval: 20 }).toBe(68_000);
  expect(half).toHaveLength(49);
  const sum = half.reduce((total, each) => total + each, 0);
  const squares = half.reduce((total, each) => total + each * each, 0);
  // Jain's index: 1 where all have the same.
  expect(sum ** 2 / (half.length * squares)).toBeGreaterThan(0.95);
  expect(delivery.status("wrong")).toMatchObject({ queued: 1_000 });
});

test.each([
  { perSecond: 100, maxUnanswered: 2_000, maxInFlight: 400, seconds: 300, triedAgain: 1_000 },
  // Of those that never answer four times as many are out as may be unanswered.
  { perSecond: 200, maxUnanswered: 100, maxInFlight: 800, seconds: 60, triedAgain: 40 },
])(
  "row 66: a tenth of the devices that never answer keeps none of the others waiting: $perSecond a second",
  async ({ perSecond, seconds, triedAgain, ...limits }) => {
    /** When each of those that are not answered was sent. */
    const sentAtMs: number[] = [];
    let [answered, silent] = [0, 0];
    const sender = new FakeSender((notification) => {
      if (notification.deviceToken.startsWith("beef")) {
        answered += 1;
        return accepted(notification);
      }
      silent += 1;
      sentAtMs.push(clock.monotonic());
      return undefined;
    });
    const { delivery, clock } = await openBench({
      senderFor: () => sender,
      routeLimits: { ...defaults.routeLimits, ...limits },
    });
    // A tenth of a second's worth at a time, so that time runs out for some now and then and not for many at once.
    const tenth = perSecond / 10;
    const hundredth = tenth / 10;
    const tokens = (kind: string, first: number, count: number) =>
      Array.from({ length: count }, (_, at) => kind + (first + at).toString(16).padStart(60, "0"));
    for (let sent = 0; sent < perSecond * seconds; sent += tenth) {
      await delivery.submit("demo", [
        draft({ deviceTokens: tokens("dead", sent, hundredth) }),
        draft({ deviceTokens: tokens("beef", sent, tenth - hundredth) }),
      ]);
      await clock.pass(100);
      expect(answered).toBe((sent / tenth + 1) * (tenth - hundredth));
      // The client gives up after 20 s.
      const late = sentAtMs.filter((atMs) => atMs <= clock.monotonic() - 20_000).length;
      sentAtMs.splice(0, late);
      sender.answer(noAnswer, late);
    }
    // They are tried again all the while.
    expect(silent).toBeGreaterThan(tenth * seconds + triedAgain);
  },
);

test("row 66: a tenth of the devices that always get 503 keeps none of the others waiting, however often it is tried again", async () => {
  let [answered, refused] = [0, 0];
  const sender = new FakeSender((notification) => {
    const isWell = notification.deviceToken.startsWith("beef");
    if (isWell) answered += 1;
    else refused += 1;
    return isWell ? accepted(notification) : unavailable(notification);
  });
  const { delivery, clock, log } = await openBench({ senderFor: () => sender });
  const tokens = (kind: string, first: number, count: number) =>
    Array.from({ length: count }, (_, at) => kind + (first + at).toString(16).padStart(60, "0"));
  const seconds = 600;
  for (let second = 0; second < seconds; second += 1) {
    await delivery.submit("demo", [
      draft({ deviceTokens: tokens("dead", 2 * second, 2) }),
      draft({ deviceTokens: tokens("beef", 18 * second, 18) }),
    ]);
    await clock.pass(1_000);
    expect(answered).toBe(18 * (second + 1));
  }
  // Much more often than a quarter of all answers.
  expect(refused).toBeGreaterThan(answered / 2);
  expect(delivery.status("demo").routes).toMatchObject([{ maxUnanswered: 64, breaker: "open" }]);
  expect(log).toEqual([]);
});

test("while nobody is answered no more leave than may be unanswered", async () => {
  const sender = new FakeSender();
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  await delivery.submit("demo", [draft({ devices: 1_000 })]);
  await rest();
  const { maxUnanswered } = delivery.status("demo").routes[0] ?? { maxUnanswered: 0 };
  await clock.pass(10_000);
  expect(sender.sent).toHaveLength(maxUnanswered);
  expect(delivery.status("demo").routes).toMatchObject([{ unanswered: maxUnanswered, maxUnanswered }]);
});

test("a clock that jumps by an hour, either way, is taken for no slow answer", async () => {
  const sender = new FakeSender();
  const { delivery, clock } = await openBench({ senderFor: () => sender });
  for (let batch = 0; batch < 6; batch += 1) await delivery.submit("demo", [draft({ devices: 1_000 })]);
  await rest();
  for (const jumpMs of [3_600_000, -7_200_000, 3_600_000]) {
    clock.jump(jumpMs);
    sender.answer(accepted);
    await rest();
  }
  expect(sender.open).toHaveLength(512);
});
