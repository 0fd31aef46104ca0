import type { Outcome } from "@carillon/apns";

/** So many device tokens are judged before anything is suspected. */
const leastJudged = 10;
/** One good one in so many may be among them. */
const oneGoodIn = 20;
/** Beyond so many judgements old ones fade. */
const memory = 1_000;

/** What Apple says of device tokens that belong to the other environment or to another app. */
const mismatches: ReadonlySet<string> = new Set(["BadDeviceToken", "DeviceTokenNotForTopic"]);

/**
 * Tells an app whose device tokens are dead from one that is set up wrongly: when APNs calls nearly all tokens bad, at least
 * ten and 19 of 20, the environment or the topic is wrong rather than the tokens. One for each route. Pure.
 *
 * `BadDeviceToken`: "Verify that the request contains a valid token and that the token matches the environment."
 * Source: Apple, "Handling notification responses from APNs".
 */
export class EnvironmentSuspicion {
  #good = 0;
  #bad = 0;

  /** Whether bad device tokens are likely the configuration's fault. */
  get isSuspect(): boolean {
    return this.#bad >= leastJudged && this.#good * oneGoodIn <= this.#bad + this.#good;
  }

  /** Takes in how APNs judged one device token; outcomes that say nothing of it leave everything as it is. */
  judge(outcome: Outcome): void {
    if (outcome.kind === "accepted") this.#good += 1;
    // A token that was registered once belongs here.
    else if (outcome.kind === "rejected" && outcome.reason === "Unregistered") this.#good += 1;
    else if (isMismatch(outcome)) this.#bad += 1;
    else return;
    if (this.#good + this.#bad < memory) return;
    this.#good /= 2;
    this.#bad /= 2;
  }
}

/** Whether the token may be good elsewhere: in the other environment, or with another topic. */
export function isMismatch(outcome: Outcome): boolean {
  return outcome.kind === "rejected" && mismatches.has(outcome.reason);
}
