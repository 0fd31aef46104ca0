import type { Lane } from "./notification-draft.ts";

/**
 * Where notifications wait: in the lane they were given or, after an attempt without an answer, in a lane of their own, so that
 * devices which are never answered do not fill the room of those that are.
 */
export type Waiting = Lane | "unanswered";

/** The most urgent first. */
export const lanes = ["urgent", "normal", "bulk", "unanswered"] as const satisfies readonly Waiting[];

/** How many notifications of each lane leave in the same time while all have some. */
const weights: Readonly<Record<Waiting, number>> = { urgent: 16, normal: 4, bulk: 1, unanswered: 1 };

/**
 * Chooses the lane whose turn it is: the one that had least in proportion to its weight (stride scheduling). A lane that
 * had nothing to send saves nothing up.
 */
export class LaneShares {
  readonly #used: Record<Waiting, number> = { urgent: 0, normal: 0, bulk: 0, unanswered: 0 };
  #latest = 0;

  /** Undefined when no lane has anything. */
  next(hasWork: (lane: Waiting) => boolean): Waiting | undefined {
    let chosen: Waiting | undefined;
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
