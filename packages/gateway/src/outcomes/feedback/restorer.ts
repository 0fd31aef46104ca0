import type { Clock } from "@carillon/apns";
import type { Restoration, VerdictStore } from "../../store/index.ts";
import { hashToken, seedOf, TokenFilter, type TokenHash, type TokenHashes } from "./signs-of-life.ts";

export interface RestorerOptions {
  readonly store: VerdictStore;
  readonly clock: Clock;
  readonly logger: { warn(fields: object, message: string): void };
}

/** Signs of life are gathered for so long, and so many wait at most; one that finds no room is forgotten. */
const gatherMs = 100;
const mostWaiting = 10_000;
const pageSize = 1_000;

/**
 * Takes verdicts back when device tokens show that they are good. Knows in half a MiB which tokens may have a verdict, so
 * that the others cost nothing.
 */
export class Restorer {
  readonly #options: RestorerOptions;
  readonly #filter = new TokenFilter();
  #waiting: Restoration[] = [];

  constructor(options: RestorerOptions) {
    this.#options = options;
  }

  /** Learns which device tokens of these apps have a verdict. */
  async load(apps: readonly string[]): Promise<void> {
    for (const app of apps) {
      let after = 0;
      for (;;) {
        const verdicts = await this.#options.store.listVerdicts(app, after, pageSize);
        for (const { environment, deviceToken } of verdicts)
          this.mayBeBad(hashToken(seedOf(app, environment), deviceToken));
        after = verdicts.at(-1)?.cursor ?? after;
        if (verdicts.length < pageSize) break;
      }
    }
  }

  /** A verdict on it is about to be written. */
  mayBeBad(hash: TokenHash): void {
    this.#filter.add(hash);
  }

  /** Whether there may be a verdict that a sign of life takes back. */
  concerns(hash: TokenHash): boolean {
    return this.#filter.mayHave(hash);
  }

  /** The same of many, by their index. Asked of all that are accepted. */
  concernedOf(hashes: TokenHashes): readonly number[] {
    return this.#filter.mayHaveOf(hashes);
  }

  /** A sign of life of one that it concerns. */
  good(restoration: Restoration): void {
    if (this.#waiting.length >= mostWaiting) return;
    if (this.#waiting.length === 0) this.#options.clock.setTimer(() => void this.#flush(), gatherMs);
    this.#waiting.push(restoration);
  }

  async #flush(): Promise<void> {
    const { store, clock, logger } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await store.restore(waiting, clock.now());
    } catch (error) {
      logger.warn({ detail: String(error) }, "verdicts on device tokens could not be taken back");
    }
  }
}
