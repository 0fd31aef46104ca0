/** What servers let pass in one go, and afterwards a second; nghttp2's bounds are 1 000 and 33. */
const burst = 800;
const perSecond = 25;

/**
 * How many requests one connection may still give up by RST_STREAM. Servers take many of them for an attack (CVE-2023-44487)
 * and end the connection, with everything else that is on it.
 */
export class ResetBudget {
  private left = burst;
  private countedAt: number;

  constructor(nowMs: number) {
    this.countedAt = nowMs;
  }

  /** Takes one; false where there is none. */
  take(nowMs: number): boolean {
    this.left = Math.min(burst, this.left + ((nowMs - this.countedAt) / 1000) * perSecond);
    this.countedAt = nowMs;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
