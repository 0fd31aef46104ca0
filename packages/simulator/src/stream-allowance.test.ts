import { expect, test } from "vitest";
import { StreamAllowance } from "./stream-allowance.ts";

test("is 1 until a valid token came, refused push or not, and 1000 for a certificate at once", () => {
  const allowance = new StreamAllowance(false);
  allowance.answered(403, false);
  expect(allowance.limit).toBe(1);
  allowance.answered(400, true);
  expect(allowance.limit).toBe(1000);
  expect(new StreamAllowance(true).limit).toBe(1000);
});

test("falls to 1 after refusals in a row, where that is assumed, until a push is accepted", () => {
  const allowance = new StreamAllowance(true, 2);
  for (const [status, limit] of [
    [400, 1000],
    [200, 1000],
    [400, 1000],
    [410, 1000],
    [503, 1000],
    [400, 1],
    [410, 1],
    [200, 1000],
  ] as const) {
    allowance.answered(status, true);
    expect(allowance.limit).toBe(limit);
  }
});
