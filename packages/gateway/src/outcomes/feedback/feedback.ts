import type { Clock } from "@carillon/apns";
import type { StoredVerdict, VerdictKind, VerdictStore } from "../../store/index.ts";

/** What a sender should know of a device token. */
export interface FeedbackItem {
  /** Of the page that ends with it. */
  readonly cursor: string;
  readonly token: string;
  readonly verdict: VerdictKind;
  readonly reason: string;
  /** RFC 3339: since when it is gone, as Apple says. A registration after that is a good one. */
  readonly since?: string;
  readonly environment: string;
  readonly notificationId: string;
  /** RFC 3339: the first and the latest answer that said so, and how many there were. */
  readonly firstAt: string;
  readonly lastAt: string;
  readonly answers: number;
}

export interface FeedbackPage {
  readonly items: readonly FeedbackItem[];
  readonly cursor: string;
}

/** Why a device token is gone, and since when: epoch milliseconds. */
export interface GoneToken {
  readonly reason: string;
  readonly sinceMs: number;
}

/** So many device tokens are looked up in one go, so that the store has time for others in between. */
const lookupSize = 1_000;

/** The verdicts of an app's device tokens, for those who keep the tokens. */
export class Feedback {
  readonly #store: VerdictStore;
  readonly #clock: Clock;

  constructor(store: VerdictStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @param after the cursor of an earlier page; 0 begins with the oldest verdict */
  async list(app: string, after: number, limit: number): Promise<FeedbackPage> {
    const verdicts = await this.#store.listVerdicts(app, after, limit);
    return { items: verdicts.map(itemOf), cursor: String(verdicts.at(-1)?.cursor ?? after) };
  }

  /** What is held against one device token (lower-case hex), in each environment. */
  async of(app: string, deviceToken: string): Promise<readonly FeedbackItem[]> {
    return (await this.#store.verdictsOn(app, deviceToken)).map(itemOf);
  }

  /** Those of these device tokens (lower-case hex) that are gone. One look for every 1,000. */
  async findGone(
    app: string,
    environment: string,
    deviceTokens: readonly string[],
  ): Promise<ReadonlyMap<string, GoneToken>> {
    const gone = new Map<string, GoneToken>();
    for (let at = 0; at < deviceTokens.length; at += lookupSize) {
      const found = await this.#store.findGone(app, environment, deviceTokens.slice(at, at + lookupSize));
      for (const { deviceToken, reason, sinceMs, lastAtMs } of found)
        gone.set(deviceToken, { reason, sinceMs: sinceMs ?? lastAtMs });
    }
    return gone;
  }

  /** Somebody knows better: takes back whatever was said of it, in both environments. False when nothing was. */
  async restore(app: string, deviceToken: string): Promise<boolean> {
    const restorations = [{ app, deviceToken, cause: "request" }];
    return (await this.#store.restore(restorations, this.#clock.now())) > 0;
  }
}

function itemOf(stored: StoredVerdict): FeedbackItem {
  const { cursor, deviceToken, verdict, reason, sinceMs, environment, notificationId, answers } = stored;
  return {
    cursor: String(cursor),
    ...{ token: deviceToken, verdict, reason, environment, notificationId },
    ...(sinceMs === undefined ? {} : { since: isoOf(sinceMs) }),
    ...{ firstAt: isoOf(stored.firstAtMs), lastAt: isoOf(stored.lastAtMs), answers },
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
