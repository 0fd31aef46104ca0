/** What growth is decided on, at one moment. */
export interface Load {
  readonly nowMs: number;
  readonly queued: number;
  /** Connections that may carry requests. */
  readonly usable: number;
  readonly opening: number;
  readonly most: number;
  /** Answers received by all connections since the start. */
  readonly answers: number;
}

/** A queue that drains faster than this needs no further connection. */
const patienceMs = 400;
/** How long after new connections their effect is judged, and how long growth rests when there was none. */
const judgeAfterMs = 1_000;
const restMs = 10_000;
/** Growth that brings less than this share more answers is no growth. */
const worthwhile = 1.1;
const sampleMs = 250;
const longestSampleMs = 1_000;

/**
 * Decides when a pool opens further connections: when what waits would take too long at the pace of the last moment, whatever
 * limits that pace (streams, window or latency). The number doubles, as slow start does, and rests when more of them brought
 * nothing, because then the peer or this machine is the limit.
 */
export class Growth {
  private sampledAt = Number.NEGATIVE_INFINITY;
  private sampledAnswers = 0;
  /** Answers a millisecond in the last sample; undefined before there was one. */
  private perMs: number | undefined;
  private grownAt = Number.NEGATIVE_INFINITY;
  private perMsBefore = 0;
  private restUntil = Number.NEGATIVE_INFINITY;

  /** How many connections to open now. Called every 100 ms or so while something waits. */
  advise(load: Load): number {
    this.sample(load);
    if (load.opening > 0 || load.usable === 0 || load.queued === 0) return 0;
    if (load.usable >= load.most || load.nowMs < this.restUntil) return 0;
    if (this.perMs === undefined || load.answers === 0 || load.queued <= this.perMs * patienceMs) return 0;
    if (load.nowMs - this.grownAt < judgeAfterMs) return 0;
    if (this.grownAt > 0 && this.perMs < this.perMsBefore * worthwhile) {
      this.restUntil = load.nowMs + restMs;
      this.grownAt = Number.NEGATIVE_INFINITY;
      return 0;
    }
    this.grownAt = load.nowMs;
    this.perMsBefore = this.perMs;
    return Math.min(load.usable, load.most - load.usable);
  }

  private sample(load: Load): void {
    const elapsed = load.nowMs - this.sampledAt;
    if (elapsed < sampleMs) return;
    // After a pause the mean over all of it says nothing about now.
    this.perMs = elapsed > longestSampleMs ? undefined : (load.answers - this.sampledAnswers) / elapsed;
    this.sampledAt = load.nowMs;
    this.sampledAnswers = load.answers;
  }
}
