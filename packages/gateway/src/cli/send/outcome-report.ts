import {
  type Indeterminate,
  type Outcome,
  type RejectionRule,
  rejectionReasons,
  type Unprocessed,
} from "@carillon/apns";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { printable } from "../printable.ts";

/** One outcome, for people and for programs. */
export interface OutcomeReport {
  readonly status: ExitStatus;
  readonly word: "accepted" | "rejected" | "unreachable" | "unknown";
  /** The first line stands behind the word, the others below it. */
  readonly lines: readonly string[];
  /** The object of `--json`. */
  readonly record: Readonly<Record<string, unknown>>;
}

const unknownReason: Pick<RejectionRule, "means" | "remedy"> = {
  means: "This reason is not in Apple's documentation as this version knows it.",
  remedy:
    "Look it up in Apple's documentation; 4xx is about the request or the credential, 5xx about the server.",
};

/** Says what became of a notification, what that means and what to do about it. */
export function reportOutcome(outcome: Outcome, deviceToken: string): OutcomeReport {
  const { kind, apnsId, attempts } = outcome;
  const named = { to: deviceToken, outcome: kind, apnsId };
  switch (kind) {
    case "accepted": {
      const { uniqueId } = outcome;
      const more = uniqueId === undefined ? [] : [`apns-unique-id ${uniqueId}, for Apple's delivery log`];
      return {
        status: exitStatus.done,
        word: "accepted",
        lines: [`apns-id ${apnsId}`, ...more],
        record: { ...named, attempts, uniqueId },
      };
    }
    case "rejected":
    case "unrecognized": {
      const { status, reason, retryAfterMs } = outcome;
      const rule = kind === "rejected" ? rejectionReasons[outcome.reason] : undefined;
      const { means, remedy } = rule ?? unknownReason;
      const goneSince =
        kind === "rejected" && outcome.goneSinceMs !== undefined
          ? new Date(outcome.goneSinceMs).toISOString()
          : undefined;
      const retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1000);
      return {
        status: exitStatus.rejected,
        word: "rejected",
        lines: [
          `${status} ${printable(reason) || "(no reason given)"}${goneSince === undefined ? "" : ` since ${goneSince}`}`,
          means,
          retryAfterSeconds === undefined ? remedy : `${remedy} Apple asks to wait ${retryAfterSeconds} s.`,
          `apns-id ${apnsId}${countOf(attempts)}`,
        ],
        record: {
          ...named,
          attempts,
          status,
          reason,
          fault: rule?.fault,
          means,
          remedy,
          goneSince,
          retryAfterSeconds,
        },
      };
    }
    case "unprocessed":
      // An earlier attempt that got no answer may have been taken.
      return attempts > 0 ? reportUnknown(outcome, named) : reportUnreachable(outcome, named);
    case "indeterminate":
      return reportUnknown(outcome, named);
  }
}

/** The same of the retired protocol, which carries no apns-id and no collapse id: none is shown. */
export function reportBinaryOutcome(outcome: Outcome, deviceToken: string): OutcomeReport {
  const { lines, record, ...rest } = reportOutcome(outcome, deviceToken);
  const { apnsId: _, ...shown } = record;
  const detail = outcome.kind === "rejected" ? outcome.detail : undefined;
  const kept = lines
    .filter((line) => !line.startsWith("apns-id "))
    .map((line) => line.replace(", unless --collapse-id makes them one", ""));
  const first = outcome.kind === "accepted" ? ["proved by what the gateway said of a later one"] : [];
  return {
    ...rest,
    lines: [...first, ...kept, ...(detail === undefined ? [] : [printable(detail)])],
    record: { ...shown, ...(detail === undefined ? {} : { detail }) },
  };
}

type Named = Readonly<Record<string, unknown>>;

function reportUnreachable({ attempts, cause, detail }: Unprocessed, named: Named): OutcomeReport {
  return {
    status: exitStatus.unknown,
    word: "unreachable",
    lines: [
      "nothing was sent",
      printable(detail ?? describeCause(cause)),
      "Check the address, the network and the firewall; a server with a certificate of its own needs --ca FILE.",
    ],
    record: { ...named, attempts, cause, detail },
  };
}

function reportUnknown(
  { apnsId, attempts, cause, detail }: Unprocessed | Indeterminate,
  named: Named,
): OutcomeReport {
  return {
    status: exitStatus.unknown,
    word: "unknown",
    lines: [
      `sent, and no answer came: ${printable(detail ?? describeCause(cause))}`,
      "It may have been taken. Sending it again may show it twice, unless --collapse-id makes them one.",
      `apns-id ${apnsId}${countOf(attempts)}`,
    ],
    record: { ...named, outcome: "indeterminate", attempts, cause, detail },
  };
}

function countOf(attempts: number): string {
  return attempts > 1 ? ` (${attempts} attempts)` : "";
}

function describeCause(cause: string): string {
  const words: Readonly<Record<string, string>> = {
    goaway: "the server closed every connection before it looked at the request",
    "refused-stream": "the server refused the request's stream each time",
    "not-written": "no connection came about in time",
    "socket-closed": "the connection was closed",
    reset: "the server reset the request's stream",
    timeout: "the time was up",
    protocol: "the answer broke the protocol",
  };
  return words[cause] ?? cause;
}
