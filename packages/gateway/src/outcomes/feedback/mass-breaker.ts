/** So many of the latest device tokens are looked at. */
const windowSize = 100;
/** Fewer than so many bad ones are nobody's fault but theirs. */
const leastBad = 40;
/** From this share on the configuration is the likely cause, and below the other one it is well again. */
const tripShare = 0.6;
const closeShare = 0.2;

export type MassState = "calm" | "tripped";

/**
 * Notices when many of an app's device tokens turn bad at once: verdicts are then held back, for a wrong environment, topic
 * or key looks the same as ten thousand dead devices. One for each route. Pure.
 *
 * A window over the latest 100 tokens that an answer said something about: it trips when 40 of them and three in five are
 * bad, and is calm again when four in five are good. One bad token counts once, however often it is sent to.
 */
export class MassBreaker {
  #window: (string | undefined)[] = [];
  #next = 0;
  readonly #bad = new Set<string>();
  #state: MassState = "calm";

  get state(): MassState {
    return this.#state;
  }

  /** Bad device tokens among the latest, and how many those are in all. */
  get counts(): { readonly bad: number; readonly of: number } {
    return { bad: this.#bad.size, of: this.#window.length };
  }

  /** A good one. True when that made it calm again. */
  good(): boolean {
    // While nothing is wrong there is nothing to weigh it against (bench/delivery.ts).
    if (this.#bad.size === 0 && this.#window.length === windowSize) return false;
    this.#push(undefined);
    return this.#calmDown();
  }

  /** A bad one. True when that tripped it; `suspects` are then those whose verdicts have to be taken back. */
  bad(deviceToken: string): boolean {
    if (this.#bad.has(deviceToken)) return false;
    this.#push(deviceToken);
    if (this.#state === "tripped") return false;
    const { bad, of } = this.counts;
    if (bad < leastBad || bad < tripShare * of) return false;
    this.#state = "tripped";
    return true;
  }

  /** The bad device tokens among the latest. */
  get suspects(): readonly string[] {
    return [...this.#bad];
  }

  #calmDown(): boolean {
    const { bad, of } = this.counts;
    if (this.#state === "calm" || bad > closeShare * of) return false;
    this.#state = "calm";
    return true;
  }

  #push(bad: string | undefined): void {
    const out = this.#window[this.#next];
    if (out !== undefined) this.#bad.delete(out);
    if (bad !== undefined) this.#bad.add(bad);
    this.#window[this.#next] = bad;
    this.#next = (this.#next + 1) % windowSize;
  }
}
