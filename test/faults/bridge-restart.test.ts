/**
 * The bridge stops, or is killed, with 1,000 frames in flight: what a sender may take its silence for, in each mode, as
 * docs/promises.md says it. The gateway is the real command; Apple's side goes on when it ends.
 */
import { realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorStatus } from "@carillon/apns/binary";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { cleanUp, makeFolder, type RunningCommand, start } from "../support/command-line.ts";
import { frame, LegacySender, type SenderIdentity } from "../support/legacy-sender.ts";
import { deviceToken } from "../support/sending.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

type Mode = "queued" | "pass-through";

const modes = ["queued", "pass-through"] as const;
const deadlineMs = 25_000;
/** So that what is in flight stays there for a moment. */
const slowly = { rules: { do: { answer: { delayMs: 500 } } } } as const;

afterEach(cleanUp);

interface Site {
  readonly apple: Simulator;
  /** Starts the command, and resolves when its bridge is open. */
  open(): Promise<{ readonly server: RunningCommand; readonly sender: SenderIdentity }>;
}

async function makeSite(mode: Mode): Promise<Site> {
  const apple = await startSimulator({ scenario: slowly });
  onTestFinished(() => apple.close());
  const { ca, cert, key } = await makeServerCertificate();
  const folder = realpathSync(makeFolder());
  const { certificate, token } = apple.credentials;
  const files = { "key.p8": token.key, "ca.pem": apple.ca, "bridge.pem": cert, "bridge-key.pem": key };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const app = {
    ...{ name: "demo", topic: apple.topic, environment: "sandbox", endpoint: apple.endpoint, ca: "ca.pem" },
    credentials: { token: { keyFile: "key.p8", keyId: token.keyId, teamId: token.teamId } },
  };
  const binary = {
    ...{ host: "127.0.0.1", port: 0, feedbackPort: 0, cert: "bridge.pem", key: "bridge-key.pem" },
    ...{ clientCa: "ca.pem", mode },
  };
  const config = { listen: { port: 0 }, data: "data", apps: [app], binary };
  writeFileSync(join(folder, "carillon.yaml"), JSON.stringify(config));
  return {
    apple,
    async open() {
      const server = start(["serve"], { folder });
      const port = await until(() => {
        if (server.child.exitCode !== null) throw new Error(server.stderr);
        const [, found] = /"port":(\d+)[^\n]*the bridge is open/.exec(server.stderr) ?? [];
        return found;
      });
      return { server, sender: { port: Number(port), ca, cert: certificate.cert, key: certificate.key } };
    },
  };
}

function until<Value>(look: () => Value | undefined | false): Promise<Value> {
  return vi.waitUntil(look, { timeout: deadlineMs, interval: 50 }) as Promise<Value>;
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function framesOf(ordinals: readonly number[]): Buffer {
  return Buffer.concat(ordinals.map((ordinal) => frame(ordinal)));
}

/** Writes all of these and ends in order. True when the bridge had nothing to say. */
async function sendOut(identity: SenderIdentity, ordinals: readonly number[]): Promise<boolean> {
  const sender = await new LegacySender(identity).connected();
  sender.write(framesOf(ordinals));
  const { response, code } = await sender.finish();
  return response === undefined && code === undefined;
}

/** How often Apple took a push for each of these. */
function timesTaken({ apple }: Site, ordinals: readonly number[]): number[] {
  const counts = apple.history.countByDeviceToken({ status: 200 });
  return ordinals.map((ordinal) => counts.get(deviceToken(ordinal)) ?? 0);
}

/** How many `apns-id`s came for each of these. */
function idsOf({ apple }: Site, ordinals: readonly number[]): number[] {
  const ids = new Map<string, Set<string>>();
  for (const { deviceToken: to = "", apnsId } of apple.history.pushes)
    ids.set(to, (ids.get(to) ?? new Set()).add(apnsId));
  return ordinals.map((ordinal) => ids.get(deviceToken(ordinal))?.size ?? 0);
}

function taken({ apple }: Site, count: number): Promise<unknown> {
  return apple.history.waitFor({ count, status: 200, timeoutMs: deadlineMs });
}

test.each(modes)(
  "SIGTERM with 1,000 frames in flight: status 10 names the last one taken, and what is sent again behind it makes each arrive once (%s)",
  { timeout: 60_000 },
  async (mode) => {
    const site = await makeSite(mode);
    const first = await site.open();
    const sender = await new LegacySender(first.sender).connected();
    sender.write(framesOf(upTo(1_000)));
    await taken(site, 1);
    first.server.signal("SIGTERM");
    const { response, code } = await sender.ended;
    expect({ status: response?.status, code }).toEqual({ status: errorStatus.shutdown, code: undefined });
    expect((await first.server.ended()).status).toBe(0);
    const last = response?.identifier ?? 0;
    // Of what was not named Apple has nothing; what was named is with Apple, or on disk.
    const behind = upTo(1_000, last + 1);
    expect(timesTaken(site, behind)).toEqual(behind.map(() => 0));
    if (mode === "pass-through") expect(timesTaken(site, upTo(last))).toEqual(upTo(last).map(() => 1));

    site.apple.setScenario({ rules: [] });
    const second = await site.open();
    expect(await sendOut(second.sender, behind)).toBe(true);
    await taken(site, 1_000);
    second.server.signal("SIGTERM");
    await second.server.ended();
    expect(timesTaken(site, upTo(1_000))).toEqual(upTo(1_000).map(() => 1));
  },
);

test("kill -9, queued: what an orderly end was answered for is sent without its sender, at most twice and then under one id", {
  timeout: 60_000,
}, async () => {
  const site = await makeSite("queued");
  const first = await site.open();
  const open = await new LegacySender(first.sender).connected();
  expect(await sendOut(first.sender, upTo(1_000))).toBe(true);
  open.write(framesOf(upTo(2_000, 1_001)));
  first.server.signal("SIGKILL");
  await first.server.ended();
  expect((await open.ended).response).toBeUndefined();
  expect(timesTaken(site, upTo(1_000)).some((times) => times === 0)).toBe(true);

  site.apple.setScenario({ rules: [] });
  const second = await site.open();
  // Of those behind, silence proved nothing: the sender sends all of them again.
  expect(await sendOut(second.sender, upTo(2_000, 1_001))).toBe(true);
  await until(() => timesTaken(site, upTo(2_000)).every((times) => times > 0));
  second.server.signal("SIGTERM");
  await second.server.ended();
  expect(Math.max(...timesTaken(site, upTo(1_000)))).toBeLessThanOrEqual(2);
  expect(new Set(idsOf(site, upTo(1_000)))).toEqual(new Set([1]));
  expect(Math.max(...idsOf(site, upTo(2_000, 1_001)))).toBeLessThanOrEqual(2);
});

test("kill -9, pass-through: what an orderly end was answered for is with Apple, and of the rest only what Apple had arrives twice", {
  timeout: 60_000,
}, async () => {
  const site = await makeSite("pass-through");
  const first = await site.open();
  expect(await sendOut(first.sender, upTo(200))).toBe(true);
  expect(timesTaken(site, upTo(200))).toEqual(upTo(200).map(() => 1));
  const open = await new LegacySender(first.sender).connected();
  open.write(framesOf(upTo(1_200, 201)));
  await taken(site, 201);
  first.server.signal("SIGKILL");
  await first.server.ended();
  expect((await open.ended).response).toBeUndefined();

  site.apple.setScenario({ rules: [] });
  const second = await site.open();
  const others = upTo(1_200, 201);
  const before = timesTaken(site, others);
  const had = before.filter((times) => times > 0).length;
  expect(had).toBeGreaterThan(0);
  expect(had).toBeLessThan(others.length);
  expect(await sendOut(second.sender, others)).toBe(true);
  // Nothing came from anywhere but its sender: what was in flight lay on no disk.
  expect(timesTaken(site, others)).toEqual(before.map((times) => times + 1));
  expect(Math.max(...before)).toBe(1);
  second.server.signal("SIGTERM");
  await second.server.ended();
  expect(timesTaken(site, upTo(200))).toEqual(upTo(200).map(() => 1));
});
