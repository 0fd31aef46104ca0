import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../byte-writer.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import type { Indexing } from "./indexing.ts";

const incremental = (): Indexing => "incremental";

test.each([
  [
    "never",
    [
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ],
  ],
  [
    "always",
    [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ],
  ],
] as const)("writes the requests of RFC 7541 C.3 and C.4, Huffman %s", (huffman, blocks) => {
  const encoder = new HpackEncoder({ huffman, indexing: incremental });
  const authority = [":authority", "www.example.com"];
  const requests = [
    [":method", "GET", ":scheme", "http", ":path", "/", ...authority],
    [":method", "GET", ":scheme", "http", ":path", "/", ...authority, "cache-control", "no-cache"],
    [
      ...[":method", "GET", ":scheme", "https", ":path", "/index.html", ...authority],
      ...["custom-key", "custom-value"],
    ],
  ];
  expect(requests.map((fields) => encode(encoder, fields))).toEqual(blocks);
});

test("writes a push as Apple advises: first time", () => {
  const block = encode(new HpackEncoder({ huffman: "never" }), push("id-1"));
  expect(block).toBe(
    [
      "83", // :method POST, static
      "87", // :scheme https, static
      `04${text("/3/device/aa")}`, // :path without indexing
      `0f08${text("bearer x")}`, // authorization without indexing: index 23 = 15 + 8
      `40${text("apns-topic")}${text("com.example.demo")}`,
      `40${text("apns-priority")}${text("10")}`,
      `40${text("apns-id")}${text("id-1")}`, // incremental: puts the name into the table
    ].join(""),
  );
});

test("writes a push as Apple advises: afterwards", () => {
  const encoder = new HpackEncoder({ huffman: "never" });
  encode(encoder, push("id-1"));
  expect(encode(encoder, push("id-2"))).toBe(
    [
      "83",
      "87",
      `04${text("/3/device/aa")}`,
      `0f08${text("bearer x")}`,
      "c0", // apns-topic, third newest of the table
      "bf", // apns-priority
      `0f2f${text("id-2")}`, // name by index 62 = 15 + 47, value in full, without indexing
    ].join(""),
  );
});

test("puts a name back into the table once its entry was evicted", () => {
  const encoder = new HpackEncoder({ huffman: "never" });
  encode(encoder, ["apns-id", "1"]);
  expect(encode(encoder, ["apns-id", "2"])).toBe(`0f2f${text("2")}`);
  for (let i = 0; i < 100; i++) encode(encoder, [`x-${i}`, "a".repeat(60)]);
  expect(encode(encoder, ["apns-id", "3"])).toBe(`40${text("apns-id")}${text("3")}`);
});

test("marks what must never be indexed", () => {
  const encoder = new HpackEncoder({ huffman: "never", indexing: () => "never" });
  expect(encode(encoder, ["password", "secret"])).toBe("100870617373776f726406736563726574");
  expect(encode(encoder, ["password", "secret"])).toBe("100870617373776f726406736563726574");
  expect(encode(encoder, [":method", "GET"])).toBe(`12${text("GET")}`);
});

test("writes a value that repeats in Huffman code where that is shorter", () => {
  const encoder = new HpackEncoder();
  const first = encode(encoder, ["authorization", "www.example.com"]);
  const second = encode(encoder, ["authorization", "www.example.com"]);
  expect(first).toBe(`0f08${text("www.example.com")}`);
  expect(second).toBe("0f088cf1e3c2e5f23a6ba0ab90f4ff");
  expect(encode(encoder, ["authorization", "www.example.com"])).toBe(second);
});

test("announces a smaller table, and the smallest of several first", () => {
  const encoder = new HpackEncoder({ huffman: "never", indexing: incremental });
  encode(encoder, ["a", "b"]);
  encoder.setMaxTableSize(0);
  expect(encode(encoder, ["a", "b"])).toBe(`2000${text("a")}${text("b")}`);
  encoder.setMaxTableSize(100);
  encoder.setMaxTableSize(50);
  encoder.setMaxTableSize(70);
  expect(encode(encoder, [":method", "GET"])).toBe("3f133f2782"); // 50, then 70
  expect(encode(encoder, [":method", "GET"])).toBe("82");
});

test("announces a dip even when the size comes back before the next block", () => {
  const encoder = new HpackEncoder({ huffman: "never", indexing: incremental });
  encode(encoder, ["a", "b"]);
  encoder.setMaxTableSize(0);
  encoder.setMaxTableSize(4096);
  expect(encode(encoder, ["a", "b"])).toBe(`203fe11f40${text("a")}${text("b")}`);
});

test("uses no more of the peer's table than its own limit", () => {
  const encoder = new HpackEncoder({ huffman: "never", maxTableSize: 64 });
  expect(encode(encoder, [":method", "GET"])).toBe("3f2182");
  encoder.setMaxTableSize(65_536);
  expect(encode(encoder, [":method", "GET"])).toBe("82");
});

test("does not index a value that would take most of the table", () => {
  const encoder = new HpackEncoder({ huffman: "never", indexing: incremental });
  const large = "x".repeat(3100);
  expect(encode(encoder, ["a", large]).startsWith("00")).toBe(true);
  expect(encode(encoder, ["a", large.slice(200)]).startsWith("40")).toBe(true);
});

test("treats names like those of Object.prototype as names", () => {
  const encoder = new HpackEncoder({ huffman: "never" });
  const fields = ["constructor", "1", "__proto__", "2", "tostring", "3"];
  expect(decode(new HpackDecoder(), encode(encoder, fields))).toEqual({ kind: "decoded", fields });
});

test("goes on rightly after more names than it remembers", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  for (let i = 0; i < 2000; i++) {
    const fields = [`name-${i}`, "v", `name-${i - 1}`, "v", "apns-id", String(i)];
    expect(decode(decoder, encode(encoder, fields))).toEqual({ kind: "decoded", fields });
  }
});

const name = fc.constantFrom(
  ...[":path", ":status", "authorization", "apns-id", "apns-topic", "x", "y", "content-length", "set-cookie"],
);
const value = fc.oneof(
  fc.constantFrom("", "200", "204", "/", "a", "b"),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 33, 64, 256, 1000, 4096, 65_536) },
);

test("decodes to what was encoded, whatever the fields, policies and table sizes between", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom("stable", "always", "never"),
      fc.constantFrom<Indexing | undefined>(undefined, "incremental", "without", "never", "name-only"),
      fc.constantFrom(0, 100, 4096, 65_536),
      (steps, huffman, indexing, maxTableSize) => {
        const encoder = new HpackEncoder({
          huffman,
          maxTableSize,
          ...(indexing && { indexing: () => indexing }),
        });
        const decoder = new HpackDecoder({ maxHeaderListBytes: 1_000_000 });
        for (const each of steps) {
          if (typeof each === "number") {
            encoder.setMaxTableSize(each);
            decoder.setMaxTableSize(each);
            continue;
          }
          const fields = each.flat();
          expect(decode(decoder, encode(encoder, fields))).toEqual({ kind: "decoded", fields });
        }
      },
    ),
    { numRuns: 500 },
  );
});

function push(id: string): string[] {
  return [
    ...[":method", "POST", ":scheme", "https", ":path", "/3/device/aa", "authorization", "bearer x"],
    ...["apns-topic", "com.example.demo", "apns-priority", "10", "apns-id", id],
  ];
}

/** A short string literal in plain text. */
function text(characters: string): string {
  return Buffer.from([characters.length]).toString("hex") + Buffer.from(characters).toString("hex");
}

function encode(encoder: HpackEncoder, fields: readonly string[]): string {
  const out = new ByteWriter();
  encoder.encode(out, fields);
  return out.take().toString("hex");
}

function decode(decoder: HpackDecoder, hex: string) {
  const bytes = Buffer.from(hex, "hex");
  return decoder.decode(bytes, 0, bytes.length);
}
