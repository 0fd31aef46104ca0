import { createHash } from "node:crypto";
import type { Clock } from "@carillon/apns";
import type { WantedPush } from "./frame-reader.ts";

const defaultMost = 100_000;
const keepMs = 600_000;

/**
 * Pushes that Apple took although their sender was told, by the protocol's rule, that they were discarded: they had left before an
 * earlier one was rejected. The sender sends them again, and each of these is taken from here instead. Whoever counts what arrives
 * sees what the retired gateway would have delivered. Held in memory, the newest 100,000, for ten minutes.
 */
export class ResentMemory {
  readonly #clock: Clock;
  readonly #most: number;
  /** In the order in which they were remembered. */
  readonly #entries = new Map<string, { count: number; untilMs: number }>();

  constructor(clock: Clock, most = defaultMost) {
    this.#clock = clock;
    this.#most = most;
  }

  remember(push: WantedPush): void {
    const key = keyOf(push);
    const count = (this.#entries.get(key)?.count ?? 0) + 1;
    this.#entries.delete(key);
    this.#entries.set(key, { count, untilMs: this.#clock.now() + keepMs });
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#most) break;
      this.#entries.delete(oldest);
    }
  }

  /** Whether it was taken already; that is used up with the answer. */
  take(push: WantedPush): boolean {
    if (this.#entries.size === 0) return false;
    const key = keyOf(push);
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    entry.count -= 1;
    if (entry.count === 0 || entry.untilMs < this.#clock.now()) this.#entries.delete(key);
    return entry.untilMs >= this.#clock.now();
  }
}

/** What a device would see: the identifier and the expiry may change when it is sent again. */
function keyOf({ deviceToken, payload }: WantedPush): string {
  return createHash("sha256").update(deviceToken).update("\0").update(payload).digest("base64");
}
