import { cpus } from "node:os";

/** The middle one of an odd number of values; the mean of the two middle ones otherwise. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A table in Markdown, so that it can be put into docs/performance.md as it is. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** One line about where the figures come from. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model ?? "unknown CPU"}, Node ${process.versions.node}, ${process.platform}`;
}
