import { expect, test } from "vitest";
import { ResetBudget } from "./reset-budget.ts";

function take(budget: ResetBudget, nowMs: number): number {
  let taken = 0;
  while (taken < 10_000 && budget.take(nowMs)) taken += 1;
  return taken;
}

test("800 resets pass in one go, and 25 a second afterwards, never more than 800", () => {
  const budget = new ResetBudget(0);
  expect(take(budget, 0)).toBe(800);
  expect(take(budget, 1000)).toBe(25);
  expect(take(budget, 1010)).toBe(0);
  expect(take(budget, 10_000_000)).toBe(800);
});
