import type { Delivery, Inspection } from "../delivery/index.ts";
import {
  type EventSpan,
  explainReason,
  type OutcomeEvent,
  type Outcomes,
  receiptsOf,
  type Webhooks,
} from "../outcomes/index.ts";
import { longWaitMs, readyAtMs } from "./steps/queue-steps.ts";
import type { Trace } from "./trace.ts";
import type { ToldEvent, TraceFacts, WayFacts } from "./trace-facts.ts";
import { writeTrace } from "./write-trace.ts";

export interface TracerOptions {
  readonly delivery: Pick<Delivery, "inspect" | "status" | "waitingFor">;
  readonly outcomes: Pick<Outcomes, "search" | "feedback">;
  readonly webhooks: Pick<Webhooks, "list" | "deliveries">;
  readonly now: () => number;
  /** Notifications a second that an app may send; undefined for as many as go. */
  readonly rateOf: (app: string) => number | undefined;
  /** What a connection to Apple waits for, in a few words; undefined while it is well. */
  readonly connectionOf: (
    app: string,
    environment: Inspection["record"]["environment"],
  ) => string | undefined;
}

/** Gathers what is known of one notification in all rooms, and tells it step by step. */
export class Tracer {
  readonly #options: TracerOptions;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** By our id or the caller's own; undefined when nobody knows it. Reads so much and no more, whatever the log holds. */
  async trace(app: string, id: string): Promise<Trace | undefined> {
    const inspection = await this.#options.delivery.inspect(app, id);
    return inspection && writeTrace(await this.#factsOf(inspection));
  }

  async #factsOf(inspection: Inspection): Promise<TraceFacts> {
    const { now, webhooks, outcomes } = this.#options;
    const nowMs = now();
    const { app, environment } = inspection.record;
    const { event, isWhole } = await this.#endingOf(inspection);
    const deviceToken = inspection.content?.deviceToken ?? tokenIn(event);
    const [wayEvents, ending, tokenEvents, verdicts] = await Promise.all([
      this.#wayEventsOf(inspection, nowMs),
      event && this.#told(event),
      this.#tokenEventsOf(inspection, event, deviceToken),
      deviceToken === undefined ? [] : outcomes.feedback.of(app, deviceToken),
    ]);
    return {
      ...{ nowMs, inspection, wayEvents, ending, tokenEvents },
      way: this.#wayOf(inspection),
      isLogWhole: isWhole,
      verdicts: verdicts.filter((verdict) => verdict.environment === environment),
      webhooks: webhooks.list().length,
    };
  }

  #wayOf({ record }: Inspection): WayFacts {
    const { delivery, rateOf, connectionOf } = this.#options;
    const { app, environment } = record;
    const { pause, routes, queued, inFlight } = delivery.status(app);
    const route = routes.find((each) => each.environment === environment);
    const waitingFor = delivery.waitingFor(app, environment) ?? connectionOf(app, environment);
    const rateLimit = rateOf(app);
    return {
      ...{ queued, inFlight },
      ...(pause === undefined ? {} : { pause }),
      ...(waitingFor === undefined ? {} : { waitingFor }),
      ...(route?.waitingSinceMs === undefined ? {} : { waitingSinceMs: route.waitingSinceMs }),
      ...(rateLimit === undefined ? {} : { rateLimit }),
    };
  }

  async #endingOf(inspection: Inspection): Promise<{ event: OutcomeEvent | undefined; isWhole: boolean }> {
    const { app, id, status } = inspection.record;
    if (status === "queued" || status === "scheduled") return { event: undefined, isWhole: true };
    const { search } = this.#options.outcomes;
    const { events, isWhole } = await search.ending(app, id, status, endSpan(inspection));
    return { event: events[0], isWhole };
  }

  /** What happened on its way to Apple while it waited for long. */
  async #wayEventsOf(inspection: Inspection, nowMs: number): Promise<readonly OutcomeEvent[]> {
    const { app, environment, attempts, status } = inspection.record;
    const fromMs = readyAtMs({ inspection });
    const firstAt = attempts[0]?.at;
    const untilMs = firstAt === undefined ? (status === "queued" ? nowMs : fromMs) : Date.parse(firstAt);
    if (untilMs - fromMs < longWaitMs) return [];
    const { events } = await this.#options.outcomes.search.ofRoute(app, environment, { fromMs, untilMs });
    return events;
  }

  /** What was said of its device token since an answer was about that. */
  async #tokenEventsOf(
    { record }: Inspection,
    ending: OutcomeEvent | undefined,
    deviceToken: string | undefined,
  ): Promise<readonly ToldEvent[]> {
    const { app, environment, reason = "" } = record;
    const isAboutToken = explainReason(reason)?.fault === "device-token";
    if (!isAboutToken || ending === undefined || deviceToken === undefined) return [];
    const span = { fromMs: Date.parse(ending.at) };
    const { events } = await this.#options.outcomes.search.ofToken(app, environment, deviceToken, span);
    const since = events.filter(({ cursor }) => Number(cursor) > Number(ending.cursor));
    return Promise.all(since.map((event) => this.#told(event)));
  }

  async #told(event: OutcomeEvent): Promise<ToldEvent> {
    return { event, receipts: await receiptsOf(this.#options.webhooks, event) };
  }
}

/** When the event of its end was written. */
function endSpan({ record, storedAtMs, dueAtMs, settledAtMs }: Inspection): EventSpan {
  const { status, attempts } = record;
  const last = attempts.at(-1);
  // Of one that was accepted at once only the batch's time is kept; it may have been answered before that.
  const isPlain = status === "accepted" && attempts.length === 1;
  if (last !== undefined && !isPlain) return { fromMs: Date.parse(last.at) };
  return {
    fromMs: status === "cancelled" ? storedAtMs : Math.max(storedAtMs, dueAtMs),
    ...(settledAtMs === undefined ? {} : { untilMs: settledAtMs }),
  };
}

function tokenIn(event: OutcomeEvent | undefined): string | undefined {
  const token = event?.data.token;
  return typeof token === "string" ? token : undefined;
}
