/** Equal failures of one app, as one thing that happened. */
export interface Incident {
  readonly reason: string;
  readonly environment: string;
  readonly count: number;
  /** Epoch milliseconds. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** The latest notification that met it. */
  readonly sample: string;
}

/** So many kinds of failure of one app are told apart; what was seen longest ago gives way. */
const mostOfAnApp = 100;
/** What has not been seen for so long is over. */
const overAfterMs = 86_400_000;

/** Counts failures by app, environment and reason. In memory: since this process began. */
export class Incidents {
  readonly #apps = new Map<string, Map<string, Incident>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  note(app: string, environment: string, reason: string, sample: string): void {
    const nowMs = this.#now();
    let incidents = this.#apps.get(app);
    if (incidents === undefined) {
      incidents = new Map();
      this.#apps.set(app, incidents);
    }
    const name = `${environment} ${reason}`;
    const known = incidents.get(name);
    const isOver = known !== undefined && nowMs - known.lastAtMs > overAfterMs;
    const { count, firstAtMs } = known === undefined || isOver ? { count: 0, firstAtMs: nowMs } : known;
    // Put in anew, so that the one that was seen longest ago stands first.
    incidents.delete(name);
    incidents.set(name, { reason, environment, count: count + 1, firstAtMs, lastAtMs: nowMs, sample });
    if (incidents.size <= mostOfAnApp) return;
    for (const oldest of incidents.keys()) {
      incidents.delete(oldest);
      break;
    }
  }

  /** The one that was seen last comes first. */
  of(app: string): readonly Incident[] {
    const nowMs = this.#now();
    const incidents = [...(this.#apps.get(app)?.values() ?? [])];
    return incidents.filter(({ lastAtMs }) => nowMs - lastAtMs <= overAfterMs).reverse();
  }
}
