import { expect, test } from "vitest";
import { TurnTime } from "./turn-time.ts";

function counted(): { turn: TurnTime; readings: () => number; pass(ms: number): void } {
  let readings = 0;
  let ms = 0;
  const clock = {
    now: () => 0,
    monotonic: () => {
      readings += 1;
      return ms;
    },
    setTimer: () => ({ cancel: () => undefined }),
  };
  return {
    turn: new TurnTime(clock),
    readings: () => readings,
    pass: (more) => {
      ms += more;
    },
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("one reading serves a turn of the loop, and the next turn gets a new one", async () => {
  const { turn, readings, pass } = counted();
  expect([turn.now(), turn.now()]).toEqual([0, 0]);
  pass(5);
  expect([turn.now(), readings()]).toEqual([0, 1]);
  for (let each = 1; each <= 3; each++) {
    await nextTurn();
    pass(5);
    expect(turn.now()).toBe(5 + 5 * each);
  }
});

test("in a turn that takes long, the time goes on all the same", () => {
  const { turn, pass } = counted();
  const seen = Array.from({ length: 200 }, () => {
    pass(1000);
    return turn.now();
  });
  expect(seen.at(-1)).toBeGreaterThan(160_000);
});
