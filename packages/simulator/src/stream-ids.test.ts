import { expect, test } from "vitest";
import { StreamIds } from "./stream-ids.ts";

test("tells the stream of every request, whatever the order in which they came whole", () => {
  const ids = [1, 3, 5, 9, 7, 11, 13, 27, 29, 15, 1001];
  const kept = new StreamIds();
  expect([kept.count, kept.newest, kept.at(1)]).toEqual([0, 0, undefined]);
  for (const id of ids) kept.add(id);
  expect(ids.map((_, index) => kept.at(index + 1))).toEqual(ids);
  expect([kept.count, kept.newest, kept.at(ids.length + 1)]).toEqual([ids.length, 1001, undefined]);
});
