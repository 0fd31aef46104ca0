import fc from "fast-check";
import { expect, test } from "vitest";
import { DynamicTable, entryBytes } from "./dynamic-table.ts";

test("numbers the newest entry 1", () => {
  const table = new DynamicTable(4096);
  table.insert("a", "1");
  table.insert("b", "2");
  expect([table.nameAt(1), table.valueAt(1), table.nameAt(2), table.valueAt(2)]).toEqual([
    "b",
    "2",
    "a",
    "1",
  ]);
});

test("keeps what fits exactly and evicts the oldest for one byte more", () => {
  const table = new DynamicTable(68); // two entries of 1 + 1 + 32 bytes
  table.insert("a", "1");
  table.insert("b", "2");
  expect([table.length, table.bytes]).toEqual([2, 68]);
  table.resize(67);
  expect([table.length, table.nameAt(1)]).toEqual([1, "b"]);
  table.insert("c", "");
  expect([table.length, table.bytes]).toEqual([2, 67]);
});

test("is emptied by an entry larger than itself", () => {
  const table = new DynamicTable(40);
  table.insert("a", "1");
  table.insert("b", "x".repeat(8));
  expect([table.length, table.bytes]).toEqual([0, 0]);
  table.insert("b", "x".repeat(7));
  expect([table.length, table.bytes]).toEqual([1, 40]);
});

test("is a queue under any insertions and sizes", () => {
  const step = fc.oneof(fc.nat(400), fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 60 })));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new DynamicTable(300);
      let model: (readonly [string, string])[] = [];
      let most = 300;
      const size = () => model.reduce((sum, [name, value]) => sum + entryBytes(name, value), 0);
      for (const each of steps) {
        if (typeof each === "number") {
          most = each;
          table.resize(each);
        } else {
          table.insert(each[0], each[1]);
          model.unshift(each);
        }
        while (size() > most) model = model.slice(0, -1);
        expect(table.bytes).toBe(size());
        expect(
          Array.from({ length: table.length }, (_, i) => [table.nameAt(i + 1), table.valueAt(i + 1)]),
        ).toEqual(model);
      }
    }),
  );
});
