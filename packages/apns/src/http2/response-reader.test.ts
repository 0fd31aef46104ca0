import { expect, test } from "vitest";
import { errorCode, flag, frameType } from "./frame-types.ts";
import { inWords, RawPeer } from "./raw-peer.test-support.ts";

const { continuation, data, headers, priority, pushPromise, rstStream, windowUpdate } = frameType;
const { endHeaders, endStream, padded } = flag;

/** A connection with requests "a" on stream 1 and "b" on stream 3. */
function withTwo(): RawPeer {
  const peer = RawPeer.opened();
  peer.request("a");
  peer.request("b");
  return peer;
}

/** What was heard beside capacity. */
function heard(peer: RawPeer): string[] {
  return peer.hear().filter((event) => event !== "capacity");
}

test("reads the answer of an accepted push", () => {
  const peer = withTwo();
  peer.frame(headers, endStream | endHeaders, 1, `88 40 07 ${hex("apns-id")} 04 ${hex("ABCD")}`);
  expect(peer.hear()).toEqual(["a 200", "capacity"]);
});

test("reads an answer with a body, in several frames, with padding and empty frames between", () => {
  const peer = withTwo();
  peer.respond(1, [":status", "400", "content-length", "25"], 0);
  peer.frame(data, padded, 1, `02 ${hex('{"reason":')} 0000`);
  peer.frame(data, 0, 1, "");
  peer.frame(data, padded, 1, "ff".padEnd(512, "0"));
  peer.frame(data, endStream, 1, hex('"PayloadEmpty"}'));
  expect(heard(peer)).toEqual(['a 400 "{"reason":"PayloadEmpty"}"']);
});

test("reads a block split over HEADERS with padding and priority and 20 CONTINUATIONs", () => {
  const peer = withTwo();
  const block = peer.block([":status", "200", "apns-id", "x".repeat(30)]);
  peer.frame(
    headers,
    endStream | padded | flag.priority,
    1,
    `03 0000000010 ${block.toString("hex", 0, 1)} 000000`,
  );
  for (let at = 1; at < 21; at++) peer.frame(continuation, 0, 1, block.subarray(at, at + 1));
  peer.frame(continuation, endHeaders, 1, block.subarray(21));
  expect(heard(peer)).toEqual(["a 200"]);
});

test("reads answers byte by byte", () => {
  const peer = withTwo();
  const block = peer.block([":status", "410", "apns-id", "x"]);
  const bytes = Buffer.concat([
    Buffer.from(`0000${block.length.toString(16).padStart(2, "0")}010400000001`, "hex"),
    block,
    Buffer.from(`00000200000000000161620000010001000000016300000101050000000388`, "hex"),
  ]);
  for (const byte of bytes) peer.client.receive(Buffer.from([byte]));
  expect(heard(peer)).toEqual(['a 410 "abc"', "b 200"]);
});

test("passes over informational responses and reads trailers", () => {
  const peer = withTwo();
  peer.respond(1, [":status", "100"], 0);
  peer.respond(1, [":status", "103", "link", "x"], 0);
  peer.respond(1, [":status", "410"], 0);
  peer.frame(data, 0, 1, hex("{}"));
  peer.respond(1, ["x-checksum", "1"], endStream);
  expect(heard(peer)).toEqual(['a 410 "{}"']);
});

test.each<[string, string[], number]>([
  ["no status", ["apns-id", "1"], endStream],
  ["no fields", [], endStream],
  ["a status behind a field", ["apns-id", "1", ":status", "200"], endStream],
  ["two statuses", [":status", "200", ":status", "200"], endStream],
  ["a request's pseudo-header field", [":status", "200", ":path", "/"], endStream],
  ["an unknown pseudo-header field", [":status", "200", ":x", "/"], endStream],
  ["a status of two digits", [":status", "20"], endStream],
  ["a status that is no number", [":status", "2x0"], endStream],
  ["a status of 099", [":status", "099"], endStream],
  ["101", [":status", "101"], 0],
  ["an informational response that ends the stream", [":status", "103"], endStream],
  ["an upper-case name", [":status", "200", "Apns-Id", "1"], endStream],
  ["an empty name", [":status", "200", "", "1"], endStream],
  ["a name with a space", [":status", "200", "a b", "1"], endStream],
  ["a name above ASCII", [":status", "200", "é", "1"], endStream],
  ["a value with CR", [":status", "200", "a", "x\ry"], endStream],
  ["a value with LF", [":status", "200", "a", "x\ny"], endStream],
  ["a value with NUL", [":status", "200", "a", "x\0y"], endStream],
  ["a value that begins with a space", [":status", "200", "a", " x"], endStream],
  ["a value that ends with a tab", [":status", "200", "a", "x\t"], endStream],
  ["connection", [":status", "200", "connection", "close"], endStream],
  ["transfer-encoding", [":status", "200", "transfer-encoding", "chunked"], endStream],
  ["upgrade", [":status", "200", "upgrade", "h3"], endStream],
  ["a content-length that is no number", [":status", "200", "content-length", "1x"], 0],
  ["two content-lengths", [":status", "200", "content-length", "1", "content-length", "2"], 0],
  ["a content-length and no content", [":status", "200", "content-length", "1"], endStream],
])("resets a stream whose response has %s, and only that", (_, fields, flags) => {
  const peer = withTwo();
  peer.respond(1, fields, flags);
  expect(heard(peer)).toEqual([`a indeterminate protocol ${errorCode.protocolError}`]);
  expect(peer.read().map(inWords)).toEqual(["rstStream 1 00000001"]);
  peer.respond(3);
  expect(heard(peer)).toEqual(["b 200"]);
});

test.each<[string, string[], number]>([
  ["do not end the stream", ["x", "1"], 0],
  ["have a status", [":status", "200"], endStream],
  ["have an upper-case name", ["X", "1"], endStream],
])("resets a stream whose trailers %s", (_, fields, flags) => {
  const peer = withTwo();
  peer.respond(1, [":status", "200"], 0);
  peer.respond(1, fields, flags);
  expect(heard(peer)).toEqual([`a indeterminate protocol ${errorCode.protocolError}`]);
  expect(peer.client.phase).toBe("open");
});

test("accepts odd but allowed fields", () => {
  const peer = withTwo();
  peer.respond(1, [":status", "999", "a", "", "b", "é", "!#$%&'*+-.^_`|~", "x\ty", "content-length", "0"]);
  peer.respond(3, [":status", "304", "content-length", "5"]);
  expect(heard(peer)).toEqual(["a 999", "b 304"]);
});

test("resets a stream whose content is longer or shorter than content-length", () => {
  for (const body of ["61", "616263"]) {
    const peer = withTwo();
    peer.respond(1, [":status", "400", "content-length", "2"], 0);
    peer.frame(data, endStream, 1, body);
    expect(heard(peer)).toEqual([`a indeterminate protocol ${errorCode.protocolError}`]);
  }
});

test("resets a stream that begins with DATA", () => {
  const peer = withTwo();
  peer.frame(data, endStream, 1, "61");
  expect(heard(peer)).toEqual([`a indeterminate protocol ${errorCode.protocolError}`]);
});

test("bounds informational responses", () => {
  const peer = withTwo();
  for (let i = 0; i < 17; i++) peer.respond(1, [":status", "103"], 0);
  expect(heard(peer)).toEqual([`a indeterminate protocol ${errorCode.protocolError}`]);
});

test("fails the request alone when its header list is too large, and stays in step", () => {
  const peer = withTwo();
  const fields = [":status", "200", "x", "kept"];
  for (let i = 0; i < 20; i++) fields.push("y", `${i}`.repeat(1000));
  peer.write((out) => {
    const block = peer.block(fields);
    out.bytes(
      Buffer.from([
        block.length >> 16,
        block.length >> 8,
        block.length,
        headers,
        endStream | endHeaders,
        0,
        0,
        0,
        1,
      ]),
    );
    out.bytes(block.subarray(0, 16_384));
  });
  expect(peer.client.phase).toBe("closed"); // one frame of that size is too large ...
  const other = withTwo();
  const block = other.block(fields);
  other.frame(headers, endStream, 1, block.subarray(0, 16_000));
  other.frame(continuation, endHeaders, 1, block.subarray(16_000)); // ... two are not
  expect(heard(other)).toEqual([`a indeterminate protocol ${errorCode.protocolError}`]);
  other.respond(3, [":status", "200", "x", "kept"]);
  expect([heard(other), other.client.phase]).toEqual([["b 200"], "open"]);
});

test("holds the peer to our table size once it has acknowledged it, and not before", () => {
  const answer = (peer: RawPeer, block: string) => {
    peer.frame(headers, endStream | endHeaders, peer.request("a"), block);
    return heard(peer).at(-1);
  };
  const unaware = new RawPeer({ headerTableBytes: 0 });
  unaware.frame(frameType.settings, 0, 0, "");
  expect(answer(unaware, `88 40 01 ${hex("x")} 01 ${hex("y")}`)).toBe("a 200");
  unaware.frame(frameType.settings, flag.ack, 0, "");
  expect(answer(unaware, "88")).toBe(`broken ${errorCode.compressionError}`);
  const aware = RawPeer.opened([], { headerTableBytes: 0 });
  expect(answer(aware, "20 88")).toBe("a 200");
  const large = RawPeer.opened([], { headerTableBytes: 65_536 });
  expect(answer(large, "3fe1ff03 88")).toBe("a 200");
  expect(answer(RawPeer.opened(), "3fe1ff03 88")).toBe(`broken ${errorCode.compressionError}`);
});

test("ends the connection when CONTINUATION does not end", () => {
  const empty = withTwo();
  empty.frame(headers, 0, 1, "88");
  for (let i = 0; i < 129; i++) empty.frame(continuation, 0, 1, "");
  expect(empty.hear().at(-1)).toBe(`broken ${errorCode.enhanceYourCalm}`);
  const large = withTwo();
  large.frame(headers, 0, 1, "88");
  for (let i = 0; i < 16; i++) large.frame(continuation, 0, 1, Buffer.alloc(16_384, 0x88));
  expect(large.hear().at(-1)).toBe(`broken ${errorCode.enhanceYourCalm}`);
});

test.each<[string, (peer: RawPeer) => void]>([
  ["another frame of the stream", (peer) => peer.frame(data, 0, 1, "61")],
  ["a frame of another stream", (peer) => peer.respond(3)],
  ["CONTINUATION of another stream", (peer) => peer.frame(continuation, endHeaders, 3, "")],
  ["PING", (peer) => peer.frame(frameType.ping, 0, 0, "0000000000000000")],
  ["an unknown frame", (peer) => peer.frame(0x20, 0, 0, "")],
])("ends the connection when %s comes inside a header block", (_, send) => {
  const peer = withTwo();
  peer.frame(headers, 0, 1, "88");
  send(peer);
  expect(peer.hear().at(-1)).toBe(`broken ${errorCode.protocolError}`);
});

test.each<[string, number, (peer: RawPeer) => void]>([
  [
    "CONTINUATION out of place",
    errorCode.protocolError,
    (peer) => peer.frame(continuation, endHeaders, 1, "88"),
  ],
  ["PUSH_PROMISE", errorCode.protocolError, (peer) => peer.frame(pushPromise, endHeaders, 1, "0000000282")],
  ["HEADERS on an even stream", errorCode.protocolError, (peer) => peer.respond(2)],
  ["HEADERS on an idle stream", errorCode.protocolError, (peer) => peer.respond(5)],
  ["DATA on an idle stream", errorCode.protocolError, (peer) => peer.frame(data, 0, 5, "61")],
  [
    "RST_STREAM on an idle stream",
    errorCode.protocolError,
    (peer) => peer.frame(rstStream, 0, 5, "00000008"),
  ],
  [
    "WINDOW_UPDATE on an idle stream",
    errorCode.protocolError,
    (peer) => peer.frame(windowUpdate, 0, 2, "00000001"),
  ],
  [
    "PRIORITY of 4 bytes on an idle stream",
    errorCode.frameSizeError,
    (peer) => peer.frame(priority, 0, 5, "00000000"),
  ],
  [
    "a header block that is malformed",
    errorCode.compressionError,
    (peer) => peer.frame(headers, endHeaders, 1, "80"),
  ],
])("ends the connection for %s", (_, code, send) => {
  const peer = withTwo();
  send(peer);
  expect(peer.hear()).toEqual([
    `a indeterminate protocol ${code}`,
    `b indeterminate protocol ${code}`,
    `broken ${code}`,
  ]);
});

test("ends the connection for DATA or HEADERS behind END_STREAM", () => {
  for (const send of [
    (peer: RawPeer) => peer.frame(data, endStream, 1, "61"),
    (peer: RawPeer) => peer.respond(1),
  ]) {
    const peer = withTwo();
    peer.respond(1);
    send(peer);
    expect(peer.hear().at(-1)).toBe(`broken ${errorCode.streamClosed}`);
  }
});

test("answers DATA and HEADERS behind the peer's own RST_STREAM with STREAM_CLOSED, within a bound", () => {
  const peer = withTwo();
  peer.frame(rstStream, 0, 1, "00000002");
  expect(heard(peer)).toEqual([`a indeterminate reset ${errorCode.internalError}`]);
  peer.frame(data, 0, 1, "61");
  peer.respond(1);
  expect(peer.read().map(inWords)).toEqual(["rstStream 1 00000005", "rstStream 1 00000005"]);
  for (let i = 0; i < 1001; i++) peer.frame(data, 0, 1, "61");
  expect(peer.hear().at(-1)).toBe(`broken ${errorCode.enhanceYourCalm}`);
});

test("ignores PRIORITY, and RST_STREAM and WINDOW_UPDATE of closed streams", () => {
  const peer = withTwo();
  peer.respond(1);
  peer.hear();
  for (const id of [1, 3, 5, 2]) peer.frame(priority, 0, id, "0000000010");
  peer.frame(rstStream, 0, 1, "00000005");
  peer.frame(windowUpdate, 0, 1, "00000005");
  peer.frame(windowUpdate, 0, 1, "00000000");
  peer.frame(priority, 0, 1, "00000000");
  expect([peer.hear(), peer.read(), peer.client.phase]).toEqual([[], [], "open"]);
});

test("resets a stream for PRIORITY of 4 bytes", () => {
  const peer = withTwo();
  peer.frame(priority, 0, 1, "00000000");
  expect(heard(peer)).toEqual([`a indeterminate protocol ${errorCode.frameSizeError}`]);
});

test.each([0, 1, 2, 3, 5, 6, 8, 11, 13, 0xffff_ffff])(
  "calls a request reset with code %i indeterminate",
  (code) => {
    const peer = withTwo();
    peer.frame(rstStream, 0, 1, code.toString(16).padStart(8, "0"));
    expect(heard(peer)).toEqual([`a indeterminate reset ${code}`]);
  },
);

test("calls a refused request unprocessed, once, whatever resets follow", () => {
  const peer = withTwo();
  peer.frame(rstStream, 0, 1, "00000007");
  peer.frame(rstStream, 0, 1, "00000005");
  expect(heard(peer)).toEqual(["a unprocessed refused-stream"]);
});

test("takes the status that came before a reset for the answer, and says that it is incomplete", () => {
  const peer = withTwo();
  peer.respond(1, [":status", "400"], 0);
  peer.frame(data, 0, 1, hex('{"reas'));
  peer.frame(rstStream, 0, 1, "00000002");
  expect(heard(peer)).toEqual(['a 400 "{"reas" incomplete']);
});

test("keeps 4 KB of a body, cuts a long one short, and credits every byte", () => {
  const peer = withTwo();
  let body = 0;
  peer.respond(1, [":status", "500"], 0);
  peer.onEvent = (event) => {
    if (event.startsWith("a 500")) body = event.length - 'a 500 ""'.length;
  };
  for (let i = 0; i < 10; i++) peer.frame(data, 0, 1, Buffer.alloc(8000, "x"));
  expect(heard(peer)[0]?.endsWith("incomplete")).toBe(true);
  expect(body).toBe(4096 + " incomplete".length);
  expect(peer.read().map(inWords)).toEqual(["rstStream 1 00000008"]);
});

test("keeps a longer body where one is wanted, and announces the window for it", () => {
  const fresh = new RawPeer({ mostBodyBytes: 300_000 });
  expect(inWords(fresh.read()[0]!)).toContain(`0004${(300_000 + 32_767).toString(16).padStart(8, "0")}`);
  expect(inWords(new RawPeer().read()[0]!)).not.toMatch(/0004[0-9a-f]{8}$/);
  const peer = RawPeer.opened([], { mostBodyBytes: 300_000 });
  peer.request("a");
  peer.request("b");
  for (const id of [1, 3]) peer.respond(id, [":status", "200"], 0);
  for (let i = 0; i < 30; i++) peer.frame(data, i === 29 ? endStream : 0, 1, Buffer.alloc(10_000, "x"));
  expect(heard(peer)[0]).toBe(`a 200 "${"x".repeat(300_000)}"`);
  for (let i = 0; i < 31; i++) peer.frame(data, 0, 3, Buffer.alloc(10_000, "x"));
  expect(heard(peer)[0]).toBe(`b 200 "${"x".repeat(300_000)}" incomplete`);
});

test("gives back the connection's window for padding, dead streams and answers alike", () => {
  const peer = RawPeer.opened([[3, 0xffff]], { receiveWindowBytes: 100_000 });
  let sent = 0;
  let credited = 0;
  for (let i = 0; i < 400; i++) {
    const id = peer.request(`${i}`);
    if (i % 2 === 0) peer.client.cancel(id);
    peer.respond(id, [":status", "400"], 0);
    peer.frame(data, padded | endStream, id, `ff${"61".repeat(500)}${"00".repeat(255)}`);
    sent += 756;
    for (const frame of peer.read()) {
      if (frame.type === windowUpdate && frame.streamId === 0) credited += frame.payload.readUInt32BE(0);
    }
    expect(sent - credited).toBeLessThanOrEqual(50_000);
  }
  expect(peer.client.phase).toBe("open");
});

test("ends the connection for DATA beyond the window that the peer can know of", () => {
  const peer = RawPeer.opened([], { receiveWindowBytes: 65_535 });
  const id = peer.request("a");
  peer.client.cancel(id);
  for (let i = 0; i < 3; i++) peer.frame(data, 0, id, Buffer.alloc(16_384));
  expect(peer.read().map(inWords)).toEqual(["rstStream 1 00000008", "windowUpdate 0 0000c000"]);
  for (let i = 0; i < 3; i++) peer.frame(data, 0, id, Buffer.alloc(16_384));
  expect(peer.client.phase).toBe("open");
  peer.frame(data, 0, id, Buffer.alloc(16_384));
  expect(peer.hear().at(-1)).toBe(`broken ${errorCode.flowControlError}`);
});

function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
