import { connectionPreface, flag, frameType } from "@carillon/apns/http2";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pushFields, RawClient, type WrittenFrame } from "./raw-client.test-support.ts";

/** What must hold whatever came: written frames are well-formed, in order, and stop with the GOAWAY of an error. */
function checkWritten(client: RawClient, frames: readonly WrittenFrame[]): void {
  const goaway = frames.findIndex(
    ({ type, payload }) => type === frameType.goaway && payload.readUInt32BE(4) > 0,
  );
  expect(goaway === -1 || goaway === frames.length - 1).toBe(true);
  expect(client.broken !== undefined).toBe(goaway !== -1);
  const ended = new Set<number>();
  for (const { type, flags, streamId } of frames) {
    if (type === frameType.headers || type === frameType.data) expect(ended.has(streamId)).toBe(false);
    if ((type === frameType.headers || type === frameType.data) && (flags & flag.endStream) !== 0) {
      ended.add(streamId);
    }
  }
  expect(client.server.openStreams).toBeLessThanOrEqual(100);
}

test("arbitrary bytes: never an exception, and every split point means the same", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 400 }), (tail, split) => {
      const bytes = Buffer.concat([Buffer.from(connectionPreface, "latin1"), Buffer.from(tail)]);
      const [whole, parted] = [new RawClient(), new RawClient()];
      whole.bytes(bytes);
      parted.bytes(bytes.subarray(0, split));
      parted.bytes(bytes.subarray(split));
      const written = whole.read();
      checkWritten(whole, written);
      expect(parted.read()).toEqual(written);
      expect(parted.broken).toEqual(whole.broken);
    }),
    { numRuns: 2000 },
  );
});

const frame = fc.record({
  type: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xbe),
  flags: fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x25, 0xff),
  streamId: fc.constantFrom(0, 1, 1, 1, 2, 3, 3, 5, 7, 0x7fff_ffff),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(
      Buffer.alloc(0),
      Buffer.alloc(4, 1),
      Buffer.alloc(5, 0),
      Buffer.alloc(8, 0),
      Buffer.from("83878401610562", "hex"),
    ),
  ),
});

/** A step of a client that mostly keeps to the rules, so that walks go far. */
const step = fc.oneof(
  { weight: 1, arbitrary: frame.map((value) => ({ kind: "frame" as const, value })) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...(["request", "headers", "data", "reset", "ping", "window", "settings", "read"] as const).map(
        (kind) => ({
          kind,
        }),
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...(["answer", "refuse", "server reset", "limit 1", "limit 100"] as const).map((kind) => ({ kind })),
    ),
  },
);

test("random walks of clients and handlers: frames stay in order, streams stay within the limit", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const client = RawClient.opened([[4, 30]]);
      const written: WrittenFrame[] = [];
      let nextId = 1;
      for (const each of steps) {
        const open = client.requests.at(-1)?.streamId ?? 1;
        switch (each.kind) {
          case "frame":
            client.frame(each.value.type, each.value.flags, each.value.streamId, each.value.payload);
            break;
          case "request":
            client.request(nextId, "{}", pushFields);
            nextId += 2;
            break;
          case "headers":
            client.headers(nextId, pushFields, 0);
            nextId += 2;
            break;
          case "data":
            client.frame(frameType.data, flag.endStream, Math.max(1, nextId - 2), "7b7d");
            break;
          case "reset":
            client.frame(frameType.rstStream, 0, Math.max(1, nextId - 2), "00000008");
            break;
          case "ping":
            client.frame(frameType.ping, 0, 0, "0000000000000000");
            break;
          case "window":
            client.frame(frameType.windowUpdate, 0, open, "00000010");
            break;
          case "settings":
            client.frame(frameType.settings, 0, 0, nextId % 4 === 1 ? "000400000000" : "000400000064");
            break;
          case "read":
            written.push(...client.read());
            break;
          case "answer":
            client.server.answer(open, [":status", "200"]);
            break;
          case "refuse":
            client.server.answer(open, [":status", "400"], Buffer.alloc(50));
            break;
          case "server reset":
            client.server.reset(open, 8);
            break;
          case "limit 1":
            client.server.setStreamLimit(1);
            break;
          case "limit 100":
            client.server.setStreamLimit(100);
            break;
        }
      }
      written.push(...client.read());
      checkWritten(client, written);
      expect(new Set(client.requests.map(({ streamId }) => streamId)).size).toBe(client.requests.length);
    }),
    { numRuns: 2000 },
  );
});
