import { expect, test } from "vitest";
import type { EventType, OutcomeEvent } from "../event.ts";
import { type Receipt, receiptsOf } from "./receipts.ts";
import type { Webhook, WebhookAttempt } from "./webhook.ts";

const type: EventType = "notification.rejected";
const event: OutcomeEvent = {
  cursor: "10",
  at: "1970-01-01T00:00:05.000Z",
  app: "demo",
  type,
  data: { id: "x" },
};

async function ask(fields: Partial<Webhook>, calls: readonly WebhookAttempt[] = []): Promise<Receipt[]> {
  const webhook: Webhook = {
    ...{ id: "wh_1", url: "https://example.com/", createdAtMs: 1_000, standing: { kind: "well" } },
    ...fields,
  };
  const webhooks = { list: () => [webhook], deliveries: async () => calls };
  return [...(await receiptsOf(webhooks, event))];
}

test.each([
  ["behind it", { cursor: "11" }, { state: "taken" }],
  ["at it, and it was the last", { cursor: "10", deliveredAtMs: 9_000 }, { state: "taken", atMs: 9_000 }],
  ["made after it", { cursor: "10", createdAtMs: 6_000 }, { state: "made-later" }],
  ["before it", { cursor: "9" }, { state: "due" }],
  ["compared as numbers", { cursor: "9", app: "demo", types: [type] }, { state: "due" }],
  ["at the beginning of the log", {}, { state: "due" }],
  [
    "disabled before it",
    { cursor: "9", standing: { kind: "disabled", cause: "gone", atMs: 3_000 } },
    { state: "disabled", cause: "gone", atMs: 3_000 },
  ],
] as const)("an endpoint that is %s", async (_name, fields, expected) => {
  expect(await ask(fields)).toMatchObject([expected]);
});

test("one that takes nothing is told with its last problem and its next try", async () => {
  const standing = { kind: "failing", sinceMs: 5_000, tries: 3, nextTryAtMs: 9_000 } as const;
  const call = { kind: "delivery", atMs: 6_000, isDelivered: false, error: "It answered 500." } as const;
  const receipts = await ask({ cursor: "9", standing }, [{ ...call, kind: "ping", error: "no" }, call]);
  expect(receipts).toMatchObject([
    { state: "failing", tries: 3, nextTryAtMs: 9_000, error: "It answered 500." },
  ]);
});

test("one that hears of other apps or types has none", async () => {
  expect(await ask({ app: "other" })).toEqual([]);
  expect(await ask({ types: ["token.gone"] })).toEqual([]);
});
