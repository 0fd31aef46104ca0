import { type PushFilter, requestKinds } from "../history/index.ts";

/** What `GET /history` asks for. */
export type HistoryQuery =
  | {
      readonly kind: "valid";
      readonly filter: PushFilter;
      readonly most: number;
      /** So many must match before there is an answer, or the time must be up. */
      readonly count: number;
      readonly waitMs: number;
    }
  | { readonly kind: "malformed"; readonly detail: string };

const textFilters = [
  ...(["deviceToken", "apnsId", "topic", "pushType", "channelId", "reason", "protocol"] as const),
];
const numberFilters = ["status", "connection"] as const;

/** Pushes in one answer: by default, and at most. */
const usualPushes = 100;
const mostPushes = 10_000;

/** How long the answer may wait, in milliseconds: by default, and at most. */
const usualWaitMs = 5000;
const longestWaitMs = 60_000;

const kinds: readonly string[] = [...requestKinds, "any"];

/** Reads the query: any of the filters, `limit`, and `count` with `waitMs`. */
export function readHistoryQuery(query: URLSearchParams): HistoryQuery {
  const filter: Record<string, string | number> = {};
  let most = usualPushes;
  let count = 0;
  let waitMs = usualWaitMs;
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
    } else if (name === "kind") {
      if (!kinds.includes(text)) return malformed(`"kind" must be one of ${kinds.join(", ")}`);
      filter[name] = text;
    } else if (name === "count") {
      count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      if (count < 1) return malformed('"count" must be a whole number from 1 on');
    } else if (name === "waitMs") {
      waitMs = /^\d{1,9}$/.test(text) ? Number(text) : longestWaitMs + 1;
      if (waitMs > longestWaitMs) return malformed(`"waitMs" must be 0 to ${longestWaitMs}`);
    } else {
      const known = ["kind", ...textFilters, ...numberFilters, "limit", "count", "waitMs"].join(", ");
      return malformed(`"${name.slice(0, 40)}" is not known: filters are ${known}`);
    }
  }
  if (query.has("waitMs") && count === 0) return malformed('"waitMs" goes with "count"');
  return { kind: "valid", filter, most, count, waitMs };
}

function malformed(detail: string): HistoryQuery {
  return { kind: "malformed", detail };
}
