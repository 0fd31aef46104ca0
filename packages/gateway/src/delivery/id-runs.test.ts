import fc from "fast-check";
import { expect, test } from "vitest";
import { packIds, unpackIds } from "./id-runs.ts";
import { notificationId } from "./notification-id.ts";

const batch = "0193a5f0-1234-7000-8abc-0123456789ab".slice(0, -4);

test("ids that follow each other take the room of one", () => {
  const ids = Array.from({ length: 1_000 }, (_, place) => notificationId(batch, place));
  expect(packIds(ids)).toEqual([[batch, 0, 1_000]]);
});

test("any ids come back in their order", () => {
  const place = fc.integer({ min: 0, max: 65_535 });
  const batches = fc.constantFrom(batch, batch.replace("0193", "0194"));
  fc.assert(
    fc.property(fc.array(fc.tuple(batches, place, fc.nat(3))), (starts) => {
      const ids = starts.flatMap(([batch, place, more]) =>
        Array.from({ length: more + 1 }, (_, index) =>
          notificationId(batch, Math.min(place + index, 65_535)),
        ),
      );
      expect(unpackIds(packIds(ids))).toEqual(ids);
    }),
  );
});
