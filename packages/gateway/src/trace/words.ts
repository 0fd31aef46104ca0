import { type Explanation, explainReason, whoActs } from "../outcomes/index.ts";

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** `3 h 12 min`: the two largest units. */
export function durationText(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1_000), 1);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map((part) => part.join(" "))
    .join(" ");
}

/** What a reason means, what to do and who must; empty for one that nobody knows. */
export function adviceOn(reason: string | undefined): string {
  const explanation = reason === undefined ? undefined : explainReason(reason);
  return explanation === undefined ? "" : adviceText(explanation);
}

function adviceText({ means, remedy, fault }: Explanation): string {
  return ` ${means} ${remedy} Who must act: ${whoActs[fault]}.`;
}

/** A reason with its explanation, as members of a step. */
export function explained(reason: string | undefined): { reason?: string; explanation?: Explanation } {
  if (reason === undefined) return {};
  const explanation = explainReason(reason);
  return { reason, ...(explanation === undefined ? {} : { explanation }) };
}

/** `1 notification`, `2 notifications`. */
export function countText(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
