import fc from "fast-check";
import { expect, test } from "vitest";
import { ConcurrencyLimit, type Sign, signOf } from "./concurrency-limit.ts";

/** How a service answers one request when so many are there. */
type Service = (present: number) => Sign;

const roundTripMs = 100;

/** A sender with any number to send and a service, in a time of their own. */
class Road {
  readonly limit = new ConcurrencyLimit(2_000);
  service: Service;
  well = 0;
  strained = 0;
  #nowMs = 0;
  /** In flight, the first to be answered first. */
  readonly #answers: { readonly atMs: number; readonly sign: Sign }[] = [];

  constructor(service: Service) {
    this.service = service;
  }

  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      while (this.#answers.length < this.limit.current) {
        const sign = this.service(this.#answers.length + 1);
        this.#answers.push({ atMs: this.#nowMs + roundTripMs, sign });
      }
      const [next] = this.#answers;
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = next.atMs;
      this[next.sign] += 1;
      this.limit.answered(next.sign, this.#answers.length);
      this.#answers.shift();
    }
    this.#nowMs = endMs;
  }
}

const healthy: Service = () => "well";
/** Refuses whoever finds more than 400 there. */
const narrow: Service = (present) => (present > 400 ? "strained" : "well");
const down: Service = () => "strained";

test("on a healthy way 2,000 are in flight after five round trips", () => {
  const road = new Road(healthy);
  expect(road.limit.current).toBe(64);
  road.pass(501);
  expect(road.limit.current).toBe(2_000);
});

test("follows a service that takes less, with few refusals, and takes all of it again when it can", () => {
  const road = new Road(narrow);
  road.pass(3_000);
  road.well = 0;
  road.strained = 0;
  let [least, most] = [2_000, 0];
  for (let step = 0; step < 100; step += 1) {
    road.pass(100);
    least = Math.min(least, road.limit.current);
    most = Math.max(most, road.limit.current);
  }
  expect(least).toBeGreaterThan(200);
  expect(most).toBeLessThan(700);
  expect(road.strained / (road.well + road.strained)).toBeLessThan(0.2);
  // 400 in each of a hundred round trips are the most that the service could do.
  expect(road.well).toBeGreaterThan(0.7 * 400 * 100);
  road.service = healthy;
  road.pass(100 * roundTripMs);
  expect(road.limit.current).toBe(2_000);
});

test("while nothing is taken one goes at a time, and it recovers within a hundred round trips", () => {
  const road = new Road(healthy);
  road.pass(1_000);
  road.service = down;
  road.pass(20_000);
  expect(road.limit.current).toBe(1);
  expect(road.limit.isLowest).toBe(true);
  road.service = healthy;
  road.pass(100 * roundTripMs);
  expect(road.limit.current).toBe(2_000);
});

test("a tenth of the devices that always get 429 or 503 slow nobody", () => {
  let ordinal = 0;
  const road = new Road(() => {
    ordinal += 1;
    return ordinal % 10 === 0 ? "strained" : "well";
  });
  road.pass(1_000);
  for (let step = 0; step < 100; step += 1) {
    road.pass(100);
    expect(road.limit.current).toBe(2_000);
  }
});

test("devices that get 503 each time they are tried again do not outvote the others in a day", () => {
  const limit = new ConcurrencyLimit(2_000);
  /** How many are tried again at a second, by how often they were before. */
  const again = new Map<number, number[]>();
  let least = limit.current;
  for (let second = 0; second < 86_400; second += 1) {
    // 18 that are well, 2 that are not, and whoever of those is due: the wait doubles from 2 s to 15 minutes.
    for (let each = 0; each < 18; each += 1) limit.answered("well", 1);
    const due = [0, 0, ...(again.get(second) ?? [])];
    again.delete(second);
    for (const attempts of due) {
      limit.answered("strained", 1, 1, attempts);
      const next = second + Math.min(2 ** (attempts + 1), 900);
      const waiting = again.get(next);
      if (waiting === undefined) again.set(next, [attempts + 1]);
      else waiting.push(attempts + 1);
    }
    least = Math.min(least, limit.current);
  }
  expect(least).toBe(64);
});

test.each([1, 3, 50])("a service that takes nothing is seen by attempt %i alone, too", (earlierAttempts) => {
  const limit = new ConcurrencyLimit(2_000);
  let answers = 0;
  for (; !limit.isLowest && answers < 200_000; answers += 1)
    limit.answered("strained", limit.current, 1, earlierAttempts);
  expect(limit.isLowest).toBe(true);
  expect(answers).toBeLessThan(100_000);
});

test("a route that sends one now and then keeps what it began with", () => {
  const limit = new ConcurrencyLimit(2_000);
  for (let count = 0; count < 1_000; count += 1) limit.answered("well", 1);
  expect(limit.current).toBe(64);
});

test("one cut for one round trip: what left before tells nothing new", () => {
  const limit = new ConcurrencyLimit(64);
  for (let inFlight = 128; inFlight > 0; inFlight -= 1) limit.answered("strained", inFlight);
  expect(limit.current).toBe(44);
});

test("begins anew carefully after a fault", () => {
  const road = new Road(healthy);
  road.pass(1_000);
  road.limit.restart(100);
  expect(road.limit.current).toBe(164);
  road.limit.restart(0);
  expect(road.limit.current).toBe(64);
  road.pass(1_000);
  expect(road.limit.current).toBe(2_000);
});

test("whatever the answers, the limit lies between 1 and the most, and good answers lead back to the most", () => {
  const answers = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 60 }), fc.boolean()), {
    maxLength: 500,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_000 }), answers, (most, given) => {
      const limit = new ConcurrencyLimit(most);
      for (const [isGood, times, isRestart] of given) {
        for (let time = 0; time < times; time += 1) {
          limit.answered(isGood ? "well" : "strained", limit.current);
          expect(limit.current).toBeGreaterThanOrEqual(1);
          expect(limit.current).toBeLessThanOrEqual(most);
        }
        if (isRestart) limit.restart(times);
      }
      for (let answer = 0; answer < 100 * most + 4_000 && limit.current < most; answer += 1)
        limit.answered("well", limit.current);
      expect(limit.current).toBe(most);
    }),
    { numRuns: 50 },
  );
});

test("tells the signs of a strained service from those about one notification", () => {
  const about = { apnsId: "", attempts: 1 };
  const rejected = { ...about, kind: "rejected" } as const;
  expect(signOf({ ...about, kind: "accepted" }, 4_999)).toBe("well");
  expect(signOf({ ...about, kind: "accepted" }, 5_000)).toBe("strained");
  expect(signOf({ ...rejected, status: 410, reason: "Unregistered" }, 50)).toBe("well");
  expect(signOf({ ...rejected, status: 429, reason: "TooManyRequests" }, 50)).toBe("strained");
  expect(signOf({ ...rejected, status: 503, reason: "Shutdown" }, 50)).toBe("strained");
  expect(signOf({ ...about, kind: "unrecognized", status: 504, reason: "html" }, 50)).toBe("strained");
  expect(signOf({ ...about, kind: "indeterminate", cause: "timeout" }, 50)).toBe("strained");
  expect(signOf({ ...about, kind: "unprocessed", cause: "goaway" }, 50)).toBeUndefined();
});
