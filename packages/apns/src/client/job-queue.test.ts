import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Job } from "./job.ts";
import { JobQueue } from "./job-queue.ts";

function job(): Job {
  return new Job({} as Job["notification"], 0, 5, () => undefined);
}

test("keeps order, puts those that come back in front, and drops settled ones", () => {
  const step = fc.oneof(
    fc.constant("push"),
    fc.constant("shift"),
    fc.constant("put back"),
    fc.constant("settle"),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4000 }), (steps) => {
      const queue = new JobQueue();
      let model: Job[] = [];
      for (const each of steps) {
        const fresh = job();
        if (each === "push") {
          model.push(fresh);
          queue.push(fresh);
        } else if (each === "put back") {
          model.unshift(fresh);
          queue.putBack(fresh);
        } else if (each === "settle" && model.some((one) => !one.isSettled)) {
          model.find((one) => !one.isSettled)?.settle({ kind: "accepted" });
          queue.countSettled();
        } else {
          model = model.filter((one) => !one.isSettled);
          expect(queue.peek()).toBe(model[0]);
          expect(queue.shift()).toBe(model.shift());
        }
        expect(queue.length).toBe(model.filter((one) => !one.isSettled).length);
      }
      expect(queue.takeAll().filter((one) => !one.isSettled)).toEqual(model.filter((one) => !one.isSettled));
      expect(queue.length).toBe(0);
    }),
  );
});
