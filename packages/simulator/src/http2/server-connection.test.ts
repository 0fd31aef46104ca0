import { flag, frameType, settingId } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { pushFields, RawClient } from "./raw-client.test-support.ts";

const { continuation, data, headers, ping, rstStream, settings, windowUpdate } = frameType;
const { ack, endHeaders, endStream, padded, priority } = flag;
const { initialWindowSize, maxFrameSize } = settingId;

const hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

test("its SETTINGS are Apple's, and are there before the client says a word", () => {
  const client = new RawClient({ streamLimit: 1 });
  expect(client.server.takeOutput()?.toString("hex")).toBe(
    // 30 bytes of SETTINGS: table 4096, 1 stream, window 65 535, frames of 16 384, header list 8000.
    `00001e040000000000${"000100001000"}${"000300000001"}${"00040000ffff"}${"000500004000"}${"000600001f40"}`,
  );
});

/** SETTINGS, its acknowledgement, one request as literal bytes: HEADERS without indexing and without Huffman, DATA. */
const requestBytes = Buffer.from(
  [
    Buffer.from(hello, "latin1").toString("hex"),
    "000000040000000000", // SETTINGS, empty
    "000000040100000000", // SETTINGS, acknowledged
    "000018010400000001", // HEADERS, 24 bytes, END_HEADERS, stream 1
    "83", // :method: POST
    "87", // :scheme: https
    `0414${Buffer.from("/3/device/aaaaaaaa__").toString("hex")}`.replace("5f5f", "6262"), // :path, 20 bytes
    "000002000100000001", // DATA, 2 bytes, END_STREAM, stream 1
    "7b7d",
  ].join(""),
  "hex",
);

test("a request is read at every split point", () => {
  for (let split = 1; split < requestBytes.length; split++) {
    const client = new RawClient();
    client.bytes(requestBytes.subarray(0, split));
    client.bytes(requestBytes.subarray(split));
    expect(client.broken).toBeUndefined();
    expect(client.requests).toEqual([
      {
        streamId: 1,
        fields: [":method", "POST", ":scheme", "https", ":path", "/3/device/aaaaaaaabb"],
        body: Buffer.from("{}"),
        bodyBytes: 2,
      },
    ]);
  }
});

test("a request is read byte by byte", () => {
  const client = new RawClient();
  for (let at = 0; at < requestBytes.length; at++) client.bytes(requestBytes.subarray(at, at + 1));
  expect(client.requests).toHaveLength(1);
});

test("a 200 ends on its HEADERS", () => {
  const client = RawClient.opened();
  client.request(1);
  client.server.answer(1, [":status", "200"]);
  expect(client.readWords()).toEqual(["headers 1 flags 5 88"]);
  expect(client.server.openStreams).toBe(0);
});

test("a refusal is HEADERS and DATA", () => {
  const client = RawClient.opened();
  client.request(1);
  client.server.answer(1, [":status", "400"], Buffer.from("{}"));
  expect(client.readWords()).toEqual(["headers 1 flags 4 8c", "data 1 flags 1 7b7d"]);
});

test("answers may come in any order, and one for a stream that has ended is dropped", () => {
  const client = RawClient.opened();
  for (const id of [1, 3, 5]) client.request(id);
  client.frame(rstStream, 0, 3, "00000008");
  for (const id of [5, 3, 1, 1]) client.server.answer(id, [":status", "200"]);
  expect(client.readWords()).toEqual(["headers 5 flags 5 88", "headers 1 flags 5 88"]);
});

test("padding and priority fields are not content", () => {
  const client = RawClient.opened();
  const block = client.block();
  const fields = Buffer.concat([Buffer.from("03000000030f", "hex"), block, Buffer.alloc(3)]);
  client.frame(headers, endHeaders | padded | priority, 1, fields);
  client.frame(data, endStream | padded, 1, "04 7b7d 00000000");
  expect(client.requests[0]).toMatchObject({ fields: pushFields, body: Buffer.from("{}") });
});

test("a header block may span any number of frames up to the bound", () => {
  const client = RawClient.opened();
  const block = client.block();
  client.frame(headers, endStream, 1, block.subarray(0, 1));
  for (let at = 1; at < block.length; at++) client.frame(continuation, 0, 1, block.subarray(at, at + 1));
  client.frame(continuation, endHeaders, 1);
  expect(client.requests[0]?.fields).toEqual(pushFields);
});

test("trailers end a request and are not part of it", () => {
  const client = RawClient.opened();
  client.headers(1, undefined, 0);
  client.frame(data, 0, 1, Buffer.from("{}"));
  client.headers(1, ["x-checksum", "1"]);
  expect(client.requests[0]).toMatchObject({ fields: pushFields, bodyBytes: 2 });
});

test("trailers without END_STREAM are a stream error", () => {
  const client = RawClient.opened();
  client.headers(1, undefined, 0);
  client.headers(1, ["x-checksum", "1"], 0);
  expect(client.readWords()).toEqual(["rstStream 1 00000001"]);
});

test("HEADERS that make a stream depend on itself are a stream error", () => {
  const client = RawClient.opened();
  const block = Buffer.concat([Buffer.from("000000010f", "hex"), client.block()]);
  client.frame(headers, endHeaders | endStream | priority, 1, block);
  expect(client.readWords()).toEqual(["rstStream 1 00000001"]);
});

test("a body that is not what content-length said is a stream error", () => {
  const client = RawClient.opened();
  client.request(1, "{}", [...pushFields, "content-length", "3"]);
  client.request(3, "{}", [...pushFields, "content-length", "1"]);
  expect(client.readWords()).toEqual(["rstStream 1 00000001", "rstStream 3 00000001"]);
  expect(client.requests).toEqual([]);
});

test("a body that is too long is handed on cut, and the rest is declined once it is answered", () => {
  const client = RawClient.opened();
  client.headers(1, undefined, 0);
  client.frame(data, 0, 1, Buffer.alloc(8192));
  expect(client.requests).toEqual([]);
  client.frame(data, 0, 1, Buffer.alloc(1));
  expect(client.requests).toMatchObject([{ bodyBytes: 8193, body: Buffer.alloc(8192) }]);
  client.frame(data, 0, 1, Buffer.alloc(10_000));
  client.server.answer(1, [":status", "413"]);
  const frames = client.readWords();
  expect(frames.at(-1)).toBe("rstStream 1 00000000");
  client.frame(data, endStream, 1, Buffer.alloc(10_000));
  expect(client.server.phase).toBe("open");
});

test("a header list over the limit is answered 431, and the next request is read", () => {
  const client = RawClient.opened();
  client.headers(1, [...pushFields, "x-large", "x".repeat(8000)]);
  client.request(3);
  const [refusal] = client.read();
  expect(refusal && client.fieldsOf(refusal)).toEqual([":status", "431"]);
  expect(client.requests).toMatchObject([{ streamId: 3 }]);
});

test("and where a body was to come, it is declined", () => {
  const client = RawClient.opened();
  client.headers(1, [...pushFields, "x-large", "x".repeat(8000)], 0);
  expect(client.readWords()[1]).toBe("rstStream 1 00000000");
  client.frame(data, endStream, 1, "7b7d");
  expect(client.server.phase).toBe("open");
});

test("a stream that was reset gets nothing of the answer that waited", () => {
  const client = RawClient.opened([[initialWindowSize, 5]]);
  for (const id of [1, 3]) {
    client.request(id);
    client.server.answer(id, [":status", "400"], Buffer.from("0123456789"));
  }
  client.read();
  client.frame(rstStream, 0, 1, "00000008");
  client.server.reset(3, 2);
  client.frame(settings, 0, 0, "0004000000ff");
  client.frame(windowUpdate, 0, 0, "00000064");
  expect(client.readWords()).toEqual(["rstStream 3 00000002", "settings 0 flags 1"]);
});

test("a larger connection window is announced at once", () => {
  const client = new RawClient({ connectionWindowBytes: 100_000 });
  expect(client.readWords()[1]).toBe(`windowUpdate 0 ${(100_000 - 65_535).toString(16).padStart(8, "0")}`);
});

test("one stream more than the limit is refused, and its header block still counts for the next", () => {
  const client = RawClient.opened([], { streamLimit: 1 });
  client.headers(1);
  client.headers(3, [...pushFields, "x-new", "enters the table"]);
  client.server.answer(1, [":status", "200"]);
  expect(client.readWords()).toEqual(["rstStream 3 00000007", "headers 1 flags 5 88"]);
  client.headers(5, [...pushFields, "x-new", "enters the table"]);
  expect(client.requests.map(({ streamId }) => streamId)).toEqual([1, 5]);
});

test("a stream counts until its answer has left", () => {
  const client = RawClient.opened([], { streamLimit: 1 });
  client.onRequest = ({ streamId }) => client.server.answer(streamId, [":status", "200"]);
  client.headers(1);
  client.headers(3);
  expect(client.readWords()).toEqual(["headers 1 flags 5 88", "rstStream 3 00000007"]);
  client.headers(5);
  expect(client.readWords()).toEqual(["headers 5 flags 5 88"]);
});

test("a raised limit holds as soon as the client can know it, a lowered one for new streams", () => {
  const client = RawClient.opened([], { streamLimit: 1 });
  client.headers(1);
  client.server.setStreamLimit(3);
  client.headers(3);
  expect(client.readWords()).toEqual(["settings 0 000300000003", "rstStream 3 00000007"]);
  for (const id of [5, 7]) client.headers(id);
  client.server.setStreamLimit(2);
  client.headers(9);
  expect(client.readWords()).toEqual(["settings 0 000300000002", "rstStream 9 00000007"]);
  expect(client.requests.map(({ streamId }) => streamId)).toEqual([1, 5, 7]);
});

test("the connection's window is given back, for streams that are gone as well", () => {
  const client = RawClient.opened();
  let credit = 0;
  for (let id = 1; id < 400; id += 2) {
    client.headers(id, undefined, 0);
    client.server.reset(id, 8);
    client.frame(data, endStream, id, Buffer.alloc(1000));
    for (const frame of client.read()) {
      if (frame.type === windowUpdate && frame.streamId === 0) credit += frame.payload.readUInt32BE(0);
    }
  }
  expect(client.server.phase).toBe("open");
  expect(credit).toBeGreaterThan(100_000);
});

test("DATA beyond a window is an error of the stream, or of the connection", () => {
  const client = RawClient.opened([], { streamWindowBytes: 1000 });
  client.headers(1, undefined, 0);
  client.frame(data, 0, 1, Buffer.alloc(1001));
  expect(client.readWords()).toEqual(["rstStream 1 00000003"]);
  const other = RawClient.opened();
  for (const id of [1, 3, 5, 7, 9]) {
    other.headers(id, undefined, 0);
    other.frame(data, 0, id, Buffer.alloc(16_384));
  }
  expect(other.broken?.code).toBe(3);
});

test("a stream's window is given back in steps of half a window", () => {
  const client = RawClient.opened([], { streamWindowBytes: 1000 });
  client.headers(1, undefined, 0);
  for (let frames = 0; frames < 8; frames++) client.frame(data, 0, 1, Buffer.alloc(500));
  expect(client.server.phase).toBe("open");
  expect(client.readWords().filter((words) => words.startsWith("windowUpdate 1 "))).toHaveLength(8);
});

test("an answer waits for the client's windows and keeps to its frame size", () => {
  const client = RawClient.opened([
    [initialWindowSize, 5],
    [maxFrameSize, 16_384],
  ]);
  client.request(1);
  client.server.answer(1, [":status", "400"], Buffer.from("0123456789"));
  expect(client.readWords()).toEqual(["headers 1 flags 4 8c", "data 1 3031323334"]);
  client.frame(windowUpdate, 0, 1, "00000002");
  expect(client.readWords()).toEqual(["data 1 3536"]);
  client.frame(settings, 0, 0, "000400000008");
  expect(client.readWords()).toEqual(["settings 0 flags 1", "data 1 flags 1 373839"]);
});

test("SETTINGS may take a window below 0, and it must be earned back", () => {
  const client = RawClient.opened([[initialWindowSize, 5]]);
  client.request(1);
  client.server.answer(1, [":status", "400"], Buffer.from("0123456789"));
  client.read();
  client.frame(settings, 0, 0, "000400000000");
  client.frame(windowUpdate, 0, 1, "00000005");
  expect(client.readWords()).toEqual(["settings 0 flags 1"]);
  client.frame(windowUpdate, 0, 1, "00000001");
  expect(client.readWords()).toEqual(["data 1 35"]);
});

test.each<[string, string, number]>([
  ["ENABLE_PUSH of 2", "000200000002", 1],
  ["a window of 2^31", "000480000000", 3],
  ["frames of 16 383 bytes", "000500003fff", 1],
  ["frames of 2^24 bytes", "000501000000", 1],
])("SETTINGS with %s break the connection", (_, entry, code) => {
  const client = RawClient.opened();
  client.frame(settings, 0, 0, entry);
  expect(client.broken?.code).toBe(code);
});

test("unknown settings are ignored, and PING comes back as it was", () => {
  const client = RawClient.opened();
  client.frame(settings, 0, 0, "00ff00000000");
  client.frame(ping, 0, 0, "0102030405060708");
  expect(client.readWords()).toEqual(["settings 0 flags 1", "ping 0 flags 1 0102030405060708"]);
});

test("a window that grows beyond 2^31 - 1 breaks the connection, or ends the stream", () => {
  const client = RawClient.opened();
  client.headers(1);
  client.frame(windowUpdate, 0, 1, "7fffffff");
  expect(client.readWords()).toEqual(["rstStream 1 00000003"]);
  client.frame(windowUpdate, 0, 0, "7fffffff");
  expect(client.readWords()).toEqual(["goaway 3 after 1"]);
  const other = RawClient.opened();
  other.headers(1);
  other.frame(windowUpdate, 0, 1, "7fff0000");
  other.frame(settings, 0, 0, "00047fffffff");
  expect(other.broken?.code).toBe(3);
});

test("a frame over 16 384 bytes breaks the connection at its header", () => {
  const client = RawClient.opened();
  client.bytes(Buffer.from("004001000000000001", "hex"));
  expect(client.broken?.code).toBe(6);
});

test("HTTP/1 gets SETTINGS and a GOAWAY in Netty's words", () => {
  const client = new RawClient();
  client.bytes("POST /3/device/aa HTTP/1.1\r\n\r\n");
  const [first, second] = client.read();
  expect(first?.type).toBe(settings);
  expect(second?.payload.subarray(8).toString()).toBe("Unexpected HTTP/1.x request: POST /3/device/aa ");
});

test("GOAWAY is for streams above it; those below are answered", () => {
  const client = RawClient.opened();
  client.headers(1);
  client.headers(3, undefined, 0);
  client.server.goaway(Buffer.from("debug"));
  client.headers(5);
  client.frame(data, endStream, 3, Buffer.from("{}"));
  client.server.answer(3, [":status", "200"]);
  client.server.answer(1, [":status", "200"]);
  const frames = client.read();
  expect(frames[0]?.payload.toString("latin1")).toBe("\0\0\0\x03\0\0\0\0debug");
  expect(frames.slice(1).map(({ streamId }) => streamId)).toEqual([3, 1]);
  expect(client.requests.map(({ streamId }) => streamId)).toEqual([1, 3]);
});

test("what waits for room on a stream above GOAWAY's last one is never written", () => {
  const client = RawClient.opened([[initialWindowSize, 100_000]]);
  client.onRequest = ({ streamId }) =>
    client.server.answer(streamId, [":status", "200"], Buffer.alloc(40_000));
  client.request(1);
  client.request(3);
  client.server.goaway(undefined, 1);
  client.read();
  client.frame(windowUpdate, 0, 0, "0000ffff");
  expect(client.readWords()).toEqual([]);
});

test("GOAWAY may come before the client's preface, which is then still read as one", () => {
  const client = new RawClient();
  client.server.goaway(Buffer.from("debug"), 0);
  client.bytes(requestBytes);
  expect(client.broken).toBeUndefined();
  expect(client.requests).toEqual([]);
  expect(client.readWords().slice(1)).toEqual(["goaway 0 after 0", "settings 0 flags 1"]);
});

test("a second GOAWAY may only lower the last stream", () => {
  const client = RawClient.opened();
  client.headers(1);
  client.server.goaway(undefined, 0x7fff_ffff);
  client.headers(3);
  client.server.goaway();
  client.server.goaway(undefined, 9);
  expect(client.readWords()).toEqual(["goaway 0 after 2147483647", "goaway 0 after 3", "goaway 0 after 3"]);
});

test("what was answered before a connection error goes out before the GOAWAY", () => {
  const client = RawClient.opened();
  client.headers(1);
  client.server.answer(1, [":status", "200"]);
  client.frame(ping, 0, 1, "");
  expect(client.readWords()).toEqual(["headers 1 flags 5 88", "goaway 1 after 1"]);
  expect(client.broken?.code).toBe(1);
});

test("nothing is written any more once the socket is gone", () => {
  const client = RawClient.opened();
  client.headers(1);
  client.server.answer(1, [":status", "200"]);
  client.server.socketClosed();
  client.server.answer(1, [":status", "200"]);
  client.server.reset(1, 8);
  client.server.goaway();
  client.server.setStreamLimit(5);
  client.frame(ping, 0, 0, "0102030405060708");
  expect(client.server.takeOutput()).toBeUndefined();
});

test("acknowledged SETTINGS ask for nothing", () => {
  const client = RawClient.opened();
  client.frame(settings, ack, 0);
  expect(client.readWords()).toEqual([]);
});
