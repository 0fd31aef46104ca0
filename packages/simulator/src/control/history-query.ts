import type { PushFilter } from "../history/index.ts";

/** What `GET /history` asks for. */
export type HistoryQuery =
  | { readonly kind: "valid"; readonly filter: PushFilter; readonly most: number }
  | { readonly kind: "malformed"; readonly detail: string };

const textFilters = ["deviceToken", "apnsId", "topic", "pushType", "channelId", "reason"] as const;
const numberFilters = ["status", "connection"] as const;

/** Pushes in one answer: by default, and at most. */
const usualPushes = 100;
const mostPushes = 10_000;

/** Reads the query: any of the filters, and `limit`. */
export function readHistoryQuery(query: URLSearchParams): HistoryQuery {
  const filter: Record<string, string | number> = {};
  let most = usualPushes;
  for (const [name, text] of query) {
    if (query.getAll(name).length > 1) return malformed(`"${name}" stands twice: give it once`);
    if (textFilters.some((known) => known === name)) {
      filter[name] = text;
    } else if (numberFilters.some((known) => known === name)) {
      if (!/^\d{1,9}$/.test(text)) return malformed(`"${name}" must be a whole number`);
      filter[name] = Number(text);
    } else if (name === "limit") {
      most = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      if (most < 1 || most > mostPushes) return malformed(`"limit" must be 1 to ${mostPushes}`);
    } else {
      const known = [...textFilters, ...numberFilters, "limit"].join(", ");
      return malformed(`"${name.slice(0, 40)}" is not known: filters are ${known}`);
    }
  }
  return { kind: "valid", filter, most };
}

function malformed(detail: string): HistoryQuery {
  return { kind: "malformed", detail };
}
