import type { FeedbackItem, OutcomeEvent } from "../../outcomes/index.ts";
import type { TraceStep } from "../trace.ts";
import type { TraceFacts } from "../trace-facts.ts";
import { toldSteps } from "./ending-steps.ts";

/** What was said of its device token since it ended, and what is held against that token now. */
export function verdictSteps({ tokenEvents, verdicts, inspection, webhooks }: TraceFacts): TraceStep[] {
  const { id } = inspection.record;
  const told = new Set(tokenEvents.map(({ event }) => event.cursor));
  return [
    ...tokenEvents.flatMap((each) => [stepOfEvent(each.event, id), ...toldSteps(each, webhooks)]),
    ...verdicts.filter(({ cursor }) => !told.has(cursor)).map((verdict) => stepOfVerdict(verdict, id)),
  ];
}

function stepOfEvent({ at, type, data }: OutcomeEvent, id: string): TraceStep {
  const environment = String(data.environment);
  if (type === "token.restored") {
    const cause = String(data.cause);
    const text = `Nothing is held against the device token any more: ${causes[cause] ?? cause}.`;
    return { kind: "verdict", at, verdict: "restored", environment, cause, text };
  }
  const verdict = type === "token.gone" ? "gone" : "suspect";
  const reason = String(data.reason);
  const since = typeof data.since === "string" ? data.since : undefined;
  const isOwn = data.notificationId === id;
  return {
    ...{ kind: "verdict", at, verdict, environment, reason },
    ...(since === undefined ? {} : { since }),
    text: verdictText(verdict, reason, since, isOwn),
  };
}

function stepOfVerdict(item: FeedbackItem, id: string): TraceStep {
  const { verdict, reason, since, environment, notificationId, firstAt } = item;
  return {
    ...{ kind: "verdict", at: firstAt, verdict, environment, reason },
    ...(since === undefined ? {} : { since }),
    text: verdictText(verdict, reason, since, notificationId === id),
  };
}

function verdictText(
  verdict: FeedbackItem["verdict"],
  reason: string,
  since: string | undefined,
  isOwn: boolean,
): string {
  const by = isOwn ? "by this answer" : "by the answer to another notification";
  return verdict === "gone"
    ? `The device token is gone ${by} (${reason}, since ${since}). Delete it, unless it was registered after that.`
    : `The device token is suspect ${by} (${reason}): malformed, or of the other environment or another app. Look at the configuration; delete nothing.`;
}

const causes: Readonly<Record<string, string>> = {
  registered: "the device has registered since",
  accepted: "Apple accepted a later push to it",
  request: "somebody took that back by hand",
  mass: "many turned bad at once, so that the configuration is the likely cause",
};
