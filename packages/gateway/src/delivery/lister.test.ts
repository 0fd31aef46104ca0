import type { PreparedNotification } from "@carillon/apns";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  accepted,
  type Bench,
  draft,
  FakeSender,
  openBench,
  rest,
  unavailable,
} from "./bench.test-support.ts";
import type { ListRequest } from "./lister.ts";

/** Walks through all pages; each must be no longer than asked for, and there must be an end. */
async function walk(
  { delivery }: Pick<Bench, "delivery">,
  request: Partial<ListRequest> = {},
  between: () => Promise<unknown> = async () => undefined,
): Promise<{ readonly ids: string[]; readonly pages: number }> {
  const ids: string[] = [];
  let after: ListRequest["after"];
  for (let pages = 1; pages < 500; pages += 1) {
    const { records, next } = await delivery.list("demo", {
      ...{ limit: 100, ...request },
      ...(after === undefined ? {} : { after }),
    });
    expect(records.length).toBeLessThanOrEqual(request.limit ?? 100);
    ids.push(...records.map(({ id }) => id));
    if (next === undefined) return { ids, pages };
    after = next;
    await between();
  }
  throw new Error("there is no end");
}

const newestFirst = (ids: readonly string[]): string[] => [...ids].sort().reverse();

test("goes through all of an app, the newest first, in pages of any length", async () => {
  const bench = await openBench({});
  const ids: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    ids.push(...(await bench.delivery.submit("demo", [draft({ devices: 1 + round * 31 })])));
    await bench.delivery.submit("other", [draft({ devices: 3 })]);
  }
  for (const limit of [1_000, 100, 7])
    expect((await walk(bench, { limit })).ids, `${limit} a page`).toEqual(newestFirst(ids));
});

test("finds by status, device token, reference and time, whatever became of them", async () => {
  const refusal = ({ apnsId }: PreparedNotification) =>
    ({ kind: "rejected", apnsId, attempts: 1, status: 400, reason: "BadDeviceToken" }) as const;
  const sender = new FakeSender();
  const bench = await openBench({ senderFor: () => sender });
  const { delivery, clock } = bench;
  const startMs = clock.now();
  const odd = "0d".repeat(32);
  const submit = async (reference: string, dueAtMs?: number): Promise<string[]> => [
    ...(await delivery.submit("demo", [
      draft({ reference, ...(dueAtMs === undefined ? {} : { dueAtMs }) }),
      draft({ reference: `${reference}${reference}`, deviceTokens: [odd] }),
    ])),
  ];
  sender.reply = accepted;
  const good = await submit("a");
  await clock.pass(100_000);
  sender.reply = refusal;
  const bad = await submit("b");
  await clock.pass(100_000);
  sender.reply = unavailable;
  const again = await submit("c");
  await rest();
  const later = await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 1e9, reference: "d" })]);
  const withdrawn = await delivery.submit("demo", [draft({ dueAtMs: clock.now() + 1e9, reference: "a" })]);
  await delivery.cancel("demo", withdrawn[0] ?? "");
  const all = [...good, ...bad, ...again, ...later, ...withdrawn];
  const found = async (request: Partial<ListRequest>) => (await walk(bench, { ...request, limit: 1 })).ids;
  expect(await found({})).toEqual(newestFirst(all));
  expect(await found({ status: "accepted" })).toEqual(newestFirst(good));
  expect(await found({ status: "rejected" })).toEqual(newestFirst(bad));
  expect(await found({ status: "queued" })).toEqual(newestFirst(again));
  expect(await found({ status: "scheduled" })).toEqual(later);
  expect(await found({ status: "cancelled" })).toEqual(withdrawn);
  expect(await found({ status: "unknown" })).toEqual([]);
  expect(await found({ reference: "a" })).toEqual(newestFirst([good[0] ?? "", ...withdrawn]));
  expect(await found({ reference: "b", status: "accepted" })).toEqual([]);
  expect(await found({ deviceToken: odd })).toEqual(
    newestFirst([good, bad, again].map((ids) => ids[1] ?? "")),
  );
  expect(await found({ deviceToken: odd, reference: "bb" })).toEqual([bad[1]]);
  expect(await found({ sinceMs: startMs + 100_000, untilMs: startMs + 200_000 })).toEqual(newestFirst(bad));
  expect(await found({ sinceMs: startMs + 100_001, untilMs: startMs + 200_000 })).toEqual([]);
  expect(await found({ untilMs: startMs + 100_000 })).toEqual(newestFirst(good));
  sender.reply = accepted;
  await clock.pass(20_000);
  expect(await found({ status: "accepted" })).toEqual(newestFirst([...good, ...again]));
});

test("a cursor stays good while others come, leave and are forgotten", async () => {
  const sender = new FakeSender(accepted);
  const bench = await openBench({ senderFor: () => sender });
  const { delivery, clock } = bench;
  const ids: string[] = [];
  for (let round = 0; round < 10; round += 1)
    ids.push(...(await delivery.submit("demo", [draft({ devices: 5, dueAtMs: clock.now() + 1_000 })])));
  const seen = await walk(bench, { limit: 4 }, async () => {
    await delivery.submit("demo", [draft({ devices: 3 })]);
    await clock.pass(500);
  });
  expect(seen.ids).toEqual(newestFirst(ids));
  // Nothing is left of what the cursor names.
  const { next } = await delivery.list("demo", { limit: 3 });
  await clock.pass(8 * 86_400_000);
  expect(await delivery.list("demo", { limit: 3, ...(next === undefined ? {} : { after: next }) })).toEqual({
    ...{ records: [], next: undefined },
  });
});

test("a page looks at 2,000 batches and no more, and the next goes on behind them", async () => {
  const bench = await openBench({});
  const ids: string[] = [];
  for (let made = 0; made < 2_100; made += 1)
    ids.push(...(await bench.delivery.submit("demo", [draft({ reference: `${made}` })])));
  const first = await bench.delivery.list("demo", { limit: 100, reference: "10" });
  expect(first.records).toEqual([]);
  expect(first.next).toBeDefined();
  expect(await walk(bench, { reference: "10" })).toEqual({ ids: [ids[10]], pages: 2 });
});

test("a page reads about 8 MiB of bodies and no more", async () => {
  const bench = await openBench({});
  const payload = (): Buffer => Buffer.alloc(100_000, "x");
  const [first = ""] = await bench.delivery.submit("demo", [draft({ payload: payload(), reference: "r" })]);
  for (let made = 0; made < 170; made += 1)
    await bench.delivery.submit("demo", [draft({ payload: payload() })]);
  expect(await walk(bench, { reference: "r" })).toEqual({ ids: [first], pages: 3 });
});

test("whatever is asked for, the pages together are what a look at each gives", async () => {
  const sender = new FakeSender(({ apnsId }) =>
    (/[0-7]$/.test(apnsId) ? accepted : unavailable)({ apnsId } as never),
  );
  const bench = await openBench({ senderFor: () => sender });
  const { delivery, clock } = bench;
  const stored: { id: string; reference: string; token: string }[] = [];
  const tokens = ["aa", "bb", "cc"].map((byte) => byte.repeat(32));
  for (let round = 0; round < 60; round += 1) {
    const drafts = Array.from({ length: 1 + (round % 7) }, (_, index) =>
      draft({ reference: `${(round + index) % 5}`, deviceTokens: [tokens[(round * index) % 3] ?? ""] }),
    );
    const ids = await delivery.submit("demo", drafts);
    ids.forEach((id, index) => {
      stored.push({
        id,
        reference: drafts[index]?.reference ?? "",
        token: drafts[index]?.deviceTokens[0] ?? "",
      });
    });
    if (round % 10 === 0) await clock.pass(300);
  }
  await rest(400);
  const statuses = new Map<string, string>();
  for (const { id } of stored) statuses.set(id, (await delivery.find("demo", id))?.status ?? "");
  const option = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      option("accepted" as const, "queued" as const, "rejected" as const),
      option("0", "3", "9"),
      option(...tokens),
      fc.integer({ min: 1, max: 40 }),
      async (status, reference, deviceToken, limit) => {
        const { ids } = await walk(bench, {
          limit,
          ...(status === undefined ? {} : { status }),
          ...(reference === undefined ? {} : { reference }),
          ...(deviceToken === undefined ? {} : { deviceToken }),
        });
        const expected = stored.filter(
          (each) =>
            (status === undefined || statuses.get(each.id) === status) &&
            (reference === undefined || each.reference === reference) &&
            (deviceToken === undefined || each.token === deviceToken),
        );
        expect(ids).toEqual(newestFirst(expected.map(({ id }) => id)));
      },
    ),
    { numRuns: 60 },
  );
});
