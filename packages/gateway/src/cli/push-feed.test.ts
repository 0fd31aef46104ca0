import type { Push } from "@carillon/simulator";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { followPushes } from "./push-feed.ts";

const plain = createColors(false);

/** The lines for pushes that arrive between the start of the feed and its end. */
function linesFor(arrivals: readonly Partial<Push>[], before: readonly Partial<Push>[] = []): string[] {
  const lines: string[] = [];
  const listeners = new Set<(push: Push) => void>();
  const arrive = (pushes: readonly Partial<Push>[]): void => {
    for (const each of pushes) for (const listener of listeners) listener(each as Push);
  };
  const history = {
    subscribe: (listener: (push: Push) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  arrive(before);
  const print = (line: string): void => void lines.push(line);
  const hand = async (line: string): Promise<void> => print(line);
  const terminal = { print, hand, note: print, colours: plain, noteColours: plain, outputFailure: undefined };
  const end = followPushes(history, terminal);
  arrive(arrivals);
  end();
  arrive([push("after the end")]);
  return lines;
}

function push(payload: string, more: Partial<Push> = {}): Partial<Push> {
  const atMs = new Date(2026, 10, 24, 12, 0, 1).getTime();
  const deviceToken = "3f1c09ab5e7d4268";
  return { atMs, deviceToken, pushType: "alert", status: 200, payload: Buffer.from(payload), ...more };
}

test.each([
  ['{"aps":{"alert":"Hello"}}', '"Hello"'],
  ['{"aps":{"alert":{"title":"Bell","body":"rings"}}}', '"Bell: rings"'],
  ['{"aps":{"content-available":1}}', '{"aps":{"content-available":1}}'],
  ["no JSON", "no JSON"],
  [`{"aps":{"alert":"${"x".repeat(100)}"}}`, `"${"x".repeat(58)}…`],
  ['{"aps":{"alert":"\\u009b2J\\u202e"}}', '" 2J "'],
])("the payload %s is shown as %s", (payload, shown) => {
  expect(linesFor([push(payload)])).toEqual([`12:00:01  accepted  3f1c09ab…  alert  ${shown}`]);
});

test("a push that was refused shows the status and the reason", () => {
  const refused = push("{}", { status: 410, reason: "Unregistered" });
  expect(linesFor([refused])).toEqual(["12:00:01  410 Unregistered  3f1c09ab…  alert  {}"]);
});

test("pushes from before are not shown", () => {
  expect(linesFor([], [push("{}")])).toEqual([]);
});

test("a flood is counted, and its last pushes are shown", () => {
  const lines = linesFor(Array.from({ length: 1_000 }, (_, each) => push(`{"n":${each}}`)));
  expect(lines).toHaveLength(21);
  expect(lines[0]).toBe("… 980 more pushes");
  expect(lines.at(-1)).toContain('{"n":999}');
});
