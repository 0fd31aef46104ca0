import type { NotificationRecord } from "../../delivery/index.ts";
import type { Receipt } from "../../outcomes/index.ts";
import type { TraceStep } from "../trace.ts";
import type { ToldEvent, TraceFacts } from "../trace-facts.ts";
import { adviceOn, countText, explained, isoOf } from "../words.ts";

/** How it ended, which event told that, and who heard of it. */
export function endingSteps(facts: TraceFacts): readonly TraceStep[] {
  const { record } = facts.inspection;
  const { status, reason, attempts } = record;
  if (status === "queued" || status === "scheduled") return [];
  const at = facts.ending?.event.at ?? (status === "accepted" ? attempts.at(-1)?.at : undefined);
  const ended: TraceStep = {
    ...{ kind: "ended", status, text: endText(record) },
    ...(at === undefined ? {} : { at }),
    ...explained(reason ?? (status === "expired" ? status : undefined)),
  };
  return facts.ending === undefined ? [ended] : [ended, ...toldSteps(facts.ending, facts.webhooks)];
}

/** An event, and each webhook that hears of it. */
export function toldSteps({ event, receipts }: ToldEvent, webhooks: number): readonly TraceStep[] {
  const { at, cursor, type } = event;
  const nobody =
    webhooks > 0 && receipts.length === 0
      ? ` None of the ${countText(webhooks, "webhook")} hears of such events of this app.`
      : "";
  return [
    { kind: "event", at, cursor, type, text: `Told in the event log as ${type}, cursor ${cursor}.${nobody}` },
    ...receipts.map((receipt) => receiptStep(receipt, event)),
  ];
}

function endText({ status, reason, attempts }: NotificationRecord): string {
  const last = attempts.at(-1);
  switch (status) {
    case "accepted":
      return "Accepted: Apple has it.";
    case "expired":
      return `Expired: it was not sent any more.${adviceOn("expired")}`;
    case "cancelled":
      return "Cancelled before it was sent; it never will be.";
    case "unknown":
      return `Unknown: it may have arrived, and nobody will find out (${reason}).${last?.reason === reason ? "" : adviceOn(reason)}`;
    default: {
      const isGivenUp = attempts.length > 1 && last?.status !== undefined && isForLater(last.status);
      if (isGivenUp) return `Given up after ${attempts.length} attempts, with Apple's last word: ${reason}.`;
      if (reason?.startsWith("environment-suspect"))
        return `Rejected: ${reason}. Nearly all device tokens are bad on this way to Apple, so that the environment or the topic is at fault rather than the token.`;
      const isSaid = last?.reason === reason;
      return `Rejected: ${reason}. It is not tried again.${isSaid ? "" : adviceOn(reason)}`;
    }
  }
}

/** Apple's way to say that the same may pass later. */
function isForLater(status: number): boolean {
  return status === 429 || status >= 500;
}

function receiptStep(receipt: Receipt, { cursor, type, at: eventAt }: ToldEvent["event"]): TraceStep {
  const { webhook, state } = receipt;
  const about = { kind: "webhook", webhook: webhook.id, cursor, type, delivery: state } as const;
  const name = `The webhook ${webhook.id} (${new URL(webhook.url).host})`;
  switch (receipt.state) {
    case "taken":
      return {
        ...about,
        ...(receipt.atMs === undefined ? {} : { at: isoOf(receipt.atMs) }),
        text: `${name} was posted ${type} and took it.`,
      };
    case "made-later":
      return {
        ...about,
        at: isoOf(webhook.createdAtMs),
        text: `${name} was made after this event, and was posted it only if it was told to begin before it.`,
      };
    case "due":
      return { ...about, at: eventAt, text: `${name} is about to be posted ${type}.` };
    case "failing": {
      const { sinceMs, tries, nextTryAtMs, error } = receipt;
      const nextTryAt = isoOf(nextTryAtMs);
      const problem = error === undefined ? "" : ` The last time: ${error.replace(/\.?$/, ".")}`;
      return {
        ...{ ...about, at: laterOf(sinceMs, eventAt), nextTryAt },
        ...(error === undefined ? {} : { error }),
        text: `${name} has not taken ${type} yet: ${countText(tries, "call")} failed since ${isoOf(sinceMs)}, the next try is at ${nextTryAt}.${problem}`,
      };
    }
    case "disabled":
      return {
        ...{ ...about, at: laterOf(receipt.atMs, eventAt) },
        text: `${name} is disabled since ${isoOf(receipt.atMs)} (${disabledText[receipt.cause]}), and was not posted ${type}. Enabled again it goes on where it stopped.`,
      };
  }
}

/** Since when this one event waits: what began before it happened is no step of its own. */
function laterOf(ms: number, eventAt: string): string {
  return isoOf(Math.max(ms, Date.parse(eventAt)));
}

const disabledText = {
  gone: "it answered 410",
  failing: "it took nothing for three days",
  asked: "by its operator",
  sealed: "the key that sealed its secret is not here",
} as const;
