import { expect, test } from "vitest";
import { ManualClock, rest } from "./bench.test-support.ts";
import type { Finder } from "./finder.ts";
import type { NotificationRecord } from "./notification-record.ts";
import { Waits } from "./waits.ts";

/** Waits over records that the test writes. */
function open() {
  const clock = new ManualClock();
  const records = new Map<string, string>();
  const asked: string[][] = [];
  let gate: Promise<void> | undefined;
  const find = async (_app: string, ids: readonly string[]) => {
    asked.push([...ids]);
    const known = ids.map((id) => records.get(id));
    await gate;
    return known.map((status, index) => status && ({ id: ids[index], status } as NotificationRecord));
  };
  const waits = new Waits({ find } as unknown as Finder, clock);
  /** It is final on disk, and this process knows. */
  const finish = (id: string): void => {
    records.set(id, "accepted");
    waits.finished([id]);
  };
  const hold = (): (() => void) => {
    let release = (): void => {};
    gate = new Promise((resolve) => {
      release = () => {
        gate = undefined;
        resolve();
      };
    });
    return release;
  };
  return { clock, records, asked, waits, finish, hold };
}

function watch<T>(promise: Promise<T>): { value: T | undefined } {
  const seen: { value: T | undefined } = { value: undefined };
  void promise.then((value) => {
    seen.value = value;
  });
  return seen;
}

test("resolves at once when all are final already", async () => {
  const { waits, records } = open();
  records.set("a", "accepted").set("b", "rejected");
  expect(await waits.untilFinal("demo", ["a", "b"], 1_000)).toMatchObject([{ id: "a" }, { id: "b" }]);
});

test("resolves as soon as the last one is final, without asking again in between", async () => {
  const { waits, records, asked, finish } = open();
  records.set("a", "queued").set("b", "queued");
  const seen = watch(waits.untilFinal("demo", ["a", "b"], 60_000));
  await rest();
  finish("a");
  await rest();
  expect(seen.value).toBeUndefined();
  finish("b");
  await rest();
  expect(seen.value).toMatchObject([{ status: "accepted" }, { status: "accepted" }]);
  expect(asked.length).toBeLessThanOrEqual(3);
});

test("what becomes final while the store is asked ends the wait for itself and for no other", async () => {
  const { waits, records, finish, hold } = open();
  records.set("a", "queued").set("b", "queued");
  records.set("c", "accepted");
  const release = hold();
  const seen = watch(waits.untilFinal("demo", ["a", "c", "b"], 60_000));
  await rest();
  // The answer on its way says a queued, c final, b queued.
  finish("a");
  release();
  await rest();
  expect(seen.value).toBeUndefined();
  finish("b");
  await rest();
  expect(seen.value).toMatchObject([{ status: "accepted" }, { status: "accepted" }, { status: "accepted" }]);
});

test("finds out within a second what another node has settled", async () => {
  const { waits, records, clock } = open();
  records.set("a", "queued");
  const seen = watch(waits.untilFinal("demo", ["a"], 60_000));
  await clock.pass(5_000);
  records.set("a", "accepted");
  await clock.pass(1_000);
  expect(seen.value).toMatchObject([{ status: "accepted" }]);
});

test("gives the records as they are when time is up, and leaves out those that nobody knows", async () => {
  const { waits, records, clock } = open();
  records.set("a", "queued");
  const seen = watch(waits.untilFinal("demo", ["a", "unknown"], 30_000));
  await clock.pass(29_999);
  expect(seen.value).toBeUndefined();
  await clock.pass(1);
  expect(seen.value).toMatchObject([{ id: "a", status: "queued" }]);
});

test.each([3_600_000, -3_600_000])(
  "a clock that jumps by %i ms makes a wait neither longer nor shorter",
  async (ms) => {
    const { waits, records, clock } = open();
    records.set("a", "queued");
    const seen = watch(waits.untilFinal("demo", ["a"], 30_000));
    await clock.pass(10_000);
    clock.jump(ms);
    await clock.pass(19_000);
    expect(seen.value).toBeUndefined();
    await clock.pass(1_000);
    expect(seen.value).toHaveLength(1);
  },
);

test("ends when the caller does not wait any more, or the delivery stops", async () => {
  const { waits, records, clock } = open();
  records.set("a", "queued");
  const controller = new AbortController();
  const aborted = watch(waits.untilFinal("demo", ["a"], 60_000, controller.signal));
  const other = watch(waits.untilFinal("demo", ["a"], 60_000));
  await clock.pass(100);
  controller.abort();
  await rest();
  expect(aborted.value).toHaveLength(1);
  expect(other.value).toBeUndefined();
  waits.end();
  await rest();
  expect(other.value).toHaveLength(1);
  expect(await waits.untilFinal("demo", ["a"], 60_000)).toHaveLength(1);
  const gone = AbortSignal.abort();
  expect(await waits.untilFinal("demo", ["a"], 60_000, gone)).toHaveLength(1);
});

test("two who wait for the same one are both told, and the same id twice is one", async () => {
  const { waits, records, finish } = open();
  records.set("a", "queued");
  const both = [1, 2].map(() => watch(waits.untilFinal("demo", ["a", "a"], 60_000)));
  await rest();
  finish("a");
  await rest();
  for (const { value } of both) expect(value).toHaveLength(2);
});
