import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** What the API says of the way of one notification, as far as it is shown. */
export interface ShownTrace {
  readonly id: string;
  readonly apnsId: string;
  readonly app: string;
  readonly environment: string;
  readonly lane: string;
  readonly status: string;
  readonly reference?: string;
  readonly summary: string;
  readonly steps: readonly { readonly at?: string; readonly kind: string; readonly text: string }[];
  readonly checks: readonly { readonly about: string; readonly text: string }[];
  readonly notes: readonly string[];
}

/** As wide as the help. */
const columns = 110;
/** Of an ISO 8601 time with milliseconds. */
const timeColumns = 24;
const kindColumns = "scheduled".length;

/** The way of one notification: how it stands, step by step, and what to look at. */
export function linesOfTrace(trace: ShownTrace, terminal: Terminal): readonly string[] {
  const { steps, checks, notes, summary } = trace;
  return [
    headOf(trace, terminal),
    ...wrap("", summary),
    "",
    ...steps.flatMap(({ at = "", kind, text }) =>
      wrap(`${printable(at).padEnd(timeColumns)}  ${printable(kind).padEnd(kindColumns)}  `, text),
    ),
    ...section(
      "To check, for Carillon cannot see it:",
      checks.map(({ text }) => text),
    ),
    ...section("Not known here:", notes),
  ];
}

function headOf(
  { id, apnsId, app, environment, lane, status, reference }: ShownTrace,
  { colours }: Terminal,
): string {
  const waits = status === "queued" || status === "scheduled" || status === "unknown";
  const paint = status === "accepted" ? colours.green : waits ? colours.yellow : colours.red;
  const facts = [
    ...[app, environment, lane],
    reference === undefined ? undefined : `reference ${reference}`,
    apnsId === id ? undefined : `apns-id ${apnsId}`,
  ];
  const told = facts.filter((fact) => fact !== undefined).join(" · ");
  return `${printable(id)}  ${paint(printable(status))}  ${printable(told)}`;
}

function section(title: string, texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : ["", title, ...texts.flatMap((text) => wrap("- ", text))];
}

/** A text behind `lead`, in lines that fit, the later ones below the first. */
export function wrap(lead: string, text: string): readonly string[] {
  const indent = " ".repeat(lead.length);
  const lines: string[] = [];
  let line = lead;
  for (const word of printable(text).split(" ")) {
    const isEmpty = line === lead || line === indent;
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
}
