import type { Outcome } from "@carillon/apns";
import type { Environment } from "./notification-draft.ts";
import type { Attempt } from "./notification-record.ts";

/**
 * An attempt as a note keeps it: one line of JSON.
 * @param environment where it went, if not to the environment of the notification
 */
export function writeAttempt(outcome: Outcome, atMs: number, environment?: Environment): string {
  const attempt: Attempt = {
    at: new Date(atMs).toISOString(),
    outcome: outcome.kind,
    ...(environment === undefined ? {} : { environment }),
    ...wordsOf(outcome),
    ...viaOf(outcome),
  };
  return `${JSON.stringify(attempt)}\n`;
}

export function parseAttempts(lines: string): readonly Attempt[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Attempt);
}

function viaOf({ connection }: Outcome): Pick<Attempt, "connection"> {
  return connection === undefined ? {} : { connection };
}

function wordsOf(outcome: Outcome): Omit<Attempt, "at" | "outcome"> {
  switch (outcome.kind) {
    case "accepted":
      return {};
    case "rejected":
      return {
        reason: outcome.reason,
        status: outcome.status,
        ...(outcome.goneSinceMs === undefined
          ? {}
          : { goneSince: new Date(outcome.goneSinceMs).toISOString() }),
      };
    case "unrecognized":
      return { reason: outcome.reason, status: outcome.status };
    case "unprocessed":
    case "indeterminate":
      return { reason: outcome.detail ?? outcome.cause };
  }
}
