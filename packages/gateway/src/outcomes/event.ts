/** Everything that a sender may hear of, and what `data` tells. */
export const eventTypes = [
  /** A run of one batch: `{ batch, ids, count, environment }`; see `idsOfRun`. */
  "notification.accepted",
  "notification.rejected",
  "notification.expired",
  "notification.unknown",
  /** A run of one batch. */
  "notification.cancelled",
  /** A run of one batch; told only to those who ask for this type. */
  "notification.retrying",
  "token.gone",
  "token.suspect",
  "token.restored",
  "route.parked",
  "route.released",
  "credential.expiring",
  "environment.suspect",
  "apple.degraded",
  /** `{ webhook, cause }`; `app` is the endpoint's, or `*` where it hears of all. */
  "webhook.disabled",
] as const;

export type EventType = (typeof eventTypes)[number];

/** What those get who name no types. */
export const usualTypes = eventTypes.filter((type) => type !== "notification.retrying");

/** One thing that happened, as it is told to everyone: by GET, SSE and webhooks. */
export interface OutcomeEvent {
  /** Its place in the log: whoever has seen it never misses one that comes before it. */
  readonly cursor: string;
  /** RFC 3339 with milliseconds, in UTC: when it was written down. */
  readonly at: string;
  readonly app: string;
  readonly type: EventType;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * The ids of a run, such as that of `notification.accepted`: `ids` holds the last four hex digits of each id, or the
 * first and the last of several in a row (`"0000-01f3"`); `batch` is what stands before them.
 */
export function idsOfRun({
  batch,
  ids,
}: {
  readonly batch: string;
  readonly ids: readonly string[];
}): string[] {
  return ids.flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map((digits) => Number.parseInt(digits, 16));
    return Array.from(
      { length: last - first + 1 },
      (_, index) => batch + (first + index).toString(16).padStart(4, "0"),
    );
  });
}
