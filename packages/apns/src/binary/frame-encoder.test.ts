import { expect, test } from "vitest";
import { encodeFrame, frameBytes, writeFrame } from "./frame-encoder.ts";

const notification = { deviceToken: Buffer.alloc(32, 1), payload: Buffer.from("{}") };
const numbers = { identifier: 1, expirationSeconds: 0 };

test("many frames fit into one buffer, one behind the other", () => {
  const each = { ...notification, ...numbers };
  const target = Buffer.alloc(frameBytes(0, each) + frameBytes(1, each) + frameBytes(2, each));
  const end = writeFrame(target, writeFrame(target, writeFrame(target, 0, 0, each), 1, each), 2, each);
  expect(end).toBe(target.length);
  expect(target).toEqual(Buffer.concat(([0, 1, 2] as const).map((command) => encodeFrame(command, each))));
});

test("a number that does not fit into its field is the caller's mistake, and named", () => {
  const wrong = { ...notification, ...numbers };
  expect(() => encodeFrame(2, { ...wrong, identifier: 2 ** 32 })).toThrow(/^identifier: .*4294967295/);
  expect(() => encodeFrame(2, { ...wrong, identifier: -1 })).toThrow(/^identifier/);
  expect(() => encodeFrame(2, { ...wrong, expirationSeconds: 1.5 })).toThrow(/^expiration/);
  expect(() => encodeFrame(2, { ...wrong, priority: 256 })).toThrow(/^priority/);
  expect(() => encodeFrame(0, { ...wrong, payload: Buffer.alloc(65_536) })).toThrow(/^payload/);
});

test("command 1 needs an identifier and an expiration: absence has no form in it, and 0 means something", () => {
  expect(() => encodeFrame(1, { ...notification, identifier: 1 })).toThrow(/command 1/);
  expect(() => encodeFrame(1, { ...notification, expirationSeconds: 1 })).toThrow(/command 1/);
});
