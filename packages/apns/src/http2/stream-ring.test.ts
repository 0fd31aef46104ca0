import fc from "fast-check";
import { expect, test } from "vitest";
import { ClientStream } from "./client-stream.ts";
import { StreamRing } from "./stream-ring.ts";

const stream = (id: number): ClientStream<number> => new ClientStream(id, id, 0, 0);

test("however long streams stay open, each is found, and all come in order", () => {
  // Each step opens some streams and ends some of those that are open, by their place in the order.
  const step = fc.record({
    opened: fc.constantFrom(0, 1, 3, 500, 2047, 2049),
    ended: fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 40 }),
    endsMost: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.constantFrom(1, 2_000_000_001), (steps, firstId) => {
      const ring = new StreamRing<number>();
      const open: number[] = [];
      let nextId = firstId;
      for (const { opened, ended, endsMost } of steps) {
        for (let each = 0; each < opened; each++) {
          ring.add(stream(nextId));
          open.push(nextId);
          nextId += 2;
        }
        for (const share of ended) {
          const [id] = open.splice(Math.floor(share * open.length), 1);
          if (id !== undefined) ring.delete(id);
        }
        if (endsMost) for (const id of open.splice(2)) ring.delete(id);
        expect(ring.size).toBe(open.length);
        expect([...ring.values()].map(({ id }) => id)).toEqual(open);
        for (const id of open) expect(ring.get(id)?.id).toBe(id);
      }
      for (const absent of [0, 2, nextId, nextId + 4096]) expect(ring.get(absent)).toBeUndefined();
      ring.delete(nextId);
      expect(ring.size).toBe(open.length);
    }),
    { numRuns: 60 },
  );
});

test("a stream that is gone is not found under the id of one that took its place", () => {
  const ring = new StreamRing<number>();
  ring.add(stream(1));
  ring.delete(1);
  for (let id = 3; id <= 4099; id += 2) ring.add(stream(id));
  expect(ring.get(1)).toBeUndefined();
  expect(ring.get(4097)?.id).toBe(4097);
  ring.delete(1);
  expect(ring.size).toBe(2049);
});
