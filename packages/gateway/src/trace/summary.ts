import type { TraceStep } from "./trace.ts";
import type { TraceFacts } from "./trace-facts.ts";
import { adviceOn, countText } from "./words.ts";

/** How it stands and what follows from that. */
export function summaryOf({ inspection }: TraceFacts, steps: readonly TraceStep[]): string {
  const { record, nextTryAtMs } = inspection;
  const { status, reason, attempts } = record;
  switch (status) {
    case "accepted":
      return (
        `Apple has it${attempts.length > 1 ? `, after ${attempts.length} attempts` : ""}. That does not mean that it rang: Apple ` +
        "delivers as well as it can, and tells nobody what the device did. See what to check."
      );
    case "rejected":
      return `It did not ring, and will not: ${reason}.${adviceOn(reason)}`;
    case "expired":
      return `It did not ring, and will not: its time was over before Apple took it.${adviceOn("expired")}`;
    case "cancelled":
      return "It did not ring, and will not: it was cancelled before it was sent.";
    case "unknown":
      return `Whether it rang nobody knows: ${reason}.${adviceOn(reason)}`;
    case "scheduled":
      return `It has not rung yet: it is not to be sent before ${record.sendAt}.`;
    case "queued": {
      const waiting = steps.findLast(({ kind }) => kind === "waiting");
      if (waiting !== undefined) return `It has not rung yet. ${waiting.text}`;
      if (nextTryAtMs === undefined) return "It has not rung yet: it is on its way.";
      return `It has not rung yet: ${countText(attempts.length, "attempt")} did not succeed, and it is tried again.${adviceOn(attempts.at(-1)?.reason)}`;
    }
  }
}
