import { expect, test } from "vitest";
import { errorCode } from "./frame-types.ts";
import { adoptSettings, decodeSettings, initialSettings } from "./settings.ts";

test("reads the SETTINGS that APNs sent in 2016", () => {
  const payload = Buffer.from("0001000010000003000001c40005000040000006 00001f40".replace(" ", ""), "hex");
  const entries = decodeSettings(payload, 0, payload.length);
  expect(adoptSettings(initialSettings, entries)).toEqual({
    ...initialSettings,
    maxConcurrentStreams: 452,
    maxHeaderListSize: 8000,
  });
});

test("takes the last of several values and ignores unknown settings", () => {
  const adopted = adoptSettings(initialSettings, [
    [3, 1],
    [0xf000, 7],
    [3, 0],
    [8, 1],
  ]);
  expect(adopted).toEqual({ ...initialSettings, maxConcurrentStreams: 0 });
});

test.each([
  [2, 0, undefined],
  [2, 1, undefined],
  [2, 2, errorCode.protocolError],
  [4, 0x7fff_ffff, undefined],
  [4, 0x8000_0000, errorCode.flowControlError],
  [5, 16_383, errorCode.protocolError],
  [5, 16_384, undefined],
  [5, 0xff_ffff, undefined],
  [5, 0x100_0000, errorCode.protocolError],
])("judges setting %i of %i by RFC 9113 §6.5.2", (id, value, code) => {
  const adopted = adoptSettings(initialSettings, [[id, value]]);
  expect("code" in adopted ? adopted.code : undefined).toBe(code);
});
