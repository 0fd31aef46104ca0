import { expect, test } from "vitest";
import { errorCode, flag, frameType, max31Bit } from "./frame-types.ts";
import { writeSettings, writeWindowUpdate } from "./frame-writer.ts";
import { RawPeer } from "./raw-peer.test-support.ts";

const { data, headers, rstStream } = frameType;

/** [type, stream, payload bytes, END_STREAM] of what was written. */
function shapes(peer: RawPeer): unknown[] {
  return peer
    .read()
    .map(({ type, streamId, payload, flags }) => [
      type,
      streamId,
      type === headers ? "block" : payload.length,
      (flags & flag.endStream) !== 0,
    ]);
}

function open(peer: RawPeer, tag: string, bodyBytes: number): number {
  return peer.client.open([":method", "POST", ":path", `/${tag}`], Buffer.alloc(bodyBytes, "b"), tag);
}

test("writes HEADERS and DATA; without a body HEADERS alone", () => {
  const peer = RawPeer.opened();
  const first = peer.client.open([":method", "POST", "apns-id", "1"], Buffer.from("{}"), "a");
  const frames = peer.read();
  expect(first).toBe(1);
  expect(frames.map(({ type, flags, streamId }) => [type, flags, streamId])).toEqual([
    [headers, flag.endHeaders, 1],
    [data, flag.endStream, 1],
  ]);
  expect(peer.fieldsOf(frames[0]!)).toEqual([":method", "POST", "apns-id", "1"]);
  expect(frames[1]?.payload.toString()).toBe("{}");
  open(peer, "b", 0);
  expect(peer.read().map(({ type, flags }) => [type, flags])).toEqual([
    [headers, flag.endHeaders | flag.endStream],
  ]);
});

test("counts the connection's window down and up, and opens nothing that it cannot hold", () => {
  const peer = RawPeer.opened();
  open(peer, "a", 60_000);
  expect([peer.client.sendWindow, peer.client.canOpen(5535), peer.client.canOpen(5536)]).toEqual([
    5535,
    true,
    false,
  ]);
  peer.respond(1);
  expect(peer.client.canOpen(5536)).toBe(false);
  peer.hear();
  peer.write((out) => writeWindowUpdate(out, 0, 1));
  expect([peer.hear(), peer.client.canOpen(5536)]).toEqual([["capacity"], true]);
});

test("splits a body by the peer's frame size", () => {
  const peer = RawPeer.opened([[5, 20_000]]);
  open(peer, "a", 50_000);
  expect(shapes(peer)).toEqual([
    [headers, 1, "block", false],
    [data, 1, 20_000, false],
    [data, 1, 20_000, false],
    [data, 1, 10_000, true],
  ]);
});

test("writes as much as the stream's window allows and the rest as it grows", () => {
  const peer = RawPeer.opened([[4, 10]]);
  open(peer, "a", 25);
  expect(shapes(peer)).toEqual([
    [headers, 1, "block", false],
    [data, 1, 10, false],
  ]);
  expect(peer.client.sendWindow).toBe(65_535 - 25);
  peer.write((out) => writeWindowUpdate(out, 1, 5));
  expect(shapes(peer)).toEqual([[data, 1, 5, false]]);
  peer.write((out) => writeWindowUpdate(out, 1, 100));
  expect(shapes(peer)).toEqual([[data, 1, 10, true]]);
  expect(peer.client.sendWindow).toBe(65_535 - 25);
});

test("waits with a window of 0, and sets the connection's window aside meanwhile", () => {
  const peer = RawPeer.opened([[4, 0]]);
  open(peer, "a", 60_000);
  expect(shapes(peer)).toEqual([[headers, 1, "block", false]]);
  expect([peer.client.canOpen(5535), peer.client.canOpen(5536)]).toEqual([true, false]);
  peer.client.cancel(1);
  expect(peer.client.sendWindow).toBe(65_535);
});

test("moves the windows of open streams with SETTINGS_INITIAL_WINDOW_SIZE, below 0 too", () => {
  const peer = RawPeer.opened([[4, 100]]);
  open(peer, "a", 150); // 100 sent
  peer.read();
  peer.write((out) => writeSettings(out, [[4, 40]])); // window -60
  peer.write((out) => writeWindowUpdate(out, 1, 60)); // window 0
  expect(peer.read().map(({ type }) => type)).toEqual([frameType.settings]);
  peer.write((out) => writeWindowUpdate(out, 1, 1));
  expect(shapes(peer)).toEqual([[data, 1, 1, false]]);
  peer.write((out) => writeSettings(out, [[4, 1000]]));
  expect(shapes(peer)).toEqual([
    [data, 1, 49, true],
    [frameType.settings, 0, 0, true],
  ]);
});

test("ends the connection when the connection's window exceeds 2^31 - 1 or grows by 0", () => {
  for (const [increment, code] of [
    [max31Bit - 65_534, errorCode.flowControlError],
    [0, errorCode.protocolError],
  ] as const) {
    const peer = RawPeer.opened();
    peer.write((out) => writeWindowUpdate(out, 0, increment));
    expect(peer.heard.at(-1)).toBe(`broken ${code}`);
  }
  const full = RawPeer.opened();
  full.write((out) => writeWindowUpdate(out, 0, max31Bit - 65_535));
  expect(full.client.sendWindow).toBe(max31Bit);
});

test("resets the stream alone when its window exceeds 2^31 - 1 or grows by 0", () => {
  for (const [increment, code] of [
    [max31Bit, errorCode.flowControlError],
    [0, errorCode.protocolError],
  ] as const) {
    const peer = RawPeer.opened();
    peer.request("a");
    peer.request("b");
    peer.write((out) => writeWindowUpdate(out, 1, increment));
    expect(peer.hear()).toEqual([`a indeterminate protocol ${code}`, "capacity"]);
    expect(shapes(peer)).toEqual([[rstStream, 1, 4, false]]);
    peer.respond(3);
    expect(peer.hear()).toEqual(["b 200", "capacity"]);
  }
});

test("ends the connection when a new initial window overflows an open stream's window", () => {
  const peer = RawPeer.opened();
  peer.request("a");
  peer.write((out) => writeWindowUpdate(out, 1, max31Bit - 65_535));
  peer.write((out) => writeSettings(out, [[4, 65_546]]));
  expect(peer.heard.at(-1)).toBe(`broken ${errorCode.flowControlError}`);
});

test("takes an answer before the request was written whole, and gives the rest up", () => {
  const peer = RawPeer.opened([[4, 10]]);
  open(peer, "a", 25);
  peer.read();
  peer.respond(1, [":status", "413"]);
  expect(peer.hear()).toEqual(["a 413", "capacity"]);
  expect(shapes(peer)).toEqual([[rstStream, 1, 4, false]]);
  peer.frame(rstStream, 0, 1, "00000000"); // NO_ERROR, as RFC 9113 §8.1 has it
  peer.write((out) => writeWindowUpdate(out, 1, 100));
  expect([shapes(peer), peer.client.phase, peer.client.sendWindow]).toEqual([[], "open", 65_525]);
});

test("calls a request whose end was never written unprocessed when the socket closes", () => {
  const peer = RawPeer.opened([[4, 10]]);
  open(peer, "half", 25);
  peer.read();
  peer.client.socketClosed();
  expect(peer.hear()).toEqual(["half unprocessed not-written"]);
});

test.each([
  [[0], "20"],
  [[4096], ""],
  [[100, 0, 4096], "203fe11f"],
  [[64], "3f21"],
  [[65_536], ""],
])("announces its table size after the peer allowed %j", (sizes, update) => {
  const peer = RawPeer.opened();
  const fields = [":method", "POST", "apns-topic", "com.example.demo"];
  const open = () => {
    peer.client.open(fields, Buffer.alloc(0), "a");
    return peer.read().find(({ type }) => type === headers)!;
  };
  expect(peer.fieldsOf(open())).toEqual(fields);
  peer.write((out) =>
    writeSettings(
      out,
      sizes.map((size) => [1, size] as const),
    ),
  );
  const frame = open();
  expect(peer.fieldsOf(frame)).toEqual(fields);
  const next = frame.payload.toString("hex", update.length / 2, update.length / 2 + 1);
  expect([frame.payload.toString("hex", 0, update.length / 2), next]).toEqual([update, "83"]); // then :method POST
});

test("writes a header list larger than a frame as HEADERS and CONTINUATION", () => {
  const peer = RawPeer.opened();
  peer.client.open([":method", "POST", "x-long", "v".repeat(40_000)], Buffer.from("{}"), "a");
  expect(peer.read().map(({ type, flags }) => [type, flags])).toEqual([
    [headers, 0],
    [frameType.continuation, 0],
    [frameType.continuation, flag.endHeaders],
    [data, flag.endStream],
  ]);
});
