import type { Outcome } from "@carillon/apns";

/** How many may be in flight at once at the start, and after a fault. */
const firstLimit = 64;
/** An answer that took longer is a bad sign: the way is filled beyond what more connections cure. Requests time out at 20 s. */
const slowMs = 5_000;
/** So many answers are judged together: as many as are in flight, within these. */
const shortestRound = 8;
const longestRound = 256;
/**
 * One bad answer in so many is about single devices: APNs answers 429 to a device token, and a part of the tokens may always
 * be answered 503. Only more than that tells something of the service.
 */
const tolerated = 4;
/**
 * What an answer to a further attempt says counts a quarter of one to the attempt before: a device that is always answered 503
 * is tried again and again, and would soon outvote all others. A service that is strained shows it to first attempts too. At
 * least so much it counts, for there may be none but further attempts.
 */
const leastWeight = 1 / 256;
/** A round in which the answers have less weight together tells nothing yet. */
const weightyRound = 32;

/** How an answer speaks of the service: `strained` is 429, a 5xx, none within the time, or one that came late. */
export type Sign = "well" | "strained";

/**
 * How many of a route may be in flight, between 1 and a given most. Doubles with each round trip at first (slow start), falls
 * to seven tenths when more than a quarter of a round's answers are bad signs, and from there grows by a 24th, at least by 8,
 * with each round trip. While it is not used it does not grow. Pure: no clock.
 *
 * Sources: RFC 5681 (slow start, one cut for one round trip); Chiu and Jain, "Analysis of the Increase and Decrease Algorithms
 * for Congestion Avoidance" (1989).
 */
export class ConcurrencyLimit {
  readonly #most: number;
  #limit: number;
  /** Doubling ends here. */
  #threshold: number;
  /** Answers to what left before the last cut: they tell nothing new. */
  #oldNews = 0;
  #answers = 0;
  /** Their weight, and that of the bad signs among them. */
  #weight = 0;
  #bad = 0;

  /** @param most 1 or more */
  constructor(most: number) {
    this.#most = most;
    this.#threshold = most;
    this.#limit = Math.min(firstLimit, most);
  }

  /** 1 or more, whole. */
  get current(): number {
    return Math.floor(this.#limit);
  }

  /** Whether nothing is left to take away. */
  get isLowest(): boolean {
    return this.#limit < 2;
  }

  /**
   * @param inFlight how many were, this one among them. Answers come in bursts, so those of which the outcome is not on disk
   * yet count as well: they show how much of the limit is used.
   * @param unanswered how many of them were not answered
   * @param earlierAttempts how often this one was sent before
   */
  answered(sign: Sign, inFlight: number, unanswered: number = inFlight, earlierAttempts = 0): void {
    if (this.#oldNews > 0) {
      this.#oldNews -= 1;
      return;
    }
    const weight = earlierAttempts === 0 ? 1 : Math.max(4 ** -earlierAttempts, leastWeight);
    this.#answers += 1;
    this.#weight += weight;
    if (sign === "strained") this.#bad += weight;
    else if (inFlight * 2 >= this.#limit) this.#grow();
    const wanted = Math.max(Math.min(this.#limit, longestRound), shortestRound);
    if (this.#answers < wanted || this.#weight < Math.min(wanted, weightyRound)) return;
    if (this.#bad * tolerated > this.#weight) this.#cut(unanswered);
    this.#beginRound();
  }

  /**
   * The route was out of order, or leads elsewhere: begins anew, carefully.
   * @param inFlight how many are still out from before; perhaps they are never answered, and they take nobody's room
   */
  restart(inFlight: number): void {
    this.#limit = Math.min(firstLimit + inFlight, this.#most);
    this.#threshold = this.#most;
    this.#oldNews = 0;
    this.#beginRound();
  }

  #beginRound(): void {
    this.#answers = 0;
    this.#weight = 0;
    this.#bad = 0;
  }

  #grow(): void {
    const step = this.#limit < this.#threshold ? 1 : Math.max(8 / this.#limit, 1 / 24);
    this.#limit = Math.min(this.#limit + step, this.#most);
  }

  #cut(unanswered: number): void {
    this.#limit = Math.max(this.#limit * 0.7, 1);
    this.#threshold = this.#limit;
    this.#oldNews = Math.max(unanswered - 1, 0);
  }
}

/**
 * What an outcome says of the service; undefined where it never saw the notification.
 * @param tookMs from the departure, waiting for a connection included
 */
export function signOf(outcome: Outcome, tookMs: number): Sign | undefined {
  switch (outcome.kind) {
    case "unprocessed":
      return undefined;
    case "indeterminate":
      return "strained";
    case "accepted":
      return tookMs < slowMs ? "well" : "strained";
    case "rejected":
    case "unrecognized":
      return outcome.status === 429 || outcome.status >= 500 || tookMs >= slowMs ? "strained" : "well";
  }
}
