import { expect, test } from "vitest";
import { ReceiveWindow } from "./receive-window.ts";

test("credits in steps of half a window", () => {
  const window = new ReceiveWindow(100);
  expect([window.receive(49), window.takeCredit()]).toEqual([true, 0]);
  expect([window.receive(1), window.takeCredit(), window.takeCredit()]).toEqual([true, 50, 0]);
  for (let i = 0; i < 1000; i++) {
    expect(window.receive(50)).toBe(true);
    expect(window.takeCredit()).toBe(50);
  }
});

test("refuses one byte more than it allowed", () => {
  const window = new ReceiveWindow(100);
  expect([window.receive(100), window.receive(1)]).toEqual([true, false]);
});
