import { expect, test } from "vitest";
import { FloodGuard } from "./flood-guard.ts";

/** How often `count` may be called before it gives an error; at most `most` times. */
function callsUntilError(count: () => object | undefined, most = 100_000): number {
  for (let calls = 1; calls <= most; calls++) if (count() !== undefined) return calls;
  return Number.POSITIVE_INFINITY;
}

test("each count has its bound", () => {
  expect(callsUntilError(() => new FloodGuard().countReply())).toBe(Number.POSITIVE_INFINITY);
  const [replies, idle, resets] = [new FloodGuard(), new FloodGuard(), new FloodGuard()];
  expect(callsUntilError(() => replies.countReply())).toBe(1001);
  expect(callsUntilError(() => idle.countIdle())).toBe(10_001);
  expect(callsUntilError(() => resets.countReset())).toBe(1001);
});

test("replies that were taken count no more", () => {
  const guard = new FloodGuard();
  const result = callsUntilError(() => {
    guard.repliesTaken();
    return guard.countReply();
  });
  expect(result).toBe(Number.POSITIVE_INFINITY);
});

test("an honest client may reset every other request for ever", () => {
  const guard = new FloodGuard();
  const result = callsUntilError(() => {
    guard.answered();
    guard.answered();
    return guard.countReset() ?? guard.countIdle();
  });
  expect(result).toBe(Number.POSITIVE_INFINITY);
});

test("what answers earn has a bound", () => {
  const guard = new FloodGuard();
  for (let answers = 0; answers < 1_000_000; answers++) guard.answered();
  expect(callsUntilError(() => guard.countReset())).toBe(5001);
});

test("says ENHANCE_YOUR_CALM", () => {
  const guard = new FloodGuard();
  let error: object | undefined;
  while (error === undefined) error = guard.countReset();
  expect(error).toMatchObject({ code: 0xb });
});
