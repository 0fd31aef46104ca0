import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamLimit } from "./stream-limit.ts";

test("before its acknowledgement a client may assume 100 streams, or more where it was told so", () => {
  const low = new StreamLimit(1);
  low.leave();
  expect([low.announced, low.inForce]).toEqual([1, 100]);
  low.acknowledge();
  expect(low.inForce).toBe(1);
  const high = new StreamLimit(1000);
  expect(high.inForce).toBe(100);
  high.leave();
  expect(high.inForce).toBe(1000);
});

test("a higher limit holds once it has left, a lower one once it is acknowledged", () => {
  const limit = new StreamLimit(1);
  limit.leave();
  limit.acknowledge();
  limit.write(1000);
  expect([limit.announced, limit.inForce]).toEqual([1000, 1]);
  limit.leave();
  expect(limit.inForce).toBe(1000);
  limit.write(5);
  limit.leave();
  limit.acknowledge();
  expect(limit.inForce).toBe(1000);
  limit.acknowledge();
  expect(limit.inForce).toBe(5);
});

test("SETTINGS without a limit are acknowledged in their turn", () => {
  const limit = new StreamLimit(1);
  limit.write();
  limit.write(7);
  limit.leave();
  for (const inForce of [7, 7, 7]) {
    expect(limit.acknowledge()).toBe(true);
    expect(limit.inForce).toBe(inForce);
  }
  expect(limit.acknowledge()).toBe(false);
});

test("a client that never acknowledges is held to the oldest of 64 in the end", () => {
  const limit = new StreamLimit(1);
  for (let frames = 0; frames < 64; frames++) limit.write(2);
  limit.leave();
  expect(limit.inForce).toBe(2);
});

test("the limit in force is one that the peer may still believe in", () => {
  const step = fc.oneof(
    fc.nat({ max: 200 }),
    fc.constant("leave" as const),
    fc.constant("acknowledge" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const limit = new StreamLimit(1);
      let acknowledged = 100;
      const written = [1];
      let left = 0;
      for (const each of steps) {
        if (typeof each === "number") {
          limit.write(each);
          written.push(each);
        } else if (each === "leave") {
          limit.leave();
          left = written.length;
        } else if (left > 0) {
          limit.acknowledge();
          acknowledged = written.shift() ?? acknowledged;
          left -= 1;
        }
        expect(limit.inForce).toBe(Math.max(acknowledged, ...written.slice(0, left)));
      }
    }),
  );
});
