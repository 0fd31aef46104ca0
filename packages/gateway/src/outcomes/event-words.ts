import type { StoredEvent } from "../store/index.ts";
import type { EventType, OutcomeEvent } from "./event.ts";

/** An event in the words of the API. */
export function eventOf({ cursor, atMs, app, type, data }: StoredEvent): OutcomeEvent {
  const told = typeof data === "string" ? (JSON.parse(data) as Record<string, unknown>) : wordsOfRun(data);
  return {
    cursor: String(cursor),
    at: new Date(atMs).toISOString(),
    app,
    type: type as EventType,
    data: told,
  };
}

function wordsOfRun({
  batch,
  environment,
  stretches,
}: Exclude<StoredEvent["data"], string>): OutcomeEvent["data"] {
  const ids: string[] = [];
  let count = 0;
  for (let at = 0; at < stretches.length; at += 2) {
    const [first = 0, last = 0] = stretches.subarray(at, at + 2);
    ids.push(first === last ? digits(first) : `${digits(first)}-${digits(last)}`);
    count += last - first + 1;
  }
  return { batch, ids, count, environment };
}

function digits(place: number): string {
  return place.toString(16).padStart(4, "0");
}
