import type { ShownVerdict } from "../outcomes/event-lines.ts";
import { printable } from "../printable.ts";
import type { ShownRecord, TokenStory } from "./token-story.ts";

/** What is held against a device token, and the newest notifications to it. The token itself is what its reader typed. */
export function linesOfToken({ verdicts, notifications, mayHaveOlder }: TokenStory): readonly string[] {
  return [
    ...(verdicts.length === 0 ? ["Nothing is held against this device token."] : verdicts.map(lineOfVerdict)),
    "",
    ...(notifications.length === 0
      ? ["No notification to it was found."]
      : [
          `The newest to it${mayHaveOlder ? "; there may be older ones" : ""}:`,
          ...notifications.map(lineOfRecord),
        ]),
  ];
}

function lineOfVerdict(verdict: ShownVerdict): string {
  const { environment, reason, since, answers, lastAt } = verdict;
  const known = since === undefined ? "" : `, since ${since}`;
  const times = answers === 1 ? "one answer" : `${answers} answers, the last one`;
  return printable(
    `The device token is ${verdict.verdict} in ${environment}: ${reason}${known}; ${times} at ${lastAt}.`,
  );
}

function lineOfRecord({ storedAt, status, id, reason, reference }: ShownRecord): string {
  const facts = [id, reason, reference === undefined ? undefined : `reference ${reference}`];
  const told = facts.filter((fact) => fact !== undefined).join(" · ");
  return printable([storedAt, status.padEnd("cancelled".length), told].join("  "));
}
