import { printable } from "../printable.ts";

/** What the API says of an event, as far as it is shown. */
export interface ShownEvent {
  readonly cursor: string;
  readonly at: string;
  readonly app: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What it says of a device token. */
export interface ShownVerdict {
  readonly token: string;
  readonly verdict: string;
  readonly reason: string;
  readonly since?: string;
  readonly environment: string;
  readonly notificationId: string;
  readonly lastAt: string;
  readonly answers: number;
}

const toldFirst = ["id", "batch", "webhook", "token", "state", "reason", "cause"];
const leftOut = new Set(["environment", "fault", "means", "ids", ...toldFirst]);

/** One event: when, of which app, what, and its facts, the weightiest first. */
export function lineOfEvent({ at, app, type, data }: ShownEvent): string {
  const names = [
    ...toldFirst.filter((name) => data[name] !== undefined),
    ...Object.keys(data).filter((name) => !leftOut.has(name)),
  ];
  const facts = names.map((name) => `${name} ${wordsOf(data[name])}`);
  return printable([at, app, type, facts.join(" · ")].join("  "));
}

/** One device token, whole, for it is what is to be deleted. */
export function lineOfVerdict(verdict: ShownVerdict): string {
  const { lastAt, token, reason, since, environment, answers } = verdict;
  const facts = [
    reason,
    environment,
    since === undefined ? undefined : `since ${since}`,
    answers === 1 ? undefined : `${answers} answers`,
  ];
  const told = facts.filter((fact) => fact !== undefined).join(" · ");
  return printable([lastAt, verdict.verdict.padEnd("suspect".length), token, told].join("  "));
}

function wordsOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
