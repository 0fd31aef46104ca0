import { expect, test } from "vitest";
import { makeApnsId } from "./apns-id.ts";

test("ids are version 4 UUIDs in lower case, and all different", () => {
  const ids = Array.from({ length: 2000 }, makeApnsId);
  expect(new Set(ids).size).toBe(2000);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("every random bit of an id varies", () => {
  const seen = Array.from({ length: 36 }, () => new Set<string>());
  for (let each = 0; each < 3000; each += 1)
    [...makeApnsId()].forEach((digit, at) => void seen[at]?.add(digit));
  const fixed: Readonly<Record<number, number>> = { 8: 1, 13: 1, 14: 1, 18: 1, 19: 4, 23: 1 };
  expect(seen.map((digits) => digits.size)).toEqual(seen.map((_, at) => fixed[at] ?? 16));
});
