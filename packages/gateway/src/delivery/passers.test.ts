import { expect, test } from "vitest";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { AppGate } from "./app-gate.ts";
import { Passers } from "./passers.ts";

/** Someone with so many to send, who asks for each. */
class Passer {
  readonly sentAtMs: number[] = [];
  readonly #passers: Passers;
  readonly #clock: FakeClock;
  readonly again = (): void => this.send();
  left: number;

  constructor(passers: Passers, clock: FakeClock, count: number) {
    this.#passers = passers;
    this.#clock = clock;
    this.left = count;
  }

  send(): void {
    for (; this.left > 0 && this.#passers.mayPass("demo", this.again); this.left -= 1)
      this.sentAtMs.push(this.#clock.monotonic());
  }
}

function open(perSecond?: number) {
  const clock = new FakeClock();
  const gate = new AppGate(perSecond);
  const passers = new Passers(clock, () => gate);
  const passer = (count: number): Passer => new Passer(passers, clock, count);
  return { clock, gate, passers, passer };
}

test("without a rate all pass; a pause holds them, and its end lets them go on", () => {
  const { clock, gate, passers, passer } = open();
  const first = passer(3);
  first.send();
  expect(first.left).toBe(0);
  gate.pause = { sinceMs: 0 };
  const second = passer(5);
  second.send();
  clock.advance(3_600_000);
  passers.look();
  expect(second.left).toBe(5);
  gate.pause = undefined;
  passers.look();
  expect(second.left).toBe(0);
});

test("a rate holds for all of an app together, evenly, and none of them waits for ever", () => {
  const { clock, gate, passer } = open(100);
  const all = [passer(200), passer(200), passer(200)];
  for (const each of all) each.send();
  // What comes from the queue counts as well.
  gate.rate?.take(clock.monotonic());
  clock.advance(3_000);
  const sent = all.map(({ sentAtMs }) => sentAtMs.length);
  const sum = sent.reduce((total, each) => total + each, 0);
  expect(sum).toBeGreaterThan(290);
  expect(sum).toBeLessThanOrEqual(306);
  for (const each of sent) expect(each).toBeGreaterThan(80);
  clock.advance(4_000);
  expect(all.map(({ left }) => left)).toEqual([0, 0, 0]);
});

test("who leaves is not called, and nobody is once it is over", () => {
  const { gate, passers, passer } = open();
  gate.pause = { sinceMs: 0 };
  const [gone, staying] = [passer(1), passer(1)];
  gone.send();
  staying.send();
  passers.leave("demo", gone.again);
  gate.pause = undefined;
  passers.look();
  expect([gone.left, staying.left]).toEqual([1, 0]);
  gate.pause = { sinceMs: 0 };
  const late = passer(1);
  late.send();
  passers.stop();
  gate.pause = undefined;
  passers.look();
  expect(late.left).toBe(1);
});
