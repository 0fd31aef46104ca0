import type { Lane } from "./notification-draft.ts";

/** The lanes, the most urgent first. */
export const lanes = ["urgent", "normal", "bulk"] as const satisfies readonly Lane[];

/** How many notifications of each lane leave in the same time while all have some. */
const weights: Readonly<Record<Lane, number>> = { urgent: 16, normal: 4, bulk: 1 };

/**
 * Chooses the lane whose turn it is: the one that had least in proportion to its weight (stride scheduling). A lane that
 * had nothing to send saves nothing up.
 */
export class LaneShares {
  readonly #used: Record<Lane, number> = { urgent: 0, normal: 0, bulk: 0 };
  #latest = 0;

  /** Undefined when no lane has anything. */
  next(hasWork: (lane: Lane) => boolean): Lane | undefined {
    let chosen: Lane | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      if (!hasWork(lane)) continue;
      const used = Math.max(this.#used[lane], this.#latest);
      if (used >= least) continue;
      least = used;
      chosen = lane;
    }
    if (chosen === undefined) return undefined;
    this.#latest = least;
    this.#used[chosen] = least + 1 / weights[chosen];
    return chosen;
  }
}
