import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ClientConnectionListener } from "./client-events.ts";
import { flag } from "./frame-types.ts";
import { writeData, writeHeaderBlock, writeHeaders, writeSettings } from "./frame-writer.ts";
import { HpackEncoder, type HpackEncoderOptions } from "./hpack/encoder.ts";

const id = "EABEAE54-14A8-11E5-B60B-1697F925EC7B";

/** What a listener is told, the short way counted as what it stands for. */
function listen(takesShortWay: boolean): {
  client: ClientConnection<number>;
  told: string[];
  short: () => number;
} {
  const told: string[] = [];
  let short = 0;
  const listener: ClientConnectionListener<number> = {
    capacityChanged() {},
    response: (tag, { status, fields, body }) =>
      told.push(`${tag} ${status} ${fields.length === 4 ? fields[2] : fields} ${body}`),
    failed: (tag, failure) => told.push(`${tag} ${JSON.stringify(failure)}`),
    goaway() {},
    pong() {},
    broken: ({ code, detail }) => told.push(`broken ${code} ${detail}`),
  };
  if (takesShortWay)
    listener.accepted = (tag) => {
      short += 1;
      told.push(`${tag} 200 apns-id `);
    };
  const client = new ClientConnection<number>(listener);
  const out = new ByteWriter();
  writeSettings(out, [[3, 1000]]);
  client.receive(out.take());
  return { client, told, short: () => short };
}

const answer = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ fields: fc.uuid().map((each) => [":status", "200", "apns-id", each]) }),
  },
  fc.record({
    fields: fc.constantFrom(
      [":status", "200"],
      [":status", "200", "apns-id", `${id.slice(0, 35)}\r`],
      [":status", "200", "apns-id", ` ${id.slice(1)}`],
      [":status", "200", "apns-id", "short"],
      [":status", "200", "apns-ix", id],
      [":status", "201", "apns-id", id],
      [":status", "200", "apns-id", id, "apns-unique-id", id],
      [":status", "400", "apns-id", id],
      [":status", "103", "apns-id", id],
    ),
    hasBody: fc.boolean(),
  }),
  fc.record({ raw: fc.constantFrom("88000761706e732d696424", "880f2f", "88", "") }),
  fc.record({ tableBytes: fc.constantFrom(0, 60, 4096) }),
);

test("a listener that takes the short way is told the same as one that does not", () => {
  const coding = fc.constantFrom<HpackEncoderOptions>(
    { huffman: "never" },
    { huffman: "always" },
    { huffman: "never", indexing: () => "without" },
    { huffman: "never", indexing: () => "never" },
    {},
  );
  fc.assert(
    fc.property(coding, fc.array(answer, { maxLength: 30 }), (options, answers) => {
      const both = [listen(true), listen(false)] as const;
      const encoder = new HpackEncoder(options);
      const out = new ByteWriter();
      answers.forEach((each, at) => {
        for (const { client } of both)
          if (client.canOpen(2)) client.open([":method", "POST", ":path", "/"], "{}", at);
        if ("tableBytes" in each) {
          encoder.setMaxTableSize(each.tableBytes);
          return;
        }
        const streamId = 2 * at + 1;
        if ("raw" in each) {
          const bytes = Buffer.concat([Buffer.from(each.raw, "hex"), Buffer.from(id)]);
          writeHeaderBlock(out, streamId, bytes, flag.endStream, 16_384);
        } else {
          const hasBody = "hasBody" in each && each.hasBody;
          writeHeaders(out, encoder, streamId, each.fields, hasBody ? 0 : flag.endStream, 16_384);
          if (hasBody) writeData(out, streamId, "{}", flag.endStream, 2);
        }
      });
      const bytes = out.take();
      for (const { client } of both) client.receive(bytes);
      expect(both[0].told).toEqual(both[1].told);
      expect(both[0].client.openStreams).toBe(both[1].client.openStreams);
    }),
    { numRuns: 1500 },
  );
});

test("of answers that are alike all but the first come the short way", () => {
  const { client, told, short } = listen(true);
  const encoder = new HpackEncoder({ huffman: "never" });
  const out = new ByteWriter();
  for (let at = 0; at < 10; at++) {
    client.open([":method", "POST", ":path", "/"], "{}", at);
    writeHeaders(
      out,
      encoder,
      2 * at + 1,
      [":status", "200", "apns-id", id.replace("E", String(at))],
      1,
      16_384,
    );
  }
  client.receive(out.take());
  expect(told).toHaveLength(10);
  expect(short()).toBe(8);
});

test("the same bytes are read anew after the table has changed", () => {
  const { client, told } = listen(true);
  const out = new ByteWriter();
  const answerWith = (streamId: number, hex: string, text: string): void => {
    client.open([":method", "POST", ":path", "/"], "{}", streamId);
    const block = Buffer.concat([Buffer.from(hex, "hex"), Buffer.from(text)]);
    writeHeaderBlock(out, streamId, block, flag.endStream, 16_384);
  };
  // Entry 62 is apns-id at first; a second one pushes it to 63.
  const byIndex = "880f2f24";
  answerWith(1, "88400761706e732d69640161", "");
  answerWith(3, byIndex, id);
  answerWith(5, byIndex, id);
  answerWith(7, "8840036e65770161", "");
  answerWith(9, byIndex, id);
  client.receive(out.take());
  expect(told.map((each) => each.split(" ").slice(0, 3).join(" "))).toEqual([
    ...["1 200 apns-id", "3 200 apns-id", "5 200 apns-id", "7 200 new", "9 200 new"],
  ]);
});
