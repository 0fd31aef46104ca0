import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** What the API says of an endpoint, as far as it is shown. */
export interface ShownWebhook {
  readonly id: string;
  readonly url: string;
  readonly app?: string;
  readonly types?: readonly string[];
  readonly description?: string;
  readonly status: string;
  readonly disabledBecause?: string;
  readonly failingSince?: string;
  readonly nextTryAt?: string;
  readonly cursor?: string;
  readonly deliveredAt?: string;
  readonly previousSecretUntil?: string;
}

/** What it says of one call. */
export interface ShownAttempt {
  readonly kind: string;
  readonly at: string;
  readonly delivered: boolean;
  readonly status?: number;
  readonly error?: string;
  readonly latencyMs?: number;
  readonly webhookId?: string;
  readonly events?: number;
  readonly nextTryAt?: string;
}

const because: Readonly<Record<string, string>> = {
  gone: "it answered 410",
  failing: "it took nothing for three days",
  asked: "by an update",
  sealed: "the key that sealed its secret is not here: put it back, or rotate",
};
const indent = "  ";

/** An endpoint: how it stands and where it leads, and below what it hears of. */
export function linesOfWebhook(webhook: ShownWebhook, { colours }: Terminal): readonly string[] {
  const paint = { enabled: colours.green, failing: colours.yellow }[webhook.status] ?? colours.red;
  const { app, types, description } = webhook;
  const facts = [
    description,
    app === undefined ? "all apps" : `app ${app}`,
    types === undefined ? "all events" : types.join(", "),
    standingOf(webhook),
    webhook.deliveredAt === undefined ? "nothing delivered yet" : `delivered at ${webhook.deliveredAt}`,
    webhook.cursor === undefined ? undefined : `cursor ${webhook.cursor}`,
    webhook.previousSecretUntil === undefined
      ? undefined
      : `two secrets until ${webhook.previousSecretUntil}`,
  ];
  return [
    `${printable(webhook.id)}  ${paint(printable(webhook.status))}  ${printable(webhook.url)}`,
    indent + printable(facts.filter((fact) => fact !== undefined).join(" · ")),
  ];
}

function standingOf({ disabledBecause, failingSince, nextTryAt }: ShownWebhook): string | undefined {
  if (disabledBecause !== undefined) return because[disabledBecause] ?? disabledBecause;
  return failingSince === undefined ? undefined : `failing since ${failingSince}, next try at ${nextTryAt}`;
}

/** One call: when, how it went, how long it took. */
export function lineOfAttempt(attempt: ShownAttempt, { colours }: Terminal): string {
  const { kind, at, delivered, status, error, latencyMs, events, nextTryAt } = attempt;
  const word = delivered
    ? colours.green("delivered")
    : colours.red(kind === "skipped" ? "skipped  " : "failed   ");
  const facts = [
    kind === "ping"
      ? "ping"
      : events === undefined
        ? undefined
        : `${events} ${events === 1 ? "event" : "events"}`,
    status === undefined ? undefined : String(status),
    latencyMs === undefined ? undefined : `${latencyMs} ms`,
    error,
    nextTryAt === undefined ? undefined : `next try at ${nextTryAt}`,
  ];
  return `${printable(at)}  ${word}  ${printable(facts.filter((fact) => fact !== undefined).join(" · "))}`;
}
