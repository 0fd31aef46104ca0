import { type OutcomeEvent, usualTypes } from "../event.ts";
import type { DisabledCause } from "./retry-schedule.ts";
import type { Webhook } from "./webhook.ts";
import type { Webhooks } from "./webhooks.ts";

/** Whether an endpoint was posted an event. Times are epoch milliseconds. */
export type Receipt = { readonly webhook: Webhook } & (
  | {
      readonly state: "taken";
      /** Where it is known: this was the last that it took. */
      readonly atMs?: number;
    }
  /** It was made later than the event: posted only if it was told to begin, or to go on, before it. */
  | { readonly state: "made-later" }
  /** On its way, or next. */
  | { readonly state: "due" }
  | {
      readonly state: "failing";
      readonly sinceMs: number;
      readonly tries: number;
      readonly nextTryAtMs: number;
      /** What went wrong the last time, in words. */
      readonly error?: string;
    }
  | { readonly state: "disabled"; readonly cause: DisabledCause; readonly atMs: number }
);

/** So many of the latest calls are looked through for what went wrong. */
const callsLookedAt = 5;

/** What became of one event at each endpoint that hears of such. */
export function receiptsOf(
  webhooks: Pick<Webhooks, "list" | "deliveries">,
  event: OutcomeEvent,
): Promise<readonly Receipt[]> {
  const hearing = webhooks.list().filter((webhook) => hearsOf(webhook, event));
  return Promise.all(hearing.map((webhook) => receiptOf(webhooks, webhook, event)));
}

function hearsOf({ app, types = usualTypes }: Webhook, event: OutcomeEvent): boolean {
  return (app === undefined || app === event.app) && types.includes(event.type);
}

async function receiptOf(
  webhooks: Pick<Webhooks, "deliveries">,
  webhook: Webhook,
  event: OutcomeEvent,
): Promise<Receipt> {
  const { id, cursor, standing, createdAtMs, deliveredAtMs } = webhook;
  if (cursor !== undefined && Number(cursor) >= Number(event.cursor)) {
    if (createdAtMs > Date.parse(event.at)) return { webhook, state: "made-later" };
    const isLast = cursor === event.cursor && deliveredAtMs !== undefined;
    return { webhook, state: "taken", ...(isLast ? { atMs: deliveredAtMs } : {}) };
  }
  switch (standing.kind) {
    case "well":
      return { webhook, state: "due" };
    case "failing": {
      const { sinceMs, tries, nextTryAtMs } = standing;
      // It may have been deleted in the meantime.
      const calls = await webhooks.deliveries(id, callsLookedAt).catch(() => []);
      const error = calls.find(({ kind }) => kind === "delivery")?.error;
      return {
        ...{ webhook, state: "failing", sinceMs, tries, nextTryAtMs },
        ...(error === undefined ? {} : { error }),
      };
    }
    case "disabled":
      return { webhook, state: "disabled", cause: standing.cause, atMs: standing.atMs };
  }
}
