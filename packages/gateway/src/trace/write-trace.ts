import { checksOf } from "./checks.ts";
import { attemptSteps } from "./steps/attempt-steps.ts";
import { endingSteps } from "./steps/ending-steps.ts";
import { queueSteps } from "./steps/queue-steps.ts";
import { verdictSteps } from "./steps/verdict-steps.ts";
import { summaryOf } from "./summary.ts";
import type { Trace, TraceStep } from "./trace.ts";
import type { TraceFacts } from "./trace-facts.ts";

/** Puts what is known of a notification into words. Pure. */
export function writeTrace(facts: TraceFacts): Trace {
  const { record, content } = facts.inspection;
  const { id, app, environment, lane, status, reference, apnsId = id } = record;
  const steps = inOrder([
    ...queueSteps(facts),
    ...attemptSteps(facts),
    ...endingSteps(facts),
    ...verdictSteps(facts),
  ]);
  return {
    ...{ id, apnsId, app, environment, lane, status },
    ...(reference === undefined ? {} : { reference }),
    ...(content === undefined ? {} : { deviceToken: content.deviceToken }),
    summary: summaryOf(facts, steps),
    steps,
    checks: checksOf(facts),
    notes: notesOf(facts),
  };
}

/** By time; a step without one comes behind the step that it was told after. */
function inOrder(steps: readonly TraceStep[]): readonly TraceStep[] {
  let latest = "";
  const placed = steps.map((step) => {
    latest = step.at ?? latest;
    return { step, at: latest };
  });
  return placed
    .sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0))
    .map(({ step }) => step);
}

function notesOf({ inspection, ending, isLogWhole, verdicts, tokenEvents }: TraceFacts): readonly string[] {
  const { record, content } = inspection;
  const { status } = record;
  const isFinal = status !== "queued" && status !== "scheduled";
  const notes: string[] = [];
  if (content === undefined)
    notes.push(
      "Its payload and its headers are no longer kept, so that nothing is told of what they may do.",
    );
  if (isFinal && ending === undefined)
    notes.push(
      isLogWhole
        ? "The event log has no event of its end any more, so that nothing is told of webhooks."
        : "The event log holds so much of that time that its end was not found there, and nothing is told of webhooks.",
    );
  if (record.attempts.some(isAboutToken) && verdicts.length === 0 && tokenEvents.length === 0)
    notes.push(
      "Nothing is held against its device token: the device registered later, or Apple accepted a push to it, or so many " +
        "turned bad at once that verdicts were held back, or it was taken back.",
    );
  return notes;
}

const tokenReasons = new Set(["Unregistered", "ExpiredToken", "BadDeviceToken", "DeviceTokenNotForTopic"]);

function isAboutToken({ reason }: { readonly reason?: string }): boolean {
  return reason !== undefined && tokenReasons.has(reason);
}
