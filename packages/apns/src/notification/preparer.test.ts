import fc from "fast-check";
import { expect, test } from "vitest";
import type { Notification } from "./notification.ts";
import { type Prepared, prepareNotification } from "./prepare.ts";
import { Preparer } from "./preparer.ts";

const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const apnsId = "123e4567-e89b-12d3-a456-426614174000";

/** The same with the id that is new each time left out. */
function withoutNewId(prepared: Prepared, given: Notification): unknown {
  if (prepared.kind === "refused" || given.apnsId !== undefined) return prepared;
  return { ...prepared, notification: { ...prepared.notification, apnsId: "new" } };
}

const anything: fc.Arbitrary<unknown> = fc.constantFrom(
  ...[undefined, null, 0, 1, 7, -1, 1.5, true, "", "a", "default", "Grüße", "x".repeat(5000)],
  ...[
    [],
    ["a"],
    [1],
    {},
    { "loc-args": 1 },
    { title: "a", body: "b" },
    { critical: 1, name: "a", volume: 0.5 },
  ],
  { toJSON: () => undefined },
);
const aps = fc.dictionary(
  fc.constantFrom(
    ...["alert", "badge", "sound", "thread-id", "category", "mutable-content", "content-available", "own"],
    ...["event", "timestamp", "interruption-level", "relevance-score", "content-changed"],
  ),
  anything,
  { maxKeys: 3 },
);
const payload: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ aps: fc.oneof({ weight: 5, arbitrary: aps }, anything) }) },
  fc.record({ aps, mdm: anything, "container-identifier": anything }, { requiredKeys: [] }),
  fc.constantFrom(
    "{}",
    "",
    '{"aps":{}}',
    Buffer.from("{}"),
    Buffer.alloc(0),
    Buffer.alloc(4097),
    null,
    5,
    [1],
  ),
);
const plainAlert = fc.constantFrom({ alert: "a" }, { alert: { title: "a" }, sound: "default" }, {});
const usual = fc.record({
  deviceToken: fc.constant(deviceToken),
  payload: fc.record({ aps: plainAlert, mdm: anything }, { requiredKeys: ["aps"] }),
});
const unusual = fc.record(
  {
    deviceToken: fc.constantFrom<unknown>(
      deviceToken,
      deviceToken,
      "ABCD1234",
      "abc",
      "",
      "\u0161bcd1234",
      5,
    ),
    payload,
    topic: fc.constantFrom<unknown>("com.example.app", "com.example.app.voip", "pass.a", "a b", "", 5),
    pushType: fc.constantFrom<unknown>("alert", "background", "voip", "mdm", "future", "a b", 5),
    priority: fc.constantFrom<unknown>(10, 5, 1, 3, "10"),
    expiration: fc.constantFrom<unknown>(0, 1_900_000_000, 1.5, 1e15, new Date(0), new Date(Number.NaN), "0"),
    collapseId: fc.constantFrom<unknown>("a", "a b", " a", "", "x".repeat(64), "x".repeat(65), "ü", 5),
    apnsId: fc.constantFrom<unknown>(apnsId, "abc", 5),
    delivery: fc.constantFrom<unknown>("at-least-once", "at-most-once", "never"),
  },
  { requiredKeys: ["deviceToken", "payload"] },
);

test("after whatever came before, a notification is prepared as if it were the only one", () => {
  const options = fc.constantFrom(
    { topic: "com.example.app", sender: { kind: "token" } } as const,
    { topic: "com.example.app", mode: "lenient" } as const,
    { sender: { kind: "certificate", topics: ["com.example.app"] } } as const,
    { topic: "pass.com.example" } as const,
    {},
  );
  fc.assert(
    fc.property(options, fc.array(fc.oneof(usual, unusual), { minLength: 2, maxLength: 6 }), (rules, all) => {
      const preparer = new Preparer(rules);
      for (const each of all as Notification[]) {
        const alone = prepareNotification(each, rules);
        expect(withoutNewId(preparer.prepare(each), each)).toEqual(withoutNewId(alone, each));
      }
    }),
    { numRuns: 3000 },
  );
});

test("ids differ on the short way too", () => {
  const preparer = new Preparer({ topic: "com.example.app" });
  const ids = Array.from({ length: 4 }, () => {
    const prepared = preparer.prepare({ deviceToken, payload: { aps: { alert: "Hello" } } });
    return prepared.kind === "prepared" ? prepared.notification.apnsId : "";
  });
  expect(new Set(ids).size).toBe(4);
});
