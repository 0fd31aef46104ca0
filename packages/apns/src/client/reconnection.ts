import type { Random } from "../runtime/index.ts";
import { backoffMs } from "./retry.ts";

/**
 * Why a connection was none. "unreachable": it did not come to TLS; trying once a second harms nobody. "useless": it stood and
 * answered nothing, so the peer is there and does not want us.
 */
export type ConnectFailure = "unreachable" | "useless";

const waits = {
  unreachable: { baseDelayMs: 250, maxDelayMs: 1_000 },
  useless: { baseDelayMs: 250, maxDelayMs: 5_000 },
} as const satisfies Record<ConnectFailure, object>;

/** When the next connection may be opened: at once while they work, later and later while they do not. */
export class Reconnection {
  private readonly random: Random;
  private failures = 0;
  private notBefore = Number.NEGATIVE_INFINITY;

  constructor(random: Random) {
    this.random = random;
  }

  isAllowed(nowMs: number): boolean {
    return nowMs >= this.notBefore;
  }

  failed(failure: ConnectFailure, nowMs: number): void {
    this.failures += 1;
    this.notBefore = nowMs + backoffMs(this.failures, waits[failure], this.random);
  }

  /** A connection did what it is there for. */
  worked(): void {
    this.failures = 0;
  }
}
