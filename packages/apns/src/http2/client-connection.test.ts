import { expect, test } from "vitest";
import { ClientConnection } from "./client-connection.ts";
import { connectionPreface, errorCode, flag, frameType, max31Bit } from "./frame-types.ts";
import { writeGoaway, writePing, writeSettings } from "./frame-writer.ts";
import { inWords, RawPeer } from "./raw-peer.test-support.ts";

const { goaway, ping, rstStream, settings } = frameType;

test("begins with the preface, its SETTINGS and a large connection window", () => {
  const peer = new RawPeer();
  const output = peer.client.takeOutput();
  expect(output?.toString("latin1", 0, 24)).toBe(connectionPreface);
  expect(output?.toString("hex", 24)).toBe(
    `${"000012040000000000"}${"000100001000"}${"000200000000"}${"000600004000"}${"000004080000000000003f0001"}`,
  );
  expect(peer.client.takeOutput()).toBeUndefined();
});

test.each([
  { mostOpenStreams: 0 },
  { mostOpenStreams: Number.NaN },
  { receiveWindowBytes: 65_534 },
  { receiveWindowBytes: 2 ** 31 },
  { headerTableBytes: -1 },
  { maxHeaderListBytes: Number.POSITIVE_INFINITY },
  { firstStreamId: -1 },
])("refuses the option %j", (options) => {
  expect(() => new RawPeer(options)).toThrow(RangeError);
});

test("opens nothing before the peer's SETTINGS", () => {
  const peer = new RawPeer();
  expect([peer.client.phase, peer.client.streamLimit, peer.client.canOpen(0)]).toEqual([
    "awaiting-settings",
    0,
    false,
  ]);
  expect(() => peer.client.open([], Buffer.alloc(0), "a")).toThrow();
  peer.write((out) => writeSettings(out, [[3, 1]]));
  expect([peer.client.phase, peer.client.streamLimit, peer.client.canOpen(10)]).toEqual(["open", 1, true]);
  expect(peer.hear()).toEqual(["capacity"]);
});

test("acknowledges every SETTINGS and knows when its own were acknowledged", () => {
  const peer = new RawPeer();
  peer.read();
  peer.write((out) => writeSettings(out, []));
  peer.write((out) => writeSettings(out, [[0xff, 1]]));
  expect(peer.read().map(inWords)).toEqual(["settings 0 flags 1", "settings 0 flags 1"]);
  expect(peer.client.settingsAcknowledged).toBe(false);
  peer.frame(settings, flag.ack, 0);
  expect(peer.client.settingsAcknowledged).toBe(true);
});

test.each([
  ["DATA", frameType.data, 0, 1, "61"],
  ["a SETTINGS acknowledgement", settings, flag.ack, 0, ""],
  ["PING", ping, 0, 0, "0000000000000000"],
  ["an unknown frame", 0x20, 0, 0, ""],
])("ends the connection when the peer begins with %s", (_, type, flags, streamId, payload) => {
  const peer = new RawPeer();
  peer.frame(type, flags, streamId, payload);
  expect(peer.hear()).toEqual([`broken ${errorCode.protocolError}`]);
});

test("says so when the peer answers in HTTP/1.x", () => {
  let detail = "";
  const peer = new ClientConnection<string>({
    capacityChanged() {},
    response() {},
    failed() {},
    goaway() {},
    pong() {},
    broken: (error) => {
      detail = error.detail;
    },
  });
  peer.receive(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect(detail).toBe("the peer answered in HTTP/1.x");
});

test("reports a GOAWAY that comes instead of SETTINGS, with its reason", () => {
  const peer = new RawPeer();
  peer.write((out) => writeGoaway(out, 0, 0, Buffer.from('{"reason":"BadCertificateEnvironment"}')));
  expect(peer.hear()).toEqual(['goaway 0 0 "{"reason":"BadCertificateEnvironment"}"', "capacity"]);
  peer.write((out) => writeSettings(out, []));
  expect(peer.client.phase).toBe("draining");
});

test.each([
  ["ENABLE_PUSH of 2", [[2, 2]], errorCode.protocolError],
  ["ENABLE_PUSH of 1, which a server must not send", [[2, 1]], errorCode.protocolError],
  ["an initial window of 2^31", [[4, 0x8000_0000]], errorCode.flowControlError],
  ["a frame size below 16384", [[5, 16_383]], errorCode.protocolError],
  ["a frame size of 2^24", [[5, 0x100_0000]], errorCode.protocolError],
  ["65 entries", Array.from({ length: 65 }, () => [9, 9] as const), errorCode.enhanceYourCalm],
] as const)("ends the connection for %s", (_, entries, code) => {
  const peer = RawPeer.opened();
  peer.write((out) => writeSettings(out, entries));
  expect(peer.hear()).toEqual([`broken ${code}`]);
});

test("follows the stream limit up and down, through 1 and 0, without touching what is open", () => {
  const peer = RawPeer.opened([[3, 3]]);
  const ids = ["a", "b", "c"].map((tag) => peer.request(tag));
  expect(ids).toEqual([1, 3, 5]);
  expect(peer.client.canOpen(0)).toBe(false);
  peer.write((out) => writeSettings(out, [[3, 1]]));
  expect([peer.client.openStreams, peer.client.streamLimit]).toEqual([3, 1]);
  peer.respond(1);
  peer.respond(3);
  expect(peer.client.canOpen(0)).toBe(false);
  peer.write((out) => writeSettings(out, [[3, 0]]));
  peer.respond(5);
  expect([peer.client.openStreams, peer.client.canOpen(0)]).toEqual([0, false]);
  peer.write((out) => writeSettings(out, [[3, 2]]));
  expect(peer.client.canOpen(0)).toBe(true);
  expect(peer.heard.filter((event) => event !== "capacity")).toEqual(["a 200", "b 200", "c 200"]);
});

test("bounds the open streams by itself where the peer allows any number", () => {
  const peer = RawPeer.opened([[3, 0xffff_ffff]], { mostOpenStreams: 2 });
  peer.request("a");
  peer.request("b");
  expect([peer.client.streamLimit, peer.client.canOpen(0)]).toEqual([2, false]);
});

test("reports capacity once for a chunk with many answers", () => {
  const peer = RawPeer.opened();
  for (const tag of ["a", "b", "c"]) peer.request(tag);
  peer.client.receive(Buffer.from("000001010500000001880000010105000000038800000101050000000588", "hex"));
  expect(peer.hear()).toEqual(["a 200", "b 200", "c 200", "capacity"]);
});

test("answers PING, and hands back the answer to its own", () => {
  const peer = RawPeer.opened();
  peer.write((out) => writePing(out, Buffer.from("12345678"), 0));
  expect(peer.read().map(inWords)).toEqual(["ping 0 flags 1 3132333435363738"]);
  peer.client.ping(Buffer.from("abcdefgh"));
  expect(peer.read().map(inWords)).toEqual(["ping 0 6162636465666768"]);
  peer.write((out) => writePing(out, Buffer.from("abcdefgh"), flag.ack));
  peer.write((out) => writePing(out, Buffer.from("unasked!"), flag.ack));
  expect(peer.hear()).toEqual(["pong abcdefgh"]);
});

test.each([
  ["PING", "000008060000000000" + "0000000000000000"],
  ["SETTINGS", "000000040000000000"],
])("ends the connection when %s floods it, while it cannot send", (_, hex) => {
  const peer = RawPeer.opened();
  peer.client.receive(Buffer.from(hex.repeat(1000), "hex"));
  expect(peer.client.phase).toBe("open");
  peer.client.receive(Buffer.from(hex, "hex"));
  expect(peer.heard.at(-1)).toBe(`broken ${errorCode.enhanceYourCalm}`);
  expect(peer.client.takeOutput()?.length).toBeLessThan(100);
});

test("goes on under any number of PINGs that it can answer", () => {
  const peer = RawPeer.opened();
  for (let i = 0; i < 20_000; i++) {
    peer.write((out) => writePing(out, Buffer.alloc(8), 0));
    peer.client.takeOutput();
  }
  expect(peer.client.phase).toBe("open");
});

test.each([
  ["empty DATA", "000000000000000001"],
  ["PRIORITY", "0000050200000000010000000010"],
  ["unknown frames", "0000000b0000000000"],
  ["PING answers nobody asked for", "000008060100000000" + "0000000000000000"],
  ["frames for closed streams", "00000403000000000300000008"],
])("ends the connection when %s flood it", (_, hex) => {
  const peer = RawPeer.opened();
  peer.request("a");
  peer.client.cancel(peer.request("b"));
  peer.respond(1, [":status", "200"], 0);
  const flood = Buffer.from(hex.repeat(1000), "hex");
  for (let i = 0; i < 10; i++) peer.client.receive(flood);
  expect(peer.client.phase).toBe("open");
  peer.client.receive(Buffer.from(hex, "hex"));
  expect(peer.heard).toContain(`broken ${errorCode.enhanceYourCalm}`);
});

test("counts frames without effect anew after every answer", () => {
  const peer = RawPeer.opened();
  const flood = Buffer.from("0000000b0000000000".repeat(9000), "hex");
  for (let i = 0; i < 3; i++) {
    peer.client.receive(flood);
    peer.respond(peer.request("a"));
  }
  expect(peer.client.phase).toBe("open");
});

test("fails what is above a GOAWAY's last stream as unprocessed, and waits for the rest", () => {
  const peer = RawPeer.opened();
  for (const tag of ["a", "b", "c"]) peer.request(tag);
  peer.write((out) => writeGoaway(out, 3, errorCode.noError));
  expect(peer.hear()).toEqual(["c unprocessed goaway", 'goaway 0 3 ""', "capacity"]);
  expect([peer.client.phase, peer.client.canOpen(0), peer.client.openStreams]).toEqual([
    "draining",
    false,
    2,
  ]);
  peer.respond(1);
  peer.respond(3, [":status", "410"]);
  expect(peer.hear()).toEqual(["a 200", "capacity", "b 410", "capacity"]);
  expect([peer.client.openStreams, peer.client.phase]).toEqual([0, "draining"]);
});

test("does the same when the GOAWAY carries an error code", () => {
  const peer = RawPeer.opened();
  for (const tag of ["a", "b"]) peer.request(tag);
  peer.write((out) => writeGoaway(out, 1, errorCode.internalError));
  peer.respond(1);
  expect(peer.hear().filter((event) => event !== "capacity")).toEqual([
    "b unprocessed goaway",
    'goaway 2 1 ""',
    "a 200",
  ]);
});

test("lives through a shutdown in two steps", () => {
  const peer = RawPeer.opened();
  for (const tag of ["a", "b"]) peer.request(tag);
  peer.write((out) => writeGoaway(out, max31Bit, errorCode.noError));
  expect([peer.client.phase, peer.client.openStreams]).toEqual(["draining", 2]);
  peer.write((out) => writeGoaway(out, 1, errorCode.noError));
  peer.respond(1);
  expect(peer.hear().filter((event) => event !== "capacity")).toEqual([
    `goaway 0 ${max31Bit} ""`,
    "b unprocessed goaway",
    'goaway 0 1 ""',
    "a 200",
  ]);
});

test("sums up repeated GOAWAYs: the lowest id, the first debug data, the error code", () => {
  const peer = RawPeer.opened();
  for (const tag of ["a", "b", "c"]) peer.request(tag);
  peer.write((out) => writeGoaway(out, 3, 0, Buffer.from("first")));
  peer.write((out) => writeGoaway(out, 5, 2, Buffer.from("second")));
  peer.write((out) => writeGoaway(out, 1, 0));
  expect(peer.client.lastGoaway).toEqual({ lastStreamId: 1, code: 2, debug: Buffer.from("first") });
  expect(peer.heard.filter((event) => event.includes("unprocessed"))).toEqual([
    "c unprocessed goaway",
    "b unprocessed goaway",
  ]);
});

test("keeps the debug data of a GOAWAY up to 4 KB", () => {
  const peer = RawPeer.opened();
  peer.write((out) => writeGoaway(out, 0, 0, Buffer.alloc(16_000, "x")));
  expect(peer.client.lastGoaway?.debug.length).toBe(4096);
});

test("says goodbye with last stream id 0, once, and lets open requests end", () => {
  const peer = RawPeer.opened();
  peer.request("a");
  peer.client.goaway();
  peer.client.goaway();
  expect(peer.read().map(inWords)).toEqual(["goaway 0 0000000000000000"]);
  expect([peer.client.phase, peer.client.canOpen(0)]).toEqual(["draining", false]);
  peer.respond(1);
  expect(peer.hear()).toEqual(["a 200", "capacity"]);
});

test("drains when the stream ids run out", () => {
  const peer = RawPeer.opened([], { firstStreamId: max31Bit - 2 });
  expect(peer.request("a")).toBe(max31Bit - 2);
  expect(peer.client.phase).toBe("open");
  expect(peer.request("b")).toBe(max31Bit);
  expect([peer.client.phase, peer.client.canOpen(0)]).toEqual(["draining", false]);
  peer.respond(max31Bit);
  peer.respond(max31Bit - 2);
  expect(peer.hear()).toEqual(["b 200", "capacity", "a 200", "capacity"]);
});

test("tells a request that was never handed out from one that was, when the socket closes", () => {
  const peer = RawPeer.opened();
  peer.request("written");
  peer.respond(peer.request("answered in part"), [":status", "200"], 0);
  peer.client.open([":method", "POST"], Buffer.from("x"), "not taken");
  peer.hear();
  peer.client.socketClosed();
  expect(peer.hear()).toEqual([
    "written indeterminate socket-closed",
    "answered in part 200 incomplete",
    "not taken unprocessed not-written",
  ]);
  peer.client.socketClosed();
  peer.client.receive(Buffer.from("000000040000000000", "hex"));
  expect([peer.hear(), peer.client.phase, peer.client.takeOutput()]).toEqual([[], "closed", undefined]);
});

test("after the peer broke the protocol writes GOAWAY only: what was not taken was never written", () => {
  const peer = RawPeer.opened();
  peer.request("written");
  peer.client.open([":method", "POST"], Buffer.from("x"), "not taken");
  peer.frame(frameType.pushPromise, flag.endHeaders, 1, "00000002 82");
  expect(peer.hear()).toEqual([
    "written indeterminate protocol 1",
    "not taken unprocessed not-written",
    "broken 1",
  ]);
  const frames = peer.read();
  expect(frames.map(({ type }) => type)).toEqual([goaway]);
  expect(frames[0]?.payload.toString("hex", 0, 8)).toBe("0000000000000001");
});

test("may be called back from its events", () => {
  const peer = RawPeer.opened([[3, 1]]);
  peer.request("a");
  let opened = 0;
  peer.onEvent = (event) => {
    if (event.endsWith(" 200") && opened < 3) peer.client.open([], Buffer.alloc(0), `again ${++opened}`);
  };
  for (const id of [1, 3, 5, 7]) peer.respond(id);
  expect(peer.hear().filter((event) => event !== "capacity")).toEqual([
    "a 200",
    "again 1 200",
    "again 2 200",
    "again 3 200",
  ]);
});

test("obeys a cancel from within the failures of a connection that is over, and writes nothing for it", () => {
  const peer = RawPeer.opened();
  for (const tag of ["a", "b", "c"]) peer.request(tag);
  peer.onEvent = (event) => {
    if (event.startsWith("a ")) peer.client.cancel(3);
  };
  peer.client.socketClosed();
  expect(peer.hear()).toEqual(["a indeterminate socket-closed", "c indeterminate socket-closed"]);
  expect(peer.client.takeOutput()).toBeUndefined();
});

test("stops in the middle of a chunk when an event closes the connection", () => {
  const peer = RawPeer.opened();
  peer.request("a");
  peer.request("b");
  peer.onEvent = (event) => {
    if (event === "a 200") peer.client.socketClosed();
  };
  const pingBytes = "000008060000000000" + "0000000000000000";
  peer.client.receive(Buffer.from(`0000010105000000018800000101050000000388${pingBytes}`, "hex"));
  expect(peer.hear()).toEqual(["a 200", "b indeterminate socket-closed"]);
  expect(peer.client.takeOutput()).toBeUndefined();
});

test("frees the slot of a cancelled request, resets it, and ignores what still comes", () => {
  const peer = RawPeer.opened([[3, 1]]);
  const id = peer.request("a");
  peer.client.cancel(id);
  peer.client.cancel(id);
  expect(peer.read().map(inWords)).toEqual(["rstStream 1 00000008"]);
  expect(peer.client.canOpen(0)).toBe(true);
  peer.respond(1, [":status", "200", "x", "y"], 0);
  peer.frame(frameType.data, flag.endStream, 1, "61");
  peer.frame(rstStream, 0, 1, "00000005");
  peer.frame(frameType.windowUpdate, 0, 1, "00000005");
  expect([peer.hear().filter((event) => event !== "capacity"), peer.client.phase]).toEqual([[], "open"]);
  // The late block's entry is in the table: the next block refers to it.
  expect(peer.request("b")).toBe(3);
  peer.respond(3, [":status", "200", "x", "y"]);
  expect(peer.hear()).toEqual(["b 200", "capacity"]);
});
