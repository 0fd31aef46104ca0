import type { Clock, Outcome } from "@carillon/apns";
import type { EventStore, FeedbackReaderStore, VerdictStore } from "../store/index.ts";
import { CredentialWatch, type WatchedCertificate } from "./credential-watch.ts";
import { defaultFeedLimits, EventFeed, type FeedLimits } from "./event-feed.ts";
import { EventSearch } from "./event-search.ts";
import { Feedback } from "./feedback/feedback.ts";
import { FeedbackReaders } from "./feedback/feedback-readers.ts";
import { Incidents } from "./feedback/incidents.ts";
import { Restorer } from "./feedback/restorer.ts";
import { SignsOfLife } from "./feedback/signs-of-life.ts";
import { EventLog, type EventRetention } from "./stored-event-log.ts";
import { Teller, type TellerOptions } from "./teller.ts";

export interface OutcomesOptions {
  readonly store: EventStore & VerdictStore & FeedbackReaderStore;
  readonly clock: Clock;
  readonly logger: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  readonly pauseFor?: TellerOptions["pauseFor"];
  readonly retention?: Partial<EventRetention> | undefined;
  readonly feedLimits?: Partial<FeedLimits>;
  /** Those whose end is told. @default none */
  readonly certificates?: readonly WatchedCertificate[];
}

/** Wires the room: what the delivery tells goes into the store, and from there to everyone who asks. */
export class Outcomes {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly search: EventSearch;
  readonly feedback: Feedback;
  readonly feedbackReaders: FeedbackReaders;
  readonly incidents: Incidents;
  readonly #options: OutcomesOptions;
  readonly #signs = new SignsOfLife();
  readonly #restorer: Restorer;
  readonly #credentials: CredentialWatch;
  readonly #tellers = new Map<string, Teller>();

  constructor(options: OutcomesOptions) {
    const { store, clock, retention, feedLimits, logger, certificates = [] } = options;
    this.#options = options;
    this.log = new EventLog({ store, clock, retention, logger });
    this.feed = new EventFeed({
      log: this.log,
      clock,
      limits: { ...defaultFeedLimits, ...feedLimits },
      logger,
    });
    this.search = new EventSearch(store);
    this.incidents = new Incidents(() => clock.now());
    this.feedback = new Feedback(store, clock);
    this.feedbackReaders = new FeedbackReaders(store);
    this.#restorer = new Restorer(options);
    this.#credentials = new CredentialWatch({ store, clock, logger, certificates });
  }

  /** Learns which device tokens of these apps have a verdict. Until then signs of life restore nothing. */
  load(apps: readonly string[]): Promise<void> {
    return this.#restorer.load(apps);
  }

  /** Who tells of a route; always the same one. */
  tellerFor(app: string, environment: string): Teller {
    const name = `${environment} ${app}`;
    let teller = this.#tellers.get(name);
    if (teller === undefined) {
      const { signs, restorer, incidents } = {
        signs: this.#signs,
        restorer: this.#restorer,
        incidents: this.incidents,
      };
      teller = new Teller(app, environment, { ...this.#options, signs, restorer, incidents });
      this.#tellers.set(name, teller);
    }
    return teller;
  }

  /**
   * An answer to a push that is in no queue, which no settlement writes down: the event, and what it says of the device token.
   * Resolves when that is on disk.
   */
  async answered(app: string, environment: string, deviceToken: string, outcome: Outcome): Promise<void> {
    const teller = this.tellerFor(app, environment);
    if (outcome.kind === "accepted") teller.accepted(deviceToken, this.#options.clock.now(), true);
    if (outcome.kind !== "rejected") return;
    const { apnsId: id, reason } = outcome;
    const told = teller.ended({ id, status: "rejected", reason, outcome, deviceToken });
    const { events = [], verdict, restorations = [] } = told;
    const { store, clock } = this.#options;
    const nowMs = clock.now();
    await Promise.all([
      store.appendEvents(events, nowMs),
      verdict === undefined ? undefined : store.passVerdicts([verdict], nowMs),
      restorations.length === 0 ? undefined : store.restore(restorations, nowMs),
    ]);
  }

  /** Ends all streams and forgets nothing more. */
  close(): void {
    this.feed.close();
    this.log.close();
    this.#credentials.close();
  }
}
