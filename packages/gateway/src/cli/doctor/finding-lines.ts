import type { Finding } from "../../doctor/index.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

const levelColumns = 9;
const aboutColumns = 15;
const indent = " ".repeat(levelColumns + aboutColumns);

/** The level, the thing, what is so; what to do about it stands below. */
export function linesOf(finding: Finding, { colours }: Terminal): readonly string[] {
  const paint = { ok: colours.green, warning: colours.yellow, problem: colours.red }[finding.level];
  const { level, about, what } = finding;
  const head = `${paint(level.padEnd(levelColumns))}${printable(about).padEnd(aboutColumns - 1)} ${printable(what)}`;
  return finding.level === "ok" ? [head] : [head, `${indent}${printable(finding.remedy)}`];
}

/** "2 problems, 1 warning" */
export function describeCounts(problems: number, warnings: number): string {
  const count = (number: number, what: string): string =>
    number === 0 ? `no ${what}s` : number === 1 ? `1 ${what}` : `${number} ${what}s`;
  return `${count(problems, "problem")}, ${count(warnings, "warning")}`;
}
