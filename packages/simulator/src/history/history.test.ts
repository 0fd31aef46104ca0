import fc from "fast-check";
import { expect, test } from "vitest";
import { History } from "./history.ts";
import type { PushFacts } from "./push.ts";

function facts(about: Partial<PushFacts> = {}): PushFacts {
  return {
    protocol: "http/2",
    atMs: 1_800_000_000_000,
    apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B",
    deviceToken: "aabbccdd",
    topic: "com.example.demo",
    pushType: "alert",
    kind: "push",
    channelId: undefined,
    status: 200,
    reason: undefined,
    answer: "sent",
    fields: [":method", "POST"],
    payload: Buffer.from("{}"),
    connection: 1,
    stream: 1,
    ...about,
  };
}

test("the first pushes are kept in order", () => {
  const history = new History();
  for (let stream = 1; stream <= 1000; stream++) history.record(facts({ stream }));
  expect(history.pushes.map(({ stream }) => stream)).toEqual(Array.from({ length: 1000 }, (_, at) => at + 1));
  expect(history.pushes.map(({ sequence }) => sequence)).toEqual(history.pushes.map(({ stream }) => stream));
});

type Step = { readonly kind: "record"; readonly payloadBytes: number } | { readonly kind: "clear" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant("record" as const), payloadBytes: fc.nat({ max: 3000 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "clear" as const }) },
);

test("whatever is recorded and cleared, the newest are kept, as many as both bounds allow", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 100_000 }),
      (steps, limit, limitBytes) => {
        const history = new History({ limit, limitBytes });
        let model: PushFacts[] = [];
        let total = 0;
        for (const each of steps) {
          if (each.kind === "clear") {
            history.clear();
            model = [];
            continue;
          }
          total += 1;
          const push = facts({ stream: total, payload: Buffer.alloc(each.payloadBytes) });
          history.record(push);
          model.push(push);
          const before = history.count();
          expect(before).toBeLessThanOrEqual(limit);
          if (before > 1) expect(history.bytes).toBeLessThanOrEqual(limitBytes);
          model = model.slice(-before);
        }
        expect(history.pushes.map(({ stream }) => stream)).toEqual(model.map(({ stream }) => stream));
        expect(history.count()).toBe(model.length);
        expect(history.total).toBe(total);
        expect(history.find({}, 3).map(({ stream }) => stream)).toEqual(
          model.slice(-3).map(({ stream }) => stream),
        );
      },
    ),
  );
});

test("what fits into both bounds is kept", () => {
  const history = new History({ limit: 1000, limitBytes: 3_000_000 });
  for (let stream = 1; stream <= 1200; stream++)
    history.record(facts({ stream, payload: Buffer.alloc(2000) }));
  expect(history.pushes.map(({ stream }) => stream)).toEqual(
    Array.from({ length: 1000 }, (_, each) => each + 201),
  );
});

test("the newest push is kept even where it alone exceeds the bytes", () => {
  const history = new History({ limitBytes: 1 });
  history.record(facts({ stream: 1 }));
  history.record(facts({ stream: 3 }));
  expect(history.pushes.map(({ stream }) => stream)).toEqual([3]);
});

test("requests about channels stand among the pushes, and are left out unless they are asked for", () => {
  const history = new History({ limit: 4 });
  const heard: [string, number][] = [];
  history.subscribe(({ stream }) => heard.push(["pushes", stream]));
  history.subscribe(({ stream }) => heard.push(["channels", stream]), { kind: "channels" });
  const kinds = ["channels", "push", "channels", "broadcast", "push"] as const;
  kinds.forEach((kind, at) => {
    history.record(facts({ kind, stream: at }));
  });
  const streams = (kind?: "push" | "broadcast" | "channels" | "any") =>
    history.find(kind && { kind }).map(({ stream }) => stream);
  expect(streams()).toEqual([1, 3, 4]);
  expect(streams("any")).toEqual([1, 2, 3, 4]);
  expect(streams("channels")).toEqual([2]);
  expect(streams("broadcast")).toEqual([3]);
  expect([history.count(), history.count({ kind: "any" }), history.total]).toEqual([3, 4, 5]);
  expect(heard).toEqual([
    ["channels", 0],
    ["pushes", 1],
    ["channels", 2],
    ["pushes", 3],
    ["pushes", 4],
  ]);
});

test("waiting can be ended", async () => {
  const controller = new AbortController();
  const waiting = new History().waitFor({ timeoutMs: 60_000, signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toThrow("0 of 1 pushes came");
});

test("each filter narrows, and all must agree; ids in any case", () => {
  const history = new History();
  const id = "11111111-2222-3333-4444-5555AAAAAAAA";
  history.record(facts());
  history.record(facts({ deviceToken: "00ff00ff", apnsId: id, connection: 2 }));
  history.record(facts({ topic: "com.example.other", pushType: "background" }));
  history.record(facts({ status: 400, reason: "BadTopic", deviceToken: undefined }));
  expect(history.count({ deviceToken: "00FF00FF" })).toBe(1);
  expect(history.count({ apnsId: id.toLowerCase() })).toBe(1);
  expect(history.count({ topic: "com.example.other" })).toBe(1);
  expect(history.count({ pushType: "alert" })).toBe(3);
  expect(history.count({ status: 200 })).toBe(3);
  expect(history.count({ reason: "BadTopic" })).toBe(1);
  expect(history.count({ connection: 2 })).toBe(1);
  expect(history.count({ connection: 2, status: 400 })).toBe(0);
  expect(history.countByDeviceToken({ status: 200 })).toEqual(
    new Map([
      ["aabbccdd", 2],
      ["00ff00ff", 1],
    ]),
  );
});

test("counts how often each id was processed, in any case", () => {
  const history = new History();
  const id = "11111111-2222-3333-4444-5555AAAAAAAA";
  history.record(facts({ apnsId: id }));
  history.record(facts({ apnsId: id.toLowerCase(), connection: 2 }));
  history.record(facts({ status: 400 }));
  expect([...history.countByApnsId()].map(([, count]) => count)).toEqual([2, 1]);
  expect(history.countByApnsId({ status: 200 })).toEqual(new Map([[id.toLowerCase(), 2]]));
});

test("subscribers hear of each push once, until they end it", () => {
  const history = new History({ limit: 2 });
  const heard: number[] = [];
  history.record(facts());
  const listener = ({ sequence }: { sequence: number }) => void heard.push(sequence);
  const [first, second] = [history.subscribe(listener), history.subscribe(listener)];
  history.record(facts());
  first();
  history.record(facts());
  second();
  history.record(facts());
  expect(heard).toEqual([2, 2, 3]);
});

test("waits until enough pushes match, those already there included", async () => {
  const history = new History();
  history.record(facts());
  const waiting = history.waitFor({ status: 200, count: 3 });
  let isOver = false;
  waiting.then(() => {
    isOver = true;
  });
  history.record(facts({ status: 400 }));
  history.record(facts());
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  history.record(facts());
  expect(await waiting).toHaveLength(3);
  expect(await history.waitFor({ count: 3, status: 200 })).toHaveLength(3);
});

test("says how many came when the time is up", async () => {
  const history = new History();
  history.record(facts());
  await expect(history.waitFor({ count: 2, status: 200, timeoutMs: 1 })).rejects.toThrow(
    '1 of 2 pushes with {"status":200} came within 1 ms.',
  );
  await expect(new History().waitFor({ timeoutMs: 1 })).rejects.toThrow("0 of 1 pushes came within 1 ms.");
});
