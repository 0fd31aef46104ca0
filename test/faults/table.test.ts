/** docs/faults.md against the tests: each row stands there once, with the files whose tests show it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);
/** The rows of the catalogue that a sender can have, in either protocol, and those of the queue and of what it tells. */
const required = [...range(1, 89), 91];

interface Row {
  readonly row: number;
  /** Files named in the third column. */
  readonly files: readonly string[];
  readonly result: string;
}

const rows: readonly Row[] = [
  ...readFileSync(join(root, "docs/faults.md"), "utf8").matchAll(/^\| (\d+) \|(.*)\|$/gm),
].map(([, row, cells]) => {
  const [, where = "", result = ""] = (cells ?? "").split(" | ");
  return {
    row: Number(row),
    files: [...where.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => file as string),
    result: result.trim(),
  };
});

/** Rows named in the titles of a file's tests: row 9: … or rows 34 and 35: …. */
function rowsShownBy(file: string): number[] {
  const titles = readFileSync(join(root, file), "utf8").matchAll(/["`]rows? (\d+)(?: and (\d+))?(?=[:"])/g);
  return [...titles]
    .flatMap(([, one, other]) => [one, other])
    .flatMap((each) => (each === undefined ? [] : [Number(each)]));
}

test("every row that a sender can have stands in the table once", () => {
  expect(rows.map(({ row }) => row)).toEqual(required);
});

test("a row names the files that show it, or says why there are none", () => {
  for (const { row, files, result } of rows) {
    if (files.length === 0) expect(result, `row ${row}`).toMatch(/^(cannot apply|not there yet): .{20}/);
    for (const file of files) {
      if (file.startsWith("bench/")) readFileSync(join(root, file));
      else expect(rowsShownBy(file), `${file} for row ${row}`).toContain(row);
    }
  }
});

test("every test that shows a row is named by it", () => {
  const folders = [
    "test/faults",
    "test/interop",
    "packages/apns/src/client",
    "packages/gateway/src/bridge",
    "packages/gateway/src/delivery",
    "test/delivery",
    "test/outcomes",
    "packages/gateway/src/outcomes/webhooks",
  ];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name}`),
  );
  for (const file of files)
    for (const row of rowsShownBy(file))
      expect(rows.find((each) => each.row === row)?.files, `row ${row}`).toContain(file);
});
