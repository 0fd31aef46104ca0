import fc from "fast-check";
import { expect, test } from "vitest";
import type { BinaryCommand, BinaryNotification } from "./binary-notification.ts";
import { BinaryFrameDecoder, type BinaryFrameDecoderOptions, type ReceivedFrame } from "./frame-decoder.ts";
import { encodeFrame, frameBytes, writeFrame } from "./frame-encoder.ts";

const token = "fe15a27d5df3c34778defb1f4f3880265cc52c0c047682223be59fb68500a9a2";
const payload = "7b22617073223a7b22616c657274223a2248656c6c6f227d7d";
const simple = `000020${token}0019${payload}`;
const enhanced = `01000004d2514ef2f00020${token}0019${payload}`;
const items = `0200000051010020${token}020019${payload}030004000004d2040004514ef2f00500010a`;

const hello: BinaryNotification = {
  deviceToken: Buffer.from(token, "hex"),
  payload: Buffer.from('{"aps":{"alert":"Hello"}}'),
  identifier: 1234,
  expirationSeconds: 1_364_128_496,
  priority: 10,
};

/** All frames of `bytes`, which come in pieces of `step`. */
function decode(bytes: Uint8Array, step = bytes.length, options: BinaryFrameDecoderOptions = {}) {
  const decoder = new BinaryFrameDecoder(options);
  const frames: ReceivedFrame[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(1, step)) {
    decoder.receive(bytes.subarray(at, at + Math.max(1, step)));
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  }
  return { frames, decoder };
}

/** The only frame of these hexadecimal digits, in a form to compare. */
function decodeOne(hex: string, options: BinaryFrameDecoderOptions = {}) {
  const { frames } = decode(Buffer.from(hex.replaceAll(" ", ""), "hex"), undefined, options);
  expect(frames).toHaveLength(1);
  const [frame] = frames;
  if (frame?.kind !== "malformed") return frame;
  const { status, identifier, deviceToken } = frame;
  return { status, identifier, deviceToken: deviceToken?.toString("hex") };
}

test.each([
  ["command 0", 62, simple, { command: 0, identifier: undefined, expirationSeconds: undefined }],
  ["command 1", 70, enhanced, { command: 1, identifier: 1234, expirationSeconds: 1_364_128_496 }],
  ["command 2", 86, items, { command: 2, identifier: 1234, expirationSeconds: 1_364_128_496, priority: 10 }],
])("reads and writes the vector of %s byte for byte", (_name, length, hex, { command, ...fields }) => {
  const bytes = Buffer.from(hex, "hex");
  expect(bytes).toHaveLength(length);
  const { deviceToken, payload } = hello;
  const notification = { deviceToken, payload, priority: undefined, ...fields };
  expect(decode(bytes).frames).toEqual([{ kind: "notification", command, notification }]);
  expect(encodeFrame(command as BinaryCommand, hello).toString("hex")).toBe(hex);
});

test("identifiers and expirations are opaque 32 bits, also above 2^31 and at both ends", () => {
  for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xfedc_ba98, 0xffff_ffff]) {
    for (const command of [1, 2] as const) {
      const written = encodeFrame(command, { ...hello, identifier: value, expirationSeconds: value });
      const { frames } = decode(written);
      expect(frames[0]).toMatchObject({ notification: { identifier: value, expirationSeconds: value } });
    }
  }
  expect(encodeFrame(1, { ...hello, identifier: 0xffff_ffff }).toString("hex", 1, 5)).toBe("ffffffff");
});

test("device tokens of 1 to 100 bytes pass, of none and of more do not", () => {
  for (const command of [0, 1, 2] as const) {
    for (let length = 1; length <= 100; length += 1) {
      const deviceToken = Buffer.alloc(length, length);
      const [frame] = decode(encodeFrame(command, { ...hello, deviceToken })).frames;
      expect(frame).toMatchObject({ kind: "notification", notification: { deviceToken } });
    }
    const identifier = command === 0 ? undefined : 1234;
    const none = encodeFrame(command, { ...hello, deviceToken: Buffer.alloc(0) });
    expect(decodeOne(none.toString("hex"))).toEqual({ status: 2, identifier, deviceToken: undefined });
    const long = encodeFrame(command, { ...hello, deviceToken: Buffer.alloc(101) });
    expect(decodeOne(long.toString("hex"))).toEqual({ status: 5, identifier, deviceToken: undefined });
  }
});

test("a payload's length counts bytes of UTF-8, not characters", () => {
  const payload = Buffer.from('{"aps":{"alert":"Grüße 🔔"}}', "utf8");
  for (const command of [0, 1, 2] as const) {
    const [frame] = decode(encodeFrame(command, { ...hello, payload })).frames;
    expect(frame).toMatchObject({ notification: { payload } });
  }
  expect(encodeFrame(0, { ...hello, payload }).readUInt16BE(35)).toBe(payload.length);
  expect(payload.length).toBeGreaterThan(payload.toString("utf8").length);
});

test("a payload is refused at its length, with the identifier where one was read; an empty one is missing", () => {
  for (const command of [0, 1, 2] as const) {
    const identifier = command === 0 ? undefined : 1234;
    const size = (bytes: number) => encodeFrame(command, { ...hello, payload: Buffer.alloc(bytes, 0x20) });
    expect(decode(size(256), undefined, { mostPayloadBytes: 256 }).frames[0]?.kind).toBe("notification");
    const over = size(257);
    expect(decodeOne(over.toString("hex"), { mostPayloadBytes: 256 })).toEqual({
      ...{ status: 7, identifier, deviceToken: token },
    });
    expect(decodeOne(size(0).toString("hex"))).toEqual({ status: 4, identifier, deviceToken: token });
  }
  // The head is enough: nobody waits for bytes that will be thrown away.
  expect(decodeOne(`01 00000001 00000000 0020 ${token} ffff`)).toMatchObject({ status: 7, identifier: 1 });
  expect(decodeOne("02 00400000")).toEqual({ status: 7, identifier: undefined, deviceToken: undefined });
});

test("items come in any order, and each but token and payload may be missing", () => {
  const parts = [`010020${token}`, `020019${payload}`, "0300040000002a", "04000400000000", "05000105"];
  const frame = (hex: string) => `02${(hex.length / 2).toString(16).padStart(8, "0")}${hex}`;
  const all = { ...hello, identifier: 42, expirationSeconds: 0, priority: 5 };
  for (const order of [
    [2, 0, 1, 3, 4],
    [4, 3, 2, 1, 0],
  ]) {
    expect(decodeOne(frame(order.map((at) => parts[at]).join("")))).toMatchObject({ notification: all });
  }
  const least = { identifier: undefined, expirationSeconds: undefined, priority: undefined };
  expect(decodeOne(frame(parts[0]! + parts[1]!))).toMatchObject({ notification: { ...hello, ...least } });
  expect(decodeOne(frame(parts[1]! + parts[2]!))).toMatchObject({ status: 2, identifier: 42 });
  expect(decodeOne(frame(parts[0]! + parts[2]!))).toMatchObject({ status: 4, identifier: 42 });
});

test.each([
  ["a command that there is not", "03"],
  ["HTTP", "504f5354"],
  ["an item that there is not", `02 00000027 010020${token} 06000100`],
  ["an item twice", `02 0000000e 03000400000001 03000400000001`],
  ["an item longer than its frame", "02 00000004 02001900"],
  ["a frame that ends within an item's head", "02 00000002 0300"],
  ["a number of the wrong length", "02 00000005 0300020001"],
  ["a priority of two bytes", "02 00000005 050002000a"],
])("what cannot be parsed is a protocol error of nobody: %s", (_name, hex) => {
  expect(decodeOne(hex)).toEqual({ status: 128, identifier: undefined, deviceToken: undefined });
});

test("nothing is read behind a frame that is malformed", () => {
  const { frames, decoder } = decode(Buffer.from(`${enhanced}ff${enhanced}`, "hex"));
  expect(frames.map(({ kind }) => kind)).toEqual(["notification", "malformed"]);
  decoder.receive(Buffer.from(enhanced, "hex"));
  expect(decoder.next()).toBeUndefined();
  expect(decoder.isInFrame).toBe(false);
});

test("asks for more until a frame is whole, at every split point", () => {
  for (const hex of [simple, enhanced, items]) {
    const bytes = Buffer.from(hex, "hex");
    const [whole] = decode(bytes).frames;
    for (let split = 1; split < bytes.length; split += 1) {
      const decoder = new BinaryFrameDecoder();
      decoder.receive(bytes.subarray(0, split));
      expect(decoder.next()).toBeUndefined();
      expect(decoder.isInFrame).toBe(true);
      decoder.receive(bytes.subarray(split));
      expect(decoder.next()).toEqual(whole);
      expect(decoder.isInFrame).toBe(false);
    }
  }
});

test("2,000 frames in one piece and the same byte by byte are the same", () => {
  const all = Buffer.alloc(2000 * frameBytes(2, hello));
  let end = 0;
  for (let identifier = 1; identifier <= 2000; identifier += 1)
    end = writeFrame(all, end, 2, { ...hello, identifier });
  expect(end).toBe(all.length);
  const { frames } = decode(all);
  expect(frames).toHaveLength(2000);
  expect(frames[1999]).toMatchObject({ notification: { identifier: 2000 } });
  expect(decode(all, 1).frames).toEqual(frames);
});

test("a frame that trickles in is copied a few times, not once for each byte", () => {
  const decoder = new BinaryFrameDecoder();
  const bytes = encodeFrame(2, { ...hello, payload: Buffer.alloc(4096, 0x20) });
  const copy = Buffer.prototype.copy;
  let copied = 0;
  Buffer.prototype.copy = function counted(this: Buffer, ...parameters: Parameters<typeof copy>) {
    const count = copy.apply(this, parameters);
    copied += count;
    return count;
  };
  try {
    for (const byte of bytes) {
      decoder.receive(Buffer.from([byte]));
      decoder.next();
    }
  } finally {
    Buffer.prototype.copy = copy;
  }
  expect(decoder.isInFrame).toBe(false);
  expect(copied).toBeLessThan(bytes.length * 2);
});

test("what was received stays as it is when more comes", () => {
  const bytes = Buffer.from(enhanced, "hex");
  const decoder = new BinaryFrameDecoder();
  decoder.receive(bytes.subarray(0, 30));
  expect(decoder.next()).toBeUndefined();
  decoder.receive(bytes.subarray(30));
  const first = decoder.next();
  decoder.receive(Buffer.from(encodeFrame(1, { ...hello, deviceToken: Buffer.alloc(32) })).subarray(0, 60));
  decoder.next();
  expect(first).toMatchObject({ notification: { deviceToken: hello.deviceToken, payload: hello.payload } });
});

const u32 = fc.nat({ max: 0xffff_ffff });
const anyNotification = fc.record({
  deviceToken: fc.uint8Array({ minLength: 1, maxLength: 100 }),
  payload: fc.uint8Array({ minLength: 1, maxLength: 600 }),
  identifier: fc.option(u32, { nil: undefined }),
  expirationSeconds: fc.option(u32, { nil: undefined }),
  priority: fc.option(fc.nat({ max: 255 }), { nil: undefined }),
});
const anyFrame = fc.tuple(fc.constantFrom(0, 1, 2), anyNotification).map(([command, made]) => {
  const identifier = command === 0 ? undefined : command === 1 ? (made.identifier ?? 7) : made.identifier;
  const expirationSeconds = command === 1 ? (made.expirationSeconds ?? 0) : made.expirationSeconds;
  return {
    command: command as BinaryCommand,
    notification: {
      deviceToken: Buffer.from(made.deviceToken),
      payload: Buffer.from(made.payload),
      identifier,
      expirationSeconds: command === 0 ? undefined : expirationSeconds,
      priority: command === 2 ? made.priority : undefined,
    },
  };
});

test("any frames come out as they went in, at any split", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.integer({ min: 1, max: 400 }), (made, step) => {
      const bytes = Buffer.concat(made.map((each) => encodeFrame(each.command, each.notification)));
      expect(decode(bytes, step).frames).toEqual(made.map((each) => ({ kind: "notification", ...each })));
    }),
  );
});

test("any bytes give frames or one refusal, the same at any split, and never throw", () => {
  const framed = fc.tuple(fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 300 }));
  const any = fc
    .array(framed, { maxLength: 6 })
    .map((all) => Buffer.concat(all.map(([command, rest]) => Buffer.from([command, ...rest]))));
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 60 }), (bytes, step) => {
      const whole = decode(bytes).frames;
      expect(decode(bytes, step).frames).toEqual(whole);
      expect(whole.slice(0, -1).every(({ kind }) => kind === "notification")).toBe(true);
    }),
  );
});
