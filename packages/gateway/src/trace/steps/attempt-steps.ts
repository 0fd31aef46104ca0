import type { Attempt } from "../../delivery/index.ts";
import type { TraceStep } from "../trace.ts";
import type { TraceFacts } from "../trace-facts.ts";
import { adviceOn, explained, isoOf } from "../words.ts";
import { waitingStep } from "./queue-steps.ts";

/** Every time it was handed to Apple and what came back, and when that happens again. */
export function attemptSteps(facts: TraceFacts): readonly TraceStep[] {
  const { record, nextTryAtMs: atMs, isInDoubt } = facts.inspection;
  const steps: TraceStep[] = record.attempts.map((attempt) => stepOf(attempt, facts));
  if (record.status !== "queued" || atMs === undefined) return steps;
  const number = record.attempts.length + 1;
  const isDue = atMs <= facts.nowMs;
  const doubt = isInDoubt ? " An earlier attempt had no answer, so that Apple may have it already." : "";
  const text = `Attempt ${number} ${isDue ? "is due" : "follows then at the earliest"}, under the same apns-id.${doubt}`;
  steps.push({ kind: "retry", at: isoOf(atMs), text });
  if (isDue || facts.way.pause !== undefined || facts.way.waitingFor !== undefined)
    steps.push(waitingStep(facts, atMs));
  return steps;
}

function stepOf(attempt: Attempt, { inspection, ending }: TraceFacts): TraceStep {
  const { at, reason, ...rest } = attempt;
  // Of what was accepted at once only the batch's time is kept; the event knows better.
  const isPlain = attempt.outcome === "accepted" && inspection.record.attempts.length === 1;
  return {
    ...{ kind: "attempt", at: (isPlain ? ending?.event.at : undefined) ?? at, ...rest },
    ...explained(reason),
    text: answerText(attempt) + adviceOn(reason),
  };
}

function answerText({ outcome, reason, status, goneSince, connection, environment }: Attempt): string {
  const address = connection?.remoteAddress === undefined ? "" : ` to ${connection.remoteAddress}`;
  const elsewhere = environment === undefined ? "" : ` to ${environment} this time`;
  const over = `${elsewhere}${connection === undefined ? "" : ` over connection ${connection.number}${address}`}`;
  switch (outcome) {
    case "accepted":
      return `Sent${over}; Apple answered 200 and has it.`;
    case "indeterminate":
      return `Sent${over}; no answer came (${reason}), so that Apple may have it.`;
    default: {
      const since = goneSince === undefined ? "" : `; the device token is gone since ${goneSince}`;
      const isKnown = outcome === "rejected";
      return `Sent${over}; Apple answered ${status} ${reason}${since}.${isKnown ? "" : " This version does not know that word."}`;
    }
  }
}
