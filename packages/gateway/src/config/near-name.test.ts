import { expect, test } from "vitest";
import { nearName } from "./near-name.ts";

const known = ["collapseId", "title", "to", "topic", "ttl"];

test.each([
  ["collapse_id", "collapseId"],
  ["COLLAPSE-ID", "collapseId"],
  ["colapseId", "collapseId"],
  ["collapsedIdd", "collapseId"],
  ["titel", "title"],
  ["topik", "topic"],
  ["TTL", "ttl"],
  ["collapse", "collapseId"],
])("%s stands for %s", (name, meant) => {
  expect(nearName(name, known)).toBe(meant);
});

test.each(["xy", "t", "badge", "", "x".repeat(10_000)])("%s stands for nothing here", (name) => {
  expect(nearName(name, known)).toBeUndefined();
});
