import type { Fate } from "./log-reader.ts";
import { deadTokens, type Sent } from "./sender.ts";

/** One push as Apple's side has it in its history. */
export interface Push {
  readonly apnsId: string;
  readonly deviceToken: string | undefined;
  readonly status: number;
  readonly reason: string | undefined;
}

/** Where what was told differs from what was sent, or from what happened at Apple's side. */
export function differences(
  sent: ReadonlyMap<string, Sent>,
  told: ReadonlyMap<string, readonly Fate[]>,
  history: Iterable<Push>,
): string[] {
  const found: string[] = [];
  const pushesOf = new Map<string, Push[]>();
  for (const push of history) {
    const { apnsId, deviceToken } = push;
    if (sent.get(apnsId)?.deviceToken !== deviceToken)
      found.push(`${apnsId} came to Apple and was not sent so`);
    const known = pushesOf.get(apnsId);
    if (known === undefined) pushesOf.set(apnsId, [push]);
    else known.push(push);
  }
  for (const id of told.keys()) if (!sent.has(id)) found.push(`${id} is told of and was not sent`);
  for (const [id, each] of sent) {
    const [fate, ...more] = told.get(id) ?? [];
    const pushes = pushesOf.get(id) ?? [];
    const words =
      fate === undefined ? "nothing" : more.length > 0 ? "several ends" : contradiction(each, fate, pushes);
    if (words === undefined) continue;
    const answers = pushes.map(({ status, reason }) => reason ?? status).join(", ");
    found.push(`${id} (${each.kind}) is told ${words}: ${JSON.stringify(fate)}; Apple's answers: ${answers}`);
  }
  return found;
}

/** Undefined: told as it was. */
function contradiction({ kind, deviceToken }: Sent, fate: Fate, pushes: readonly Push[]): string | undefined {
  const taken = pushes.filter(({ status }) => status === 200).length;
  if (kind === "at-most-once" && taken > 1) return "once and was taken twice";
  switch (fate.type) {
    case "accepted":
      return taken > 0 && kind !== "dead" && kind !== "scheduled" ? undefined : "as taken and was not";
    case "rejected": {
      const due = deadTokens[deviceToken.slice(0, 4) as keyof typeof deadTokens];
      const isSo = kind === "dead" && fate.reason === due && pushes.some(({ reason }) => reason === due);
      return isSo && taken === 0 ? undefined : "as refused and was not";
    }
    case "expired":
      return kind === "short-lived" && taken === 0 ? undefined : "as expired and is not";
    case "cancelled":
      return kind === "scheduled" && pushes.length === 0 ? undefined : "as taken back and is not";
    case "unknown":
      return kind === "at-most-once" || kind === "short-lived" ? undefined : "as unknown and need not be";
    default:
      return "a word that says no end";
  }
}
