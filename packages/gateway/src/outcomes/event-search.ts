import type { EventStore, EventSubject } from "../store/index.ts";
import { type EventType, idsOfRun, type OutcomeEvent } from "./event.ts";
import { eventOf } from "./stored-event.ts";

/** A stretch of the log. Epoch milliseconds. */
export interface EventSpan {
  readonly fromMs: number;
  /** @default up to now */
  readonly untilMs?: number;
}

export interface FoundEvents {
  /** In the order of the log. */
  readonly events: readonly OutcomeEvent[];
  /** False where there may be others: the log holds more in that time than is looked at, or than was asked for. */
  readonly isWhole: boolean;
}

interface Wanted extends EventSpan {
  readonly app: string;
  readonly types: readonly EventType[];
  readonly about?: EventSubject;
  readonly matches: (event: OutcomeEvent) => boolean;
  /** So many are enough. */
  readonly most: number;
}

/** A stretch of cursors: behind `after`, up to `upTo`. */
interface Stretch {
  readonly after: number;
  readonly upTo: number;
}

/** One search goes over so many events at most; about 0.15 s of the store's time, in steps of 7 ms. */
const farthest = 200_000;
/** What is written in one moment may bear another one's time by a little. */
const slackMs = 1_000;
const mostOfRoute = 20;
const mostOfToken = 20;
const tokenTypes: readonly EventType[] = ["token.gone", "token.suspect", "token.restored"];
const routeTypes: readonly EventType[] = ["route.parked", "route.released", "apple.degraded"];

/**
 * Finds what the log says of one thing. There is no index for that, so that writing costs nothing for it: a search goes by the time
 * when it was written, and over 200,000 events at most.
 */
export class EventSearch {
  readonly #store: Pick<EventStore, "readEvents" | "seekEvent">;

  constructor(store: Pick<EventStore, "readEvents" | "seekEvent">) {
    this.#store = store;
  }

  /** The event that told how a notification ended, by our id and its final status. */
  ending(app: string, id: string, status: string, span: EventSpan): Promise<FoundEvents> {
    const batch = id.slice(0, -4);
    return this.#find({
      ...{ app, ...span, most: 1, about: { batch, text: id } },
      types: [`notification.${status}` as EventType],
      // A reference of the sender's may hold any text, and a batch has many runs.
      matches: ({ data }) => ("ids" in data ? idsOfRun(data as unknown as Run).includes(id) : data.id === id),
    });
  }

  /** What was said of a device token (lower-case hex). */
  ofToken(app: string, environment: string, deviceToken: string, span: EventSpan): Promise<FoundEvents> {
    return this.#find({
      ...{ app, ...span, most: mostOfToken, types: tokenTypes, about: { text: deviceToken } },
      matches: ({ data }) => data.token === deviceToken && data.environment === environment,
    });
  }

  /** Stops of a route, and Apple's troubles there. */
  ofRoute(app: string, environment: string, span: EventSpan): Promise<FoundEvents> {
    return this.#find({
      ...{ app, ...span, most: mostOfRoute, types: routeTypes },
      matches: ({ data }) => data.environment === environment,
    });
  }

  async #find(wanted: Wanted): Promise<FoundEvents> {
    const { stretches, isWhole } = await this.#stretchesOf(wanted);
    const events: OutcomeEvent[] = [];
    for (const stretch of stretches) {
      await this.#look(wanted, stretch, events);
      if (events.length >= wanted.most) break;
    }
    return { events, isWhole: isWhole && events.length < wanted.most };
  }

  /** Where that time is too long, its ends: what is looked for happened soon after it began, or just before it ended. */
  async #stretchesOf({ fromMs, untilMs }: Wanted): Promise<{ stretches: Stretch[]; isWhole: boolean }> {
    const after = await this.#store.seekEvent(fromMs - slackMs);
    const upTo = await this.#store.seekEvent(
      untilMs === undefined ? Number.MAX_SAFE_INTEGER : untilMs + slackMs + 1,
    );
    if (upTo - after <= farthest) return { stretches: [{ after, upTo }], isWhole: true };
    if (untilMs === undefined) return { stretches: [{ after, upTo: after + farthest }], isWhole: false };
    const half = farthest / 2;
    const stretches = [
      { after, upTo: after + half },
      { after: upTo - half, upTo },
    ];
    return { stretches, isWhole: false };
  }

  async #look(
    { app, types, about, matches, most }: Wanted,
    { after, upTo }: Stretch,
    events: OutcomeEvent[],
  ): Promise<void> {
    for (let at = after; at < upTo && events.length < most; ) {
      const slice = await this.#store.readEvents({
        ...{ after: at, upTo, app, types, limit: 100 },
        ...(about === undefined ? {} : { about }),
      });
      for (const stored of slice.events) {
        const event = eventOf(stored);
        if (matches(event) && events.length < most) events.push(event);
      }
      if (slice.cursor === at) return;
      at = slice.cursor;
    }
  }
}

type Run = Parameters<typeof idsOfRun>[0];
