/** A difference below this is the way of the answer and the coarseness of its date. */
const leastSkewMs = 60_000;
const longestTokenLifeMs = 60 * 60_000;
/** A token younger than this was good by our clock when it was refused. */
const freshMs = 5 * 60_000;

/**
 * By how much this machine's clock is ahead of a server's `date` (negative: behind), in milliseconds. Undefined where the difference
 * is below a minute, or there is no date that can be read.
 */
export function clockSkewMs(date: string | undefined, nowMs: number): number | undefined {
  const skewMs = date === undefined ? Number.NaN : nowMs - Date.parse(date);
  return Math.abs(skewMs) >= leastSkewMs ? skewMs : undefined;
}

/** `40 minutes ahead`, for people. */
export function describeSkew(skewMs: number): string {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `${minutes} ${minutes === 1 ? "minute" : "minutes"} ${skewMs > 0 ? "ahead" : "behind"}`;
}

export interface RefusedToken {
  /** The reason that APNs gave. */
  readonly reason: string;
  /** The token's `iat`, epoch seconds. */
  readonly issuedAtSeconds: number;
  /** As `clockSkewMs` gave it. */
  readonly skewMs: number | undefined;
  readonly nowMs: number;
}

/**
 * Why APNs refused a provider token that should have been good, where the clock is the likely cause; undefined otherwise. A clock
 * that is behind makes tokens that are old at birth, one that is ahead makes tokens from the future.
 */
export function explainRefusedToken({
  reason,
  issuedAtSeconds,
  skewMs,
  nowMs,
}: RefusedToken): string | undefined {
  if (!["ExpiredProviderToken", "InvalidProviderToken", "TooManyProviderTokenUpdates"].includes(reason)) {
    return undefined;
  }
  if (skewMs !== undefined)
    return `this machine's clock is ${describeSkew(skewMs)} by the server's: set it right`;
  const ageMs = nowMs - issuedAtSeconds * 1000;
  if (reason === "ExpiredProviderToken" && ageMs < longestTokenLifeMs - freshMs) {
    const least = Math.round((longestTokenLifeMs - ageMs) / 60_000);
    return (
      `the provider token was made ${Math.max(0, Math.round(ageMs / 60_000))} minutes ago by this machine's clock, ` +
      `which is likely at least ${least} minutes behind: set it right`
    );
  }
  if (reason === "InvalidProviderToken" && ageMs < freshMs) {
    return "the key, its id or the team's does not fit, or this machine's clock is ahead: check the three, then the clock";
  }
  return undefined;
}
