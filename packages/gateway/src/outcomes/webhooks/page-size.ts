export interface PageSizeLimits {
  /** Of one body, roughly; one event alone may have more. */
  readonly batchBytes: number;
  /** To a receiver that is behind and quick. */
  readonly mostBatchBytes: number;
}

/** A receiver that took a full page within this gets a larger one. */
const quickMs = 1_000;
/** One that needed longer gets smaller ones, long before the call's deadline. */
const slowMs = 5_000;

/**
 * How large the pages for one endpoint are: as usual, and more while it is behind and takes them quickly. Then what a call
 * costs beside its bytes, the way and the commit, is paid less often.
 */
export class PageSize {
  readonly #limits: PageSizeLimits;
  #bytes: number;

  constructor(limits: PageSizeLimits) {
    this.#limits = limits;
    this.#bytes = limits.batchBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A page was taken behind which more waits. */
  takenFull(bodyBytes: number, latencyMs: number): void {
    const { batchBytes, mostBatchBytes } = this.#limits;
    let wanted = this.#bytes;
    if (latencyMs <= quickMs) wanted = Math.max(wanted, bodyBytes * 2);
    else if (latencyMs > slowMs) wanted = bodyBytes / 2;
    this.#bytes = Math.max(batchBytes, Math.min(wanted, mostBatchBytes));
  }

  /** The receiver has caught up, or failed. */
  reset(): void {
    this.#bytes = this.#limits.batchBytes;
  }
}
