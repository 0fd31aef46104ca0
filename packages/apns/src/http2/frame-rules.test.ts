import fc from "fast-check";
import { expect, test } from "vitest";
import { checkFrame, contentEnd, contentStart } from "./frame-rules.ts";
import { errorCode, flag, frameType } from "./frame-types.ts";

const { protocolError, frameSizeError } = errorCode;
const {
  data,
  headers,
  priority,
  rstStream,
  settings,
  pushPromise,
  ping,
  goaway,
  windowUpdate,
  continuation,
} = frameType;

test.each([
  ["DATA on stream 0", data, 0, 0, "61", protocolError],
  ["HEADERS on stream 0", headers, 0, 0, "82", protocolError],
  ["PRIORITY on stream 0", priority, 0, 0, "0000000000", protocolError],
  ["RST_STREAM on stream 0", rstStream, 0, 0, "00000000", protocolError],
  ["PUSH_PROMISE on stream 0", pushPromise, 0, 0, "00000002", protocolError],
  ["CONTINUATION on stream 0", continuation, 0, 0, "", protocolError],
  ["SETTINGS on a stream", settings, 0, 1, "", protocolError],
  ["PING on a stream", ping, 0, 1, "0000000000000000", protocolError],
  ["GOAWAY on a stream", goaway, 0, 1, "0000000000000000", protocolError],
  ["RST_STREAM of 3 bytes", rstStream, 0, 1, "000000", frameSizeError],
  ["RST_STREAM of 5 bytes", rstStream, 0, 1, "0000000000", frameSizeError],
  ["SETTINGS of 3 bytes", settings, 0, 0, "000000", frameSizeError],
  ["SETTINGS of 5 bytes", settings, 0, 0, "0000000000", frameSizeError],
  ["SETTINGS acknowledgement of 6 bytes", settings, flag.ack, 0, "000100000000", frameSizeError],
  ["PING of 7 bytes", ping, 0, 0, "00000000000000", frameSizeError],
  ["PING of 9 bytes", ping, 0, 0, "000000000000000000", frameSizeError],
  ["GOAWAY of 7 bytes", goaway, 0, 0, "00000000000000", frameSizeError],
  ["WINDOW_UPDATE of 3 bytes", windowUpdate, 0, 0, "000000", frameSizeError],
  ["WINDOW_UPDATE of 5 bytes", windowUpdate, 0, 1, "0000000000", frameSizeError],
  ["PUSH_PROMISE of 3 bytes", pushPromise, 0, 1, "000000", frameSizeError],
  ["padded DATA without a padding length", data, flag.padded, 1, "", frameSizeError],
  ["DATA with as much padding as payload", data, flag.padded, 1, "01", protocolError],
  [
    "HEADERS whose padding reaches into the priority",
    headers,
    flag.padded | flag.priority,
    1,
    "010000000000",
    protocolError,
  ],
  ["HEADERS with half a priority", headers, flag.priority, 1, "00000000", frameSizeError],
  [
    "PUSH_PROMISE whose padding reaches into the promise",
    pushPromise,
    flag.padded,
    1,
    "0400000002",
    protocolError,
  ],
])("refuses %s", (_, type, flags, streamId, hex, code) => {
  const bytes = Buffer.from(hex, "hex");
  expect(checkFrame(type, flags, streamId, bytes, 0, bytes.length)?.code).toBe(code);
});

test.each([
  ["DATA that is only padding", data, flag.padded, "02" + "0000", ""],
  ["DATA of no bytes but the padding length", data, flag.padded, "00", ""],
  ["DATA with padding", data, flag.padded, "02" + "6162" + "0000", "6162"],
  ["HEADERS with priority", headers, flag.priority, "8000000110" + "82", "82"],
  [
    "HEADERS with padding and priority",
    headers,
    flag.padded | flag.priority,
    "01" + "8000000110" + "82" + "00",
    "82",
  ],
  ["HEADERS with flags that mean nothing", headers, 0xd2, "82", "82"],
])("finds the content of %s", (_, type, flags, hex, content) => {
  const bytes = Buffer.from(`ff${hex}ff`, "hex");
  const end = bytes.length - 1;
  expect(checkFrame(type, flags, 1, bytes, 1, end)).toBeUndefined();
  expect(bytes.toString("hex", contentStart(type, flags, 1), contentEnd(flags, bytes, 1, end))).toBe(content);
});

test("finds content inside the payload of every frame that passes", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(data, headers),
      fc.nat(255),
      fc.uint8Array({ maxLength: 40 }),
      (type, flags, payload) => {
        const bytes = Buffer.from(payload);
        if (checkFrame(type, flags, 1, bytes, 0, bytes.length) !== undefined) return;
        const start = contentStart(type, flags, 0);
        const end = contentEnd(flags, bytes, 0, bytes.length);
        expect(start).toBeLessThanOrEqual(end);
        expect(end).toBeLessThanOrEqual(bytes.length);
      },
    ),
    { numRuns: 1000 },
  );
});

test("lets unknown types pass with anything in them", () => {
  expect(checkFrame(10, 0xff, 0, Buffer.from("ff", "hex"), 0, 1)).toBeUndefined();
  expect(checkFrame(255, 0xff, 7, Buffer.alloc(0), 0, 0)).toBeUndefined();
});
