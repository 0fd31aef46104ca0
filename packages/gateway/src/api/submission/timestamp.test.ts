import { expect, test } from "vitest";
import { parseTimestamp } from "./timestamp.ts";

test.each([
  ["2026-12-01T09:00:00Z", Date.UTC(2026, 11, 1, 9)],
  ["2026-12-01T09:00:00+01:00", Date.UTC(2026, 11, 1, 8)],
  ["2026-12-01T09:00:00.250Z", Date.UTC(2026, 11, 1, 9, 0, 0, 250)],
  ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
])("reads %s", (text, ms) => {
  expect(parseTimestamp(text)).toBe(ms);
});

test.each([
  "",
  "2026-12-01",
  "2026-12-01T09:00:00",
  "2026-12-01 09:00:00Z",
  "2026-02-30T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-12-01T25:00:00Z",
  "1796000000",
  "tomorrow",
])("does not guess what %j means", (text) => {
  expect(parseTimestamp(text)).toBeUndefined();
});
