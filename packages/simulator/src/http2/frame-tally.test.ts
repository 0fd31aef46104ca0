import { frameType, settingId } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { FrameTally } from "./frame-tally.ts";

test("frames are counted by type, answers to PING not as PINGs", () => {
  const tally = new FrameTally();
  for (const type of [0, 0, 1, 4, 9, 10, 255]) tally.count(type, 0);
  tally.count(frameType.ping, 0);
  tally.count(frameType.ping, 1);
  expect(tally.seen).toMatchObject({
    frames: { DATA: 2, HEADERS: 1, SETTINGS: 1, PING: 2, CONTINUATION: 1, unknown: 2 },
    pings: 1,
  });
});

test("of settings the newest value is kept, unknown ones are not", () => {
  const tally = new FrameTally();
  tally.addSetting(settingId.initialWindowSize, 1);
  tally.addSetting(settingId.initialWindowSize, 2);
  tally.addSetting(4711, 3);
  expect(tally.seen.settings).toEqual({ initialWindowSize: 2 });
});

test("of GOAWAYs the newest ten are kept, their debug data shortened", () => {
  const tally = new FrameTally();
  const payload = Buffer.concat([Buffer.from([0, 0, 0, 7, 0, 0, 0, 11]), Buffer.alloc(1000, "x")]);
  for (let i = 0; i < 12; i++) tally.addGoaway(payload, 0, payload.length);
  expect(tally.seen.goaways).toHaveLength(10);
  expect(tally.seen.goaways[0]).toEqual({ lastStreamId: 7, code: 11, debug: "x".repeat(200) });
});
