import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "./decoder.ts";

const firstRequest = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
const secondRequest = [...firstRequest, "cache-control", "no-cache"];
const thirdRequest = [
  ...[":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com"],
  ...["custom-key", "custom-value"],
];
const date = "Mon, 21 Oct 2013 20:13:21 GMT";
const location = ["location", "https://www.example.com"];
const firstResponse = [":status", "302", "cache-control", "private", "date", date, ...location];
const secondResponse = [":status", "307", "cache-control", "private", "date", date, ...location];
const thirdResponse = [
  ...[":status", "200", "cache-control", "private", "date", "Mon, 21 Oct 2013 20:13:22 GMT", ...location],
  ...["content-encoding", "gzip"],
  ...["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];

test.each([
  [
    "literal with indexing (C.2.1)",
    "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
    ["custom-key", "custom-header"],
  ],
  ["literal without indexing (C.2.2)", "040c2f73616d706c652f70617468", [":path", "/sample/path"]],
  ["literal never indexed (C.2.3)", "100870617373776f726406736563726574", ["password", "secret"]],
  ["indexed field (C.2.4)", "82", [":method", "GET"]],
])("decodes a %s", (_, hex, fields) => {
  expect(decode(new HpackDecoder(), hex)).toEqual({ kind: "decoded", fields });
});

test.each([
  [
    "plain (C.3)",
    [
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ],
  ],
  [
    "Huffman (C.4)",
    [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ],
  ],
])("decodes three requests on one connection, %s", (_, blocks) => {
  const decoder = new HpackDecoder();
  const decoded = blocks.map((hex) => decode(decoder, hex));
  const expected = [firstRequest, secondRequest, thirdRequest];
  expect(decoded).toEqual(expected.map((fields) => ({ kind: "decoded", fields })));
});

test.each([
  [
    "plain (C.5)",
    [
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ],
  ],
  [
    "Huffman (C.6)",
    [
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ],
  ],
])("evicts as the three responses of a table of 256 bytes need, %s", (_, blocks) => {
  const decoder = new HpackDecoder({ maxTableSize: 256 });
  const decoded = blocks.map((hex) => decode(decoder, hex));
  const expected = [firstResponse, secondResponse, thirdResponse];
  expect(decoded).toEqual(expected.map((fields) => ({ kind: "decoded", fields })));
});

test.each([
  ["index 0", "80"],
  ["an index behind the tables", "be"],
  ["a name index behind the tables", "7f00"],
  ["an integer without end", "ffffffffffffffffffff"],
  ["an integer beyond 2^28", "ff8080808001"],
  ["an integer that is cut", "ff"],
  ["a name that is cut", "400a6375"],
  ["a missing value", "4001610"],
  ["a value that is cut", "4001610561"],
  ["a value that lacks its last byte", "4001610261"],
  ["a string length beyond 2^28", "40ffffffffff7f"],
  ["EOS in a string", "400161 84ffffffff"],
  ["a table size above SETTINGS", "3fe21f"],
  ["a table size update behind a field", "8220"],
])("calls %s malformed", (_, hex) => {
  expect(decode(new HpackDecoder(), hex.replace(" ", "")).kind).toBe("malformed");
});

test("takes the largest integers that fit their bound, and no padded ones beyond it", () => {
  const decoder = new HpackDecoder();
  expect(decode(decoder, "3fe11f")).toEqual({ kind: "decoded", fields: [] }); // 31 + 4065 = 4096
  expect(decode(decoder, "3fe19f8000")).toEqual({ kind: "decoded", fields: [] }); // the same in 5 bytes
  expect(decode(decoder, "3fe19f808000").kind).toBe("malformed");
});

test("empties the table at size 0 and fills it again", () => {
  const decoder = new HpackDecoder();
  decode(decoder, "400161016240016301644001650166");
  expect(decode(decoder, "be")).toEqual({ kind: "decoded", fields: ["e", "f"] });
  expect(decode(decoder, "203fe11f")).toEqual({ kind: "decoded", fields: [] });
  expect(decode(decoder, "be").kind).toBe("malformed");
});

test("does not keep an entry larger than the table, and empties the table for it", () => {
  const decoder = new HpackDecoder({ maxTableSize: 64 });
  decode(decoder, "4001610162");
  expect(decode(decoder, `40016121${"62".repeat(33)}`)).toEqual({
    kind: "decoded",
    fields: ["a", "b".repeat(33)],
  });
  expect(decode(decoder, "be").kind).toBe("malformed");
});

test("wants a size update in the block after a reduction was acknowledged", () => {
  const slow = new HpackDecoder();
  slow.setMaxTableSize(100);
  expect(decode(slow, "88").kind).toBe("malformed");
  const right = new HpackDecoder();
  right.setMaxTableSize(100);
  expect(decode(right, "3f4588").kind).toBe("decoded"); // 31 + 69 = 100
  expect(decode(right, "88").kind).toBe("decoded");
  const tooLarge = new HpackDecoder();
  tooLarge.setMaxTableSize(100);
  expect(decode(tooLarge, "3f4688").kind).toBe("malformed");
});

test("refuses a list over the limit and keeps the table in step", () => {
  const decoder = new HpackDecoder({ maxHeaderListBytes: 100 });
  // Entry 62: ("a", 40 bytes). Three references make 3 x 73 bytes.
  expect(decode(decoder, `40016128${"62".repeat(40)}`).kind).toBe("decoded");
  expect(decode(decoder, "bebebe4001630164")).toEqual({ kind: "too-large" });
  expect(decode(decoder, "be")).toEqual({ kind: "decoded", fields: ["c", "d"] });
});

test("keeps nothing of a bomb: thousands of references to one large entry", () => {
  const decoder = new HpackDecoder();
  const value = "62".repeat(3000);
  expect(decode(decoder, `4001617fb916${value}`).kind).toBe("decoded");
  expect(decode(decoder, "be".repeat(16_000))).toEqual({ kind: "too-large" });
});

test("reads bytes above 0x7f as one character each", () => {
  expect(decode(new HpackDecoder(), "00016102e9ff")).toEqual({ kind: "decoded", fields: ["a", "éÿ"] });
});

test("decodes only the bytes it was given", () => {
  const bytes = Buffer.from("ff8288ff", "hex");
  expect(new HpackDecoder().decode(bytes, 1, 3)).toEqual({
    kind: "decoded",
    fields: [":method", "GET", ":status", "200"],
  });
});

test("meets arbitrary bytes with one of the declared kinds, and holds no more than its table", () => {
  const block = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
      const decoder = new HpackDecoder({ maxHeaderListBytes: 500 });
      for (const bytes of blocks) {
        const result = decoder.decode(Buffer.from(bytes), 0, bytes.length);
        expect(["decoded", "too-large", "malformed"]).toContain(result.kind);
        if (result.kind !== "decoded") continue;
        expect(result.fields.length % 2).toBe(0);
        expect(result.fields.join("").length).toBeLessThanOrEqual(500);
      }
    }),
    { numRuns: 2000 },
  );
});

function decode(decoder: HpackDecoder, hex: string) {
  const bytes = Buffer.from(hex, "hex");
  return decoder.decode(bytes, 0, bytes.length);
}
