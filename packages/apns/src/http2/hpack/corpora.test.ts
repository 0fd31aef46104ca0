import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ByteWriter } from "../byte-writer.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";

/** Header blocks of other encoders, from http2jp/hpack-test-case. */
interface Story {
  readonly cases: readonly {
    readonly seqno: number;
    readonly wire: string;
    readonly header_table_size?: number;
    readonly headers: readonly Readonly<Record<string, string>>[];
  }[];
}

const root = join(import.meta.dirname, "../../../../..");
const folder = join(process.env.CARILLON_CORPORA ?? join(root, "../shared/corpora"), "hpack");
const isAbsent = !existsSync(folder);
if (isAbsent) console.warn(`SKIPPED: no HPACK stories at ${folder}; CARILLON_CORPORA names the folder`);

const encoders = isAbsent
  ? ["(absent)"]
  : readdirSync(folder, { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .map((each) => each.name);

test.skipIf(isAbsent).each(encoders)("decodes every story of %s to its header lists", (encoder) => {
  const stories = readStories(encoder);
  expect(stories.length).toBeGreaterThan(0);
  for (const { file, story } of stories) {
    const decoder = new HpackDecoder({ maxHeaderListBytes: 1_000_000 });
    let tableSize = 4096;
    for (const { seqno, wire, header_table_size, headers } of story.cases) {
      if (header_table_size !== undefined && header_table_size !== tableSize) {
        tableSize = header_table_size;
        decoder.setMaxTableSize(tableSize);
      }
      const bytes = Buffer.from(wire, "hex");
      const block = decoder.decode(bytes, 0, bytes.length);
      expect(block, `${file}, block ${seqno}`).toEqual({ kind: "decoded", fields: flatten(headers) });
    }
  }
});

test.skipIf(isAbsent).each(encoders)("encodes every list of %s so that it decodes again", (encoder) => {
  for (const huffman of ["stable", "always", "never"] as const) {
    for (const { file, story } of readStories(encoder)) {
      const writer = new HpackEncoder({ huffman });
      const decoder = new HpackDecoder({ maxHeaderListBytes: 1_000_000 });
      for (const { seqno, header_table_size, headers } of story.cases) {
        writer.setMaxTableSize(header_table_size ?? 4096);
        decoder.setMaxTableSize(header_table_size ?? 4096);
        const fields = flatten(headers);
        const out = new ByteWriter();
        writer.encode(out, fields);
        const bytes = out.take();
        const block = decoder.decode(bytes, 0, bytes.length);
        expect(block, `${file}, block ${seqno}`).toEqual({ kind: "decoded", fields });
      }
    }
  }
});

test.skipIf(isAbsent)("compresses with everything indexed about as well as nghttp2 does", () => {
  let ours = 0;
  let theirs = 0;
  for (const { story } of readStories("nghttp2-change-table-size")) {
    const writer = new HpackEncoder({ huffman: "always", indexing: () => "incremental" });
    for (const { wire, header_table_size, headers } of story.cases) {
      writer.setMaxTableSize(header_table_size ?? 4096);
      const out = new ByteWriter();
      writer.encode(out, flatten(headers));
      ours += out.length;
      theirs += wire.length / 2;
    }
  }
  expect(ours).toBeLessThan(theirs * 1.1);
});

function readStories(encoder: string): { file: string; story: Story }[] {
  return readdirSync(join(folder, encoder)).map((file) => ({
    file: `${encoder}/${file}`,
    story: JSON.parse(readFileSync(join(folder, encoder, file), "utf8")),
  }));
}

function flatten(headers: readonly Readonly<Record<string, string>>[]): string[] {
  return headers.flatMap((header) => Object.entries(header)[0] ?? []);
}
