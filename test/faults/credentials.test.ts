/** Rows 51 to 54, 56 and 58 of docs/faults.md: provider tokens that live too long, change too often or meet a wrong clock. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, readProviderToken, systemClock } from "@carillon/apns";
import { type Simulator, type SimulatorOptions, startSimulator } from "@carillon/simulator";
import { describe, expect, test } from "vitest";
import { openClient, start, startPeer, stopAfterTest } from "../support/faults.ts";
import { temporaryFolder } from "../support/gateways.ts";
import { countKinds, deviceToken, notification, providerKey, sendAtOnce } from "../support/sending.ts";

const minute = 60_000;

/** Hours pass when a test says so; timers keep to the system's time, so that connections live on meanwhile. */
class LeapingClock implements Clock {
  #aheadMs = 0;
  now = (): number => Date.now() + this.#aheadMs;
  monotonic = (): number => systemClock.monotonic() + this.#aheadMs;
  setTimer = systemClock.setTimer;
  leap(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** A simulator that counts changes of provider tokens over the whole team, and a client with the same clock. */
async function openTeam(options: SimulatorOptions = {}) {
  const clock = new LeapingClock();
  const simulator = await startSimulator({ clock, assumptions: { tokenUpdatesBy: "team" }, ...options });
  stopAfterTest(() => simulator.close());
  const { credentials, topic } = simulator;
  const client = openClient(simulator, { clock, topic, credentials: credentials.token });
  return { clock, simulator, client };
}

/** When each provider token was seen first, whether it was taken or not. */
function firstSights({ history }: Simulator): number[] {
  const seen = new Map<string, number>();
  for (const { fields, atMs } of history.pushes) {
    const token = fields[fields.indexOf("authorization") + 1] ?? "";
    if (!seen.has(token)) seen.set(token, atMs);
  }
  return [...seen.values()];
}

const gapsBetween = (times: readonly number[]): number[] =>
  times.slice(1).map((time, each) => time - times[each]!);

test("row 51: over a day with a send a minute no provider token is refused, and few are made", async () => {
  const { clock, simulator, client } = await openTeam();
  for (let each = 0; each < 24 * 60; each += 1) {
    expect(await client.send(notification(each))).toMatchObject({ kind: "accepted", attempts: 1 });
    clock.leap(minute);
  }
  const tokens = firstSights(simulator).length;
  expect(tokens).toBeGreaterThanOrEqual(24);
  expect(tokens).toBeLessThanOrEqual(72);
});

test("row 52: ten thousand sends bear one provider token", async () => {
  const { simulator, client } = await openTeam();
  expect(countKinds(await sendAtOnce(client, 10_000))).toEqual({ accepted: 10_000 });
  expect(firstSights(simulator)).toHaveLength(1);
});

test("row 53: first used 46 minutes after the client was made, a provider token stays for 20 minutes and more", async () => {
  const { clock, simulator, client } = await openTeam();
  clock.leap(46 * minute);
  for (let each = 0; each < 180; each += 1) {
    expect(await client.send(notification(each))).toMatchObject({ kind: "accepted", attempts: 1 });
    clock.leap(minute);
  }
  const gaps = gapsBetween(firstSights(simulator));
  expect(gaps.length).toBeGreaterThanOrEqual(3);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20 * minute);
});

test("row 54: four processes with eight connections, started three times at one moment, use one provider token", {
  timeout: 60_000,
}, async () => {
  const { simulator } = await openTeam();
  const cacheFile = join(temporaryFolder(), "provider-token");
  const { endpoint, ca, topic, credentials } = simulator;
  const program = fileURLToPath(new URL("support/sender-program.js", import.meta.url));
  for (const life of [0, 1, 2]) {
    const processes = [0, 1, 2, 3].map((each) => {
      const deviceTokens = Array.from({ length: 50 }, (_, at) => deviceToken((life * 4 + each) * 50 + at));
      const task = { endpoint, ca, topic, credentials: credentials.token, cacheFile, deviceTokens };
      const child = fork(program, [JSON.stringify(task)], { execArgv: [] });
      stopAfterTest(async () => child.kill("SIGKILL"));
      return child;
    });
    await Promise.all(processes.map((each) => once(each, "message")));
    const ended = processes.map((each) => once(each, "exit"));
    const accepted = processes.map(async (each) => (await once(each, "message"))[0]);
    for (const each of processes) each.send("go");
    expect(await Promise.all(accepted)).toEqual([50, 50, 50, 50]);
    await Promise.all(ended);
  }
  expect(simulator.connections.all).toHaveLength(24);
  expect(firstSights(simulator)).toHaveLength(1);
});

describe("row 56: a clock that is off", () => {
  /** What APNs says to a provider token that is from the future, or too old. */
  function judge(authorization = ""): string | undefined {
    const read = readProviderToken(authorization.replace("bearer ", ""));
    if (read.kind !== "read") return "InvalidProviderToken";
    const ageMs = Date.now() - read.claims.issuedAtSeconds * 1000;
    if (ageMs < -5 * minute) return "InvalidProviderToken";
    return ageMs > 60 * minute ? "ExpiredProviderToken" : undefined;
  }

  test.each([
    ["40 minutes ahead", 40 * minute, "InvalidProviderToken"],
    ["70 minutes behind", -70 * minute, "ExpiredProviderToken"],
  ])("%s is named in the outcome, the log and the snapshot", async (words, aheadMs, reason) => {
    const logged: string[] = [];
    const { client } = await start(
      {
        onRequest: (request) => {
          const refusal = judge(request.headers.get("authorization"));
          const date = ["date", new Date().toUTCString()];
          if (refusal === undefined) request.connection.answer(request, 200, undefined, date);
          else request.connection.answer(request, 403, { reason: refusal }, date);
        },
      },
      {
        clock: { ...systemClock, now: () => Date.now() + aheadMs },
        logger: { info: () => undefined, warn: (message) => logged.push(message) },
      },
    );
    const outcomes = [await client.send(notification(1)), await client.send(notification(2))];
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ kind: "rejected", reason, detail: expect.stringContaining(words) });
    expect(Math.abs((client.snapshot().clockSkewMs ?? 0) - aheadMs)).toBeLessThan(minute);
    const told = logged.filter((message) => message.includes(words)).length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(2);
  });
});

test("row 58: fifty teams send at once, and no connection ever shows two of them", async () => {
  const teams = new Map<number, Set<string>>();
  const peer = await startPeer({
    onRequest: (request) => {
      const { connection } = request;
      const read = readProviderToken((request.headers.get("authorization") ?? "").replace("bearer ", ""));
      const known = teams.get(connection.ordinal) ?? new Set();
      teams.set(connection.ordinal, known.add(read.kind === "read" ? read.claims.teamId : "none"));
      connection.answer(request);
    },
  });
  const clients = Array.from({ length: 50 }, (_, each) => {
    const teamId = `TEAM${String(each).padStart(6, "0")}`;
    return openClient(peer, {
      credentials: { kind: "token", key: providerKey, keyId: "ABC123DEFG", teamId },
    });
  });
  const outcomes = await Promise.all(clients.map((client, each) => sendAtOnce(client, 20, {}, each * 20)));
  expect(countKinds(outcomes.flat())).toEqual({ accepted: 1000 });
  expect([...teams.values()].map(({ size }) => size)).toEqual(Array.from(teams, () => 1));
  expect(new Set([...teams.values()].flatMap((each) => [...each])).size).toBe(50);
});
