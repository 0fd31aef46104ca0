import type { StoredEvent } from "../store/index.ts";
import type { EventType, OutcomeEvent } from "./event.ts";
import type { WrittenEvent } from "./event-log.ts";

/** An event of the store in the words of the API. */
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

/**
 * The same as `JSON.stringify` would write them. What the store holds as text goes out as it is: reading it and writing it anew is
 * most of what an event costs.
 */
export function writeEvents(events: readonly StoredEvent[]): WrittenEvent[] {
  let writtenMs: number | undefined;
  let at = "";
  return events.map(({ cursor, atMs, app, type, data }) => {
    // Events of one settlement share their time.
    if (atMs !== writtenMs) {
      writtenMs = atMs;
      at = new Date(atMs).toISOString();
    }
    const told = typeof data === "string" ? data : JSON.stringify(wordsOfRun(data));
    return {
      cursor: String(cursor),
      type: type as EventType,
      text: `{"cursor":"${cursor}","at":"${at}","app":${JSON.stringify(app)},"type":"${type}","data":${told}}`,
    };
  });
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
