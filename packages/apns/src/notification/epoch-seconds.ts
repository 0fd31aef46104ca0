/** Seconds beyond this are milliseconds by mistake: the year 5138. */
const latestSeconds = 100_000_000_000;

/** A time in Apple's unit, whole seconds since 1970; a Date's milliseconds are cut off. NaN for an invalid Date. */
export function toEpochSeconds(time: Date | number): number {
  return time instanceof Date ? Math.floor(time.getTime() / 1000) : time;
}

/** What is wrong with a value as epoch seconds, or undefined. */
export function explainEpochSeconds(seconds: unknown): string | undefined {
  if (typeof seconds !== "number" || !Number.isSafeInteger(seconds) || seconds < 0) {
    return "must be a valid Date or whole seconds since 1970";
  }
  if (seconds <= latestSeconds) return undefined;
  return `is ${seconds} seconds, thousands of years ahead: APNs counts seconds, not milliseconds`;
}
