/** Runs remembered at most. */
const mostRuns = 100_000;

/**
 * The streams of one connection by the ordinal of their request, for the last stream of a GOAWAY. Requests come whole nearly in
 * the order of their streams, so that runs of ids that are 2 apart are all that has to be kept.
 */
export class StreamIds {
  /** Requests so far. */
  count = 0;
  /** The stream of the newest one; 0 before the first. */
  newest = 0;
  private unknownFrom = Number.POSITIVE_INFINITY;
  private readonly runs: { readonly firstOrdinal: number; readonly firstId: number }[] = [];

  add(streamId: number): void {
    this.count += 1;
    if (this.count === 1 || streamId !== this.newest + 2) this.begin(streamId);
    this.newest = streamId;
  }

  /** The stream of the request with this ordinal, from 1; undefined where it has not come, or is beyond what is kept. */
  at(ordinal: number): number | undefined {
    if (ordinal > this.count || ordinal >= this.unknownFrom) return undefined;
    const run = this.runs.findLast(({ firstOrdinal }) => firstOrdinal <= ordinal);
    return run && run.firstId + (ordinal - run.firstOrdinal) * 2;
  }

  private begin(streamId: number): void {
    if (this.runs.length < mostRuns) this.runs.push({ firstOrdinal: this.count, firstId: streamId });
    else this.unknownFrom = Math.min(this.unknownFrom, this.count);
  }
}
