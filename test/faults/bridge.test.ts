/** Rows 75 to 83: the bridge, from the side of a sender that speaks the retired binary protocol. */
import { encodeFrame, errorStatus, FeedbackDecoder } from "@carillon/apns/binary";
import { VirtualClock } from "@carillon/simulator";
import { expect, test } from "vitest";
import { type BridgeSite, identitiesFor, openBridge } from "../support/bridges.ts";
import { call, openGateway } from "../support/gateways.ts";
import { frame, type LastWords, LegacySender, type SenderIdentity } from "../support/legacy-sender.ts";
import { deviceToken } from "../support/sending.ts";

const bad = [3, 500, 999];
const deadOf = (ordinal: number): string => `dead${ordinal.toString(16).padStart(60, "0")}`;
const refuseDead = { when: { deviceToken: "dead*" }, do: { answer: { reason: "BadDeviceToken" } } } as const;
const passThrough = { mode: "pass-through" } as const;
const malformed = Buffer.from([9]);

function deadFrame(ordinal: number): Buffer {
  return frame(ordinal, { deviceToken: Buffer.from(deadOf(ordinal), "hex") });
}

/** Writes in one go and hears the connection out. */
async function sendOut(identity: SenderIdentity, ...frames: readonly Buffer[]): Promise<LastWords> {
  const sender = await new LegacySender(identity).connected();
  sender.write(Buffer.concat(frames));
  return sender.finish();
}

/** Sends as old senders do: after an error what came behind the named one goes out again on a new connection. */
async function sendAsOfOld(
  identity: SenderIdentity,
  count: number,
  frameOf: (ordinal: number) => Buffer,
): Promise<number[]> {
  const failed: number[] = [];
  for (let from = 1; from <= count; ) {
    const frames = Array.from({ length: count - from + 1 }, (_, at) => frameOf(from + at));
    const { response } = await sendOut(identity, ...frames);
    if (response === undefined) break;
    if (response.status !== errorStatus.shutdown) failed.push(response.identifier);
    from = response.identifier + 1;
  }
  return failed;
}

/** How often Apple took a push for each device token. */
function timesTaken({ apple }: BridgeSite): ReadonlyMap<string, number> {
  return apple.history.countByDeviceToken({ status: 200 });
}

/** Resolves when Apple took so many. */
function takenBy({ apple }: BridgeSite, count: number): Promise<unknown> {
  return apple.history.waitFor({ count, status: 200 });
}

function onceEach(ordinals: readonly number[]): Map<string, number> {
  return new Map(ordinals.map((ordinal) => [deviceToken(ordinal), 1]));
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1);

test("rows 75 and 76: bad tokens at 3, 500 and 999 are named, and each good one reaches Apple once", async () => {
  const site = await openBridge(passThrough, { scenario: { rules: refuseDead } });
  const frameOf = (ordinal: number): Buffer => (bad.includes(ordinal) ? deadFrame(ordinal) : frame(ordinal));
  expect(await sendAsOfOld(site.sender, 1000, frameOf)).toEqual(bad);
  expect(timesTaken(site)).toEqual(onceEach(upTo(1000).filter((ordinal) => !bad.includes(ordinal))));
});

test("row 75: in queued mode a bad frame is named, those before it are kept and those behind it discarded", async () => {
  const site = await openBridge();
  const tokenless = frame(3, { deviceToken: Buffer.alloc(101) });
  const { response, code } = await sendOut(site.sender, frame(1), frame(2), tokenless, frame(4));
  expect(response).toEqual({ status: errorStatus.invalidTokenSize, identifier: 3 });
  expect(code).toBeUndefined();
  await sendOut(site.sender, frame(5));
  await takenBy(site, 3);
  expect(timesTaken(site)).toEqual(onceEach([1, 2, 5]));
});

test.each(["queued", "pass-through"] as const)(
  "row 77: a shutdown with nothing sent names 0, and a shutdown behind an error says nothing more (%s)",
  async (mode) => {
    const site = await openBridge({ mode });
    const idle = await new LegacySender(site.sender).connected();
    const { response } = await sendOut(site.sender, malformed);
    expect(response).toEqual({ status: errorStatus.protocolError, identifier: 0 });
    await site.gateway.close();
    expect((await idle.ended).response).toEqual({ status: errorStatus.shutdown, identifier: 0 });
  },
);

test.each(["queued", "pass-through"] as const)(
  "row 78: a bridge that stops names the last one it took, and Apple gets no other (%s)",
  async (mode) => {
    const site = await openBridge({ mode });
    const sender = await new LegacySender(site.sender).connected();
    sender.write(Buffer.concat(upTo(40).map((ordinal) => frame(ordinal))));
    await takenBy(site, 40);
    await site.gateway.close();
    expect(await sender.ended).toMatchObject({
      response: { status: errorStatus.shutdown, identifier: 40 },
      code: undefined,
    });
    expect(timesTaken(site)).toEqual(onceEach(upTo(40)));
  },
);

test.each(["queued", "pass-through"] as const)(
  "row 79: of a burst of 2,000 that breaks at 100, Apple gets what the error says and nothing else (%s)",
  async (mode) => {
    const site = await openBridge({ mode });
    const frames = upTo(2000).map((ordinal) => frame(ordinal));
    frames[99] = frame(100, { payload: Buffer.from("no JSON") });
    const { response, code } = await sendOut(site.sender, ...frames);
    expect({ response, code }).toEqual({
      response: { status: errorStatus.processingError, identifier: 100 },
      code: undefined,
    });
    await takenBy(site, 99);
    await site.gateway.close();
    expect(timesTaken(site)).toEqual(onceEach(upTo(99)));
  },
);

test("row 80: an answer of Apple's that is late by 30 s still names the right one, and what left behind it is not sent twice", async () => {
  const clock = new VirtualClock();
  const late = { answer: { reason: "BadDeviceToken", delayMs: 30_000 } } as const;
  const rules = { when: { deviceToken: "dead*" }, do: late } as const;
  const site = await openBridge(passThrough, { clock, scenario: { rules } });
  const sender = await new LegacySender(site.sender).connected();
  sender.write(Buffer.concat([frame(1), deadFrame(2), frame(3)]));
  await takenBy(site, 2);
  clock.advance(30_000);
  expect((await sender.ended).response).toEqual({ status: errorStatus.invalidToken, identifier: 2 });
  expect((await sendOut(site.sender, frame(3))).response).toBeUndefined();
  expect(timesTaken(site)).toEqual(onceEach([1, 3]));
});

test.each(["queued", "pass-through"] as const)(
  "row 81: five frames with the third malformed, split at every byte: the first two are taken, the third is named (%s)",
  async (mode) => {
    const site = await openBridge({ mode });
    const third = frame(3, { deviceToken: Buffer.alloc(101) });
    const bytes = Buffer.concat([frame(1), frame(2), third, frame(4), frame(5)]);
    const splits = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1);
    for (let from = 0; from < splits.length; from += 50) {
      const ended = splits.slice(from, from + 50).map(async (split) => {
        const sender = await new LegacySender(site.sender).connected();
        sender.write(bytes.subarray(0, split));
        await new Promise((resolve) => setImmediate(resolve));
        sender.write(bytes.subarray(split));
        return sender.finish();
      });
      for (const { response } of await Promise.all(ended))
        expect(response).toEqual({ status: errorStatus.invalidTokenSize, identifier: 3 });
    }
    await takenBy(site, 2 * splits.length);
    expect(timesTaken(site)).toEqual(new Map([1, 2].map((ordinal) => [deviceToken(ordinal), splits.length])));
  },
);

test.each(["queued", "pass-through"] as const)(
  "row 82: device tokens that Apple calls gone are told by feedback, once, also over a new start (%s)",
  async (mode) => {
    const site = await openBridge({ mode });
    const { apple, gateway, config, sender, feedbackReader } = site;
    apple.devices.unregister(deviceToken(2), 1_700_000_000_999);
    expect((await sendOut(sender, frame(1), frame(2), frame(3))).response).toBeUndefined();
    await apple.history.waitFor({ count: 3 });
    await gateway.close();
    const second = identitiesFor(await openGateway(config), apple, sender.ca).feedbackReader;
    const decoder = new FeedbackDecoder();
    decoder.receive((await new LegacySender(second).ended).bytes);
    expect(decoder.next()).toEqual({
      kind: "tuple",
      value: { goneSinceSeconds: 1_700_000_000, deviceToken: Buffer.from(deviceToken(2), "hex") },
    });
    expect(decoder.next()).toBeUndefined();
    expect((await new LegacySender({ ...feedbackReader, port: second.port }).ended).bytes).toHaveLength(0);
  },
);

test("row 83: identifiers are the sender's own: repeated, zero and the highest come back as they were", async () => {
  const site = await openBridge(passThrough, { scenario: { rules: refuseDead } });
  for (const identifier of [0, 7, 0xffff_ffff]) {
    const dead = frame(1, { identifier, deviceToken: Buffer.from(deadOf(identifier), "hex") });
    const { response } = await sendOut(site.sender, frame(2, { identifier }), dead);
    expect(response).toEqual({ status: errorStatus.invalidToken, identifier });
  }
});

test("in pass-through mode a paused app sends nothing, tells no error, and goes on when it is resumed", async () => {
  const site = await openBridge(passThrough);
  const sender = await new LegacySender(site.sender).connected();
  // The way to Apple is open, so that what left in spite of the pause would be there soon.
  sender.write(frame(1));
  await takenBy(site, 1);
  await call(site.gateway, "/v1/apps/demo/pause", { reason: "wrong texts went out" });
  sender.write(
    Buffer.concat(
      upTo(2000)
        .slice(1)
        .map((ordinal) => frame(ordinal)),
    ),
  );
  const ended = sender.finish();
  // Whoever comes meanwhile is heard, and so what came before was read as far as it will be.
  for (let others = 0; others < 5; others += 1) {
    const { response } = await sendOut(site.sender, malformed);
    expect(response).toEqual({ status: errorStatus.protocolError, identifier: 0 });
  }
  expect(timesTaken(site)).toEqual(onceEach([1]));
  await call(site.gateway, "/v1/apps/demo/resume", {});
  expect((await ended).response).toBeUndefined();
  expect(timesTaken(site)).toEqual(onceEach(upTo(2000)));
});

test("in pass-through mode a bridge that stops while its app is paused names the last one that Apple took", async () => {
  const site = await openBridge(passThrough);
  const sender = await new LegacySender(site.sender).connected();
  sender.write(frame(1));
  await takenBy(site, 1);
  await call(site.gateway, "/v1/apps/demo/pause", {});
  sender.write(frame(2));
  await sendOut(site.sender, malformed);
  await site.gateway.close();
  expect((await sender.ended).response).toEqual({ status: errorStatus.shutdown, identifier: 1 });
  expect(timesTaken(site)).toEqual(onceEach([1]));
});

test("a burst of 2,000 frames in one write and the same byte by byte are the same to Apple", async () => {
  const site = await openBridge();
  const bytes = Buffer.concat(upTo(2000).map((ordinal) => frame(ordinal)));
  await sendOut(site.sender, bytes);
  await takenBy(site, 2000);
  expect(timesTaken(site)).toEqual(onceEach(upTo(2000)));
  const sender = await new LegacySender(site.sender).connected();
  for (let at = 0; at < bytes.length; at += 1) {
    sender.write(bytes.subarray(at, at + 1));
    if (at % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await sender.finish()).response).toBeUndefined();
  await takenBy(site, 4000);
  expect(timesTaken(site)).toEqual(new Map(upTo(2000).map((ordinal) => [deviceToken(ordinal), 2])));
});

test("commands 0, 1 and 2 say today what they said then: expiry, priority, push type and topic", async () => {
  const site = await openBridge();
  const token = (ordinal: number): Buffer => Buffer.from(deviceToken(ordinal), "hex");
  const payload = Buffer.from('{"aps":{"alert":"Hello"}}');
  const background = Buffer.from('{"aps":{"content-available":1}}');
  await sendOut(
    site.sender,
    encodeFrame(0, { deviceToken: token(1), payload }),
    encodeFrame(1, { deviceToken: token(2), payload, identifier: 2, expirationSeconds: 0 }),
    encodeFrame(1, { deviceToken: token(3), payload, identifier: 3, expirationSeconds: 4_000_000_000 }),
    frame(4, { priority: 5 }),
    frame(5, { payload: background, expirationSeconds: undefined }),
  );
  await takenBy(site, 5);
  const told = [1, 2, 3, 4, 5].map((ordinal) => {
    const [push] = site.apple.history.find({ deviceToken: deviceToken(ordinal) });
    const { headers = {} } = push ?? {};
    return ["apns-topic", "apns-push-type", "apns-expiration", "apns-priority"].map((name) => headers[name]);
  });
  const { topic } = site.apple;
  expect(told).toEqual([
    [topic, "alert", undefined, undefined],
    [topic, "alert", "0", undefined],
    [topic, "alert", "4000000000", undefined],
    [topic, "alert", "4000000000", "5"],
    [topic, "background", undefined, "5"],
  ]);
});

test.each(["queued", "pass-through"] as const)(
  "%s: an app that wants no notifications to device tokens that are gone has their frames refused",
  async (mode) => {
    const site = await openBridge({ mode }, {}, { goneTokens: "deny" });
    site.apple.devices.unregister(deviceToken(2));
    // Nobody knows it yet.
    expect((await sendOut(site.sender, frame(1), frame(2), frame(3))).response).toBeUndefined();
    await expect
      .poll(async () => (await call(site.gateway, "/v1/apps/demo/feedback")).body.items.length, {
        timeout: 20_000,
      })
      .toBe(1);
    expect(await sendAsOfOld(site.sender, 5, (ordinal) => frame(ordinal))).toEqual([2]);
    await takenBy(site, 6);
    expect(timesTaken(site)).toEqual(
      new Map(onceEach([1, 3, 4, 5]).set(deviceToken(1), 2).set(deviceToken(3), 2)),
    );
    expect(site.apple.history.countByDeviceToken({ status: 410 }).get(deviceToken(2))).toBe(1);
  },
);
