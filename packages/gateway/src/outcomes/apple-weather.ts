const windowSize = 200;
const leastAnswers = 100;
const degradedShare = 0.5;
const wellShare = 0.1;

/**
 * Whether Apple answers: how many of the latest 200 first attempts of one route met trouble of the service. A device that is
 * always answered 503 is tried again and again, and would soon make the weather; so further attempts only say that it has
 * cleared up. Pure.
 */
export class AppleWeather {
  readonly #window = new Uint8Array(windowSize);
  #next = 0;
  #count = 0;
  #troubles = 0;
  #isDegraded = false;

  /** `degraded` or `recovered` where this one made the difference. */
  answered(isTrouble: boolean, isFirstAttempt: boolean): "degraded" | "recovered" | undefined {
    if (!isFirstAttempt && (isTrouble || !this.#isDegraded)) return undefined;
    if (!isTrouble && this.#troubles === 0 && this.#count === windowSize) return undefined;
    const trouble = isTrouble ? 1 : 0;
    this.#troubles += trouble - (this.#window[this.#next] ?? 0);
    this.#window[this.#next] = trouble;
    this.#next = (this.#next + 1) % windowSize;
    this.#count = Math.min(this.#count + 1, windowSize);
    const share = this.#troubles / this.#count;
    if (!this.#isDegraded && this.#count >= leastAnswers && share >= degradedShare) {
      this.#isDegraded = true;
      return "degraded";
    }
    if (this.#isDegraded && share <= wellShare) {
      this.#isDegraded = false;
      return "recovered";
    }
    return undefined;
  }
}
