import { type Clock, type Outcome, rejectionReasons } from "@carillon/apns";
import type { EventStore, NewEvent, NewVerdict, Note, Restoration, VerdictStore } from "../store/index.ts";
import { AppleWeather } from "./apple-weather.ts";
import type { EventType } from "./event.ts";
import type { Incidents } from "./feedback/incidents.ts";
import { MassBreaker } from "./feedback/mass-breaker.ts";
import type { Restorer } from "./feedback/restorer.ts";
import { hashToken, type SignsOfLife, seedOf, TokenHashes } from "./feedback/signs-of-life.ts";
import { judgeToken } from "./feedback/token-verdict.ts";
import { explainReason } from "./reasons/explain-reason.ts";

export interface TellerOptions {
  readonly store: EventStore & VerdictStore;
  readonly clock: Clock;
  readonly logger: { warn(fields: object, message: string): void };
  readonly signs: SignsOfLife;
  readonly restorer: Restorer;
  readonly incidents: Incidents;
  /** Stops the sending of an app, in these words; undefined for one that goes on when its device tokens turn bad in masses. */
  readonly pauseFor?: ((app: string) => ((reason: string) => void) | undefined) | undefined;
}

/** So many that are accepted are gathered; the turn of the event loop ends it otherwise. */
const mostInATurn = 512;

/** How a notification ended, as the delivery tells. */
export interface Ending {
  readonly id: string;
  readonly status: "rejected" | "expired" | "unknown";
  readonly reason?: string;
  readonly outcome?: Outcome;
  readonly deviceToken: string;
  readonly reference?: string;
  readonly apnsId?: string;
  readonly registeredAtMs?: number;
}

/** What is written down with it. */
type Told = Pick<Note, "events" | "verdict" | "restorations">;

/** Puts into words what happens on one route: endings, verdicts on device tokens, stops, and Apple's troubles. */
export class Teller {
  readonly #options: TellerOptions;
  readonly #app: string;
  readonly #environment: string;
  readonly #seed: number;
  readonly #masses = new MassBreaker();
  readonly #weather = new AppleWeather();
  #isParked = false;
  /** Device tokens that were accepted in this turn of the event loop: as many as there are hashes. */
  readonly #taken: string[] = [];
  readonly #hashes = new TokenHashes(mostInATurn);
  #takenAtMs = 0;

  constructor(app: string, environment: string, options: TellerOptions) {
    this.#options = options;
    this.#app = app;
    this.#environment = environment;
    this.#seed = seedOf(app, environment);
  }

  accepted(deviceToken: string, atMs: number, isFirstAttempt: boolean): void {
    if (this.#hashes.count === 0) queueMicrotask(this.#noteTaken);
    this.#takenAtMs = atMs;
    this.#taken[this.#hashes.count] = deviceToken;
    this.#hashes.add(this.#seed, deviceToken);
    this.#masses.good();
    this.#feel(false, "", isFirstAttempt);
    if (this.#hashes.isFull) this.#noteTaken();
  }

  /** Signs of life of this turn of the event loop. */
  readonly #noteTaken = (): void => {
    const { signs, restorer } = this.#options;
    signs.noteAll(this.#hashes, this.#takenAtMs);
    for (const index of restorer.concernedOf(this.#hashes)) {
      const deviceToken = this.#taken[index];
      if (deviceToken !== undefined)
        restorer.good({ ...this.#route, deviceToken, goodAtMs: this.#takenAtMs, cause: "accepted" });
    }
    this.#hashes.count = 0;
  };

  /** What was said of it before is outdated. */
  registered(deviceToken: string, atMs: number): void {
    const { clock, signs, restorer } = this.#options;
    const hash = hashToken(this.#seed, deviceToken);
    const goodAtMs = Math.min(atMs, clock.now());
    signs.note(hash, goodAtMs);
    if (restorer.concerns(hash))
      restorer.good({ ...this.#route, deviceToken, goodAtMs, cause: "registered" });
  }

  ended(ending: Ending): Told {
    this.#noteTaken();
    const { clock, incidents } = this.#options;
    const { id, status, outcome, reason = status } = ending;
    const nowMs = clock.now();
    const word = outcome?.kind === "rejected" ? outcome.reason : reason;
    incidents.note(this.#app, this.#environment, word, id);
    const events = [this.#event(`notification.${status}`, this.#wordsOf(ending))];
    if (ending.outcome?.kind !== "rejected") return { events };
    return this.#judge(ending, ending.outcome, events, nowMs);
  }

  retrying(outcome: Outcome, isFirstAttempt: boolean): void {
    if (outcome.kind === "indeterminate") this.#feel(true, outcome.cause, isFirstAttempt);
    else if (outcome.kind === "unrecognized")
      this.#feel(outcome.status >= 500, outcome.reason, isFirstAttempt);
    else if (outcome.kind === "rejected") {
      const isTrouble = rejectionReasons[outcome.reason].fault === "service";
      this.#feel(isTrouble, outcome.reason, isFirstAttempt);
    }
  }

  /** It is good, and no sign of a wrong setting. */
  foundElsewhere(): void {
    this.#masses.good();
  }

  held(cause: string, detail: string): void {
    if (cause !== "credential" || this.#isParked) return;
    this.#isParked = true;
    this.#append(this.#event("route.parked", { reason: detail, ...explained(detail) }));
  }

  released(): void {
    if (!this.#isParked) return;
    this.#isParked = false;
    this.#append(this.#event("route.released", {}));
  }

  get #route(): { readonly app: string; readonly environment: string } {
    return { app: this.#app, environment: this.#environment };
  }

  /** Device tokens are judged unless too many turn bad at once. */
  #judge(
    { id, deviceToken, registeredAtMs }: Ending,
    { reason, goneSinceMs }: Extract<Outcome, { kind: "rejected" }>,
    events: readonly NewEvent[],
    nowMs: number,
  ): Told {
    const { signs, restorer, logger } = this.#options;
    const hash = hashToken(this.#seed, deviceToken);
    const goodAtMs = latestOf(signs.latest(hash), registeredAtMs);
    const judged = judgeToken({
      ...{ reason, nowMs },
      ...(goneSinceMs === undefined ? {} : { goneSinceMs }),
      ...(goodAtMs === undefined ? {} : { goodAtMs }),
    });
    if (judged.kind !== "gone" && judged.kind !== "suspect") return { events };
    if (this.#masses.bad(deviceToken)) {
      const { bad, of } = this.#masses.counts;
      logger.warn(
        { ...this.#route, bad, of, reason },
        "device tokens turn bad in masses; verdicts are held back",
      );
      const pause = this.#options.pauseFor?.(this.#app);
      const sending = pause === undefined ? "goes-on" : "pauses";
      const facts = { reason, bad, of, notificationId: id, sending };
      const alarm = this.#event("environment.suspect", { ...facts, ...massWords });
      pause?.(`${bad} of the latest ${of} device tokens turned bad in ${this.#environment}: ${reason}`);
      const restorations = this.#masses.suspects.map((token) => this.#takeBack(token));
      return { events: [...events, alarm], restorations };
    }
    if (this.#masses.state === "tripped") return { events };
    restorer.mayBeBad(hash);
    const since = judged.kind === "gone" ? { sinceMs: judged.sinceMs } : {};
    const verdict: NewVerdict = {
      ...this.#route,
      ...{ deviceToken, verdict: judged.kind, reason, notificationId: id },
      ...since,
    };
    return { events, verdict };
  }

  #takeBack(deviceToken: string): Restoration {
    return { ...this.#route, deviceToken, cause: "mass" };
  }

  #wordsOf({ id, reason, status, outcome, deviceToken, reference, apnsId }: Ending): Record<string, unknown> {
    const since = outcome?.kind === "rejected" ? outcome.goneSinceMs : undefined;
    return {
      id,
      ...(apnsId === undefined ? {} : { apnsId }),
      ...(reference === undefined ? {} : { reference }),
      token: deviceToken,
      ...(reason === undefined ? {} : { reason }),
      ...(outcome !== undefined && "status" in outcome ? { status: outcome.status } : {}),
      ...(since === undefined ? {} : { goneSince: new Date(since).toISOString() }),
      ...explained(reason ?? status),
    };
  }

  #feel(isTrouble: boolean, reason: string, isFirstAttempt: boolean): void {
    const change = this.#weather.answered(isTrouble, isFirstAttempt);
    if (change !== undefined) this.#append(this.#event("apple.degraded", { state: change, reason }));
  }

  #event(type: EventType, data: Readonly<Record<string, unknown>>): NewEvent {
    return { app: this.#app, type, data: JSON.stringify({ environment: this.#environment, ...data }) };
  }

  /** Apart from any settlement. */
  #append(event: NewEvent): void {
    const { store, clock, logger } = this.#options;
    store.appendEvents([event], clock.now()).catch((error: unknown) => {
      logger.warn({ type: event.type, detail: String(error) }, "an event could not be written down");
    });
  }
}

const massWords = {
  means: "Many device tokens turned bad at once: the environment, the topic or the key is the likely cause.",
  remedy:
    "Check that the app's environment fits where its builds come from, and its topic and key. No verdict is passed on device tokens meanwhile.",
} as const;

function explained(reason: string): Record<string, unknown> {
  const { fault, means, remedy } = explainReason(reason) ?? {};
  return fault === undefined ? {} : { fault, means, remedy };
}

function latestOf(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}
