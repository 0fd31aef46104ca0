import fc from "fast-check";
import { expect, test } from "vitest";
import { rejectionReasons } from "../response/index.ts";
import { ErrorResponseDecoder, encodeErrorResponse } from "./error-response.ts";
import { describeErrorStatus, errorStatus, errorStatusOf, reasonOfErrorStatus } from "./error-status.ts";
import { encodeFeedback, FeedbackDecoder } from "./feedback-tuple.ts";

/** Everything that a decoder gives for `bytes` in pieces of `step`. */
function decodeAll<Value>(
  decoder: { receive(chunk: Uint8Array): void; next(): Value | undefined },
  bytes: Uint8Array,
  step: number,
): Value[] {
  const all: Value[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    decoder.receive(bytes.subarray(at, at + step));
    for (let each = decoder.next(); each !== undefined; each = decoder.next()) all.push(each);
  }
  return all;
}

test.each([
  ["invalid token", "0808000004d2", { status: 8, identifier: 1234 }],
  ["shutdown", "080a000004d2", { status: 10, identifier: 1234 }],
  ["an identifier above 2^31", "0801fedcba98", { status: 1, identifier: 0xfedc_ba98 }],
])("reads and writes the error response of %s byte for byte, at any split", (_name, hex, value) => {
  expect(encodeErrorResponse(value).toString("hex")).toBe(hex);
  for (let step = 1; step <= 6; step += 1) {
    const read = decodeAll(new ErrorResponseDecoder(), Buffer.from(hex, "hex"), step);
    expect(read).toEqual([{ kind: "error-response", value }]);
  }
});

test("an error response whose end is missing is none, and it shows", () => {
  const decoder = new ErrorResponseDecoder();
  expect(decoder.isInPacket).toBe(false);
  expect(decodeAll(decoder, Buffer.from("0808000004", "hex"), 5)).toEqual([]);
  expect(decoder.isInPacket).toBe(true);
});

test("any other bytes from a gateway are malformed, once", () => {
  const decoder = new ErrorResponseDecoder();
  expect(decodeAll(decoder, Buffer.from("HTTP/1.1 400"), 3)).toMatchObject([{ kind: "malformed" }]);
});

const vector = "4effa2000020fe15a27d5df3c34778defb1f4f3880265cc52c0c047682223be59fb68500a9a2";

test("reads and writes the feedback tuple byte for byte, at any split", () => {
  const deviceToken = Buffer.from(vector.slice(12), "hex");
  const value = { goneSinceSeconds: Date.UTC(2012, 0, 1) / 1000, deviceToken };
  expect(encodeFeedback([value]).toString("hex")).toBe(vector);
  for (let step = 1; step <= 38; step += 1) {
    const read = decodeAll(new FeedbackDecoder(), Buffer.from(vector + vector, "hex"), step);
    expect(read).toEqual([
      { kind: "tuple", value },
      { kind: "tuple", value },
    ]);
  }
});

test("a tuple that breaks off is not given, and it shows", () => {
  const decoder = new FeedbackDecoder();
  expect(decodeAll(decoder, Buffer.from(vector + vector.slice(0, 40), "hex"), 7)).toHaveLength(1);
  expect(decoder.isInTuple).toBe(true);
});

test("a device token of no bytes, or of more than 100, is malformed before it comes", () => {
  for (const hex of ["4effa2000000", "4effa2000065"]) {
    const read = decodeAll(new FeedbackDecoder(), Buffer.from(hex + vector, "hex"), 100);
    expect(read).toMatchObject([{ kind: "malformed" }]);
  }
});

test("any tuples come out as they went in, at any split", () => {
  const tuple = fc.record({
    goneSinceSeconds: fc.nat({ max: 0xffff_ffff }),
    deviceToken: fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(fc.array(tuple, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), (made, step) => {
      const read = decodeAll(new FeedbackDecoder(), encodeFeedback(made), step);
      expect(read).toEqual(made.map((value) => ({ kind: "tuple", value })));
    }),
  );
});

test("every status has Apple's words, and others show their number", () => {
  for (const status of Object.values(errorStatus)) expect(describeErrorStatus(status)).not.toMatch(/status/);
  expect(describeErrorStatus(77)).toBe("status 77");
});

test("every reason of today has a status of then, but for devices that are gone", () => {
  const reasons = Object.keys(rejectionReasons) as (keyof typeof rejectionReasons)[];
  const gone = reasons.filter((reason) => errorStatusOf(reason) === undefined);
  expect(gone.sort()).toEqual(["ExpiredToken", "Unregistered"]);
  expect(errorStatusOf("BadDeviceToken")).toBe(8);
  expect(errorStatusOf("PayloadTooLarge")).toBe(7);
  expect(errorStatusOf("TooManyRequests")).toBe(1);
});

test("a status of then has a reason of today that means the same", () => {
  for (const status of [1, 2, 3, 4, 7, 8]) expect(errorStatusOf(reasonOfErrorStatus(status)!)).toBe(status);
  for (const status of [0, 10, 128, 255, 77]) expect(reasonOfErrorStatus(status)).toBeUndefined();
});
