import type { HoldCause } from "./settlement.ts";

/** How a route's pauses grow. */
const pauses = {
  /** Short: sending must go on within a second of the peer being reachable. */
  unreachable: { firstMs: 50, longestMs: 800 },
  credential: { firstMs: 5_000, longestMs: 60_000 },
} as const;
/** So many notifications the peer may send elsewhere in a row before that counts as unreachable. */
const refusalLimit = 2_000;

type State =
  | { readonly kind: "open" }
  | { readonly kind: "paused"; readonly untilMs: number; readonly detail: string }
  | { readonly kind: "probing"; readonly detail: string };

/**
 * Stops a route whose notifications come back for no fault of their own, and lets one out now and then to see whether it
 * is well again. Notifications carry the `epoch` in which they left; what they tell about an earlier one is old news.
 * Times are monotonic, so that a jump of the clock neither prolongs a pause nor ends it.
 */
export class RouteBreaker {
  #state: State = { kind: "open" };
  #epoch = 0;
  #failures = 0;
  #refusals = 0;
  #sinceMs: number | undefined;

  get epoch(): number {
    return this.#epoch;
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  /** What the route waits for, in a few words; undefined while it is well. */
  get detail(): string | undefined {
    return this.#state.kind === "open" ? undefined : this.#state.detail;
  }

  /** When it came to a stop, on the monotonic clock; undefined while it is well. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** When a probe may leave, while the route is paused. */
  get untilMs(): number | undefined {
    return this.#state.kind === "paused" ? this.#state.untilMs : undefined;
  }

  /** Whether a notification may leave now. */
  admits(nowMs: number): boolean {
    return this.#state.kind === "open" || (this.#state.kind === "paused" && nowMs >= this.#state.untilMs);
  }

  /** A notification leaves; if the route was paused, it is the probe. */
  leaves(): void {
    if (this.#state.kind !== "paused") return;
    this.#epoch += 1;
    this.#state = { kind: "probing", detail: this.#state.detail };
  }

  /** Somebody answered: the route is well. */
  answered(epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#refusals = 0;
    if (this.#state.kind !== "open") this.reset();
  }

  /** The probe never left after all: another may. */
  withdrawn(epoch: number, nowMs: number): void {
    if (epoch !== this.#epoch || this.#state.kind !== "probing") return;
    this.#state = { kind: "paused", untilMs: nowMs, detail: this.#state.detail };
  }

  /** Nobody answered in time. That tells something of the route only when it was asked how it is. */
  unanswered(epoch: number, nowMs: number, random: number): void {
    if (this.#state.kind === "probing") this.failed(epoch, "unreachable", "no answer", nowMs, random);
  }

  /** @param random from 0 to 1, exclusive. */
  failed(epoch: number, cause: HoldCause, detail: string, nowMs: number, random: number): void {
    if (epoch !== this.#epoch) return;
    if (cause === "refused") {
      this.#refusals += 1;
      if (this.#refusals < refusalLimit && this.#state.kind === "open") return;
    }
    const { firstMs, longestMs } = pauses[cause === "credential" ? "credential" : "unreachable"];
    const pauseMs = Math.min(firstMs * 2 ** Math.min(this.#failures, 20), longestMs) * (0.5 + random / 2);
    this.#failures += 1;
    this.#epoch += 1;
    this.#sinceMs ??= nowMs;
    this.#state = { kind: "paused", untilMs: nowMs + pauseMs, detail };
  }

  /** Begins anew, for instance with new credentials. */
  reset(): void {
    this.#epoch += 1;
    this.#failures = 0;
    this.#refusals = 0;
    this.#sinceMs = undefined;
    this.#state = { kind: "open" };
  }
}
